package main

import (
	"errors"
	"fmt"
	"image"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"github.com/fathom-edge/fathom/glyphs"
	"github.com/fathom-edge/fathom/internal/results"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/engine"
)

const hogArgument = "hog"

// hog keeps every core busy until it is killed.
func hog() {
	spin := func() {
		for {
			runtime.Gosched()
		}
	}
	for range runtime.NumCPU() - 1 {
		go spin()
	}
	spin()
}

// neighbour switches a hog on and off at random, each for about a second, until stop is called.
func neighbour() (stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, hogArgument)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread() // the child dies with the thread that started it
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		random := rand.New(rand.NewPCG(5, 0))
		for signal := syscall.SIGSTOP; ; {
			_ = cmd.Process.Signal(signal)
			select {
			case <-done:
				return
			case <-time.After(time.Duration((0.3 + random.ExpFloat64()) * 0.8 * float64(time.Second))):
			}
			if signal == syscall.SIGSTOP {
				signal = syscall.SIGCONT
			} else {
				signal = syscall.SIGSTOP
			}
		}
	}()
	return func() {
		close(done)
		<-ended
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		runtime.UnlockOSThread()
	}, nil
}

// sample is a picture and its class; -1 where it has none.
type sample struct {
	picture image.Image
	label   int
}

// deadline lets frames run beside the neighbour: always shallow, with a deadline,
// and always deep take turns in random order. The demo runs with TFLite's own
// kernels, which make this machine as slow as a board.
func deadline() ([]results.Row, error) {
	letters, err := testGlyphs(500)
	if err != nil {
		return nil, err
	}
	var rows []results.Row
	for _, c := range []struct {
		name    string
		opts    engine.Options
		samples []sample
		length  time.Duration
	}{
		{"demo-cut", engine.Options{WithoutXNNPACK: true}, letters, 45 * time.Second},
		{"resnet-float32", engine.Options{}, []sample{{noise(64, 64), -1}}, 30 * time.Second},
	} {
		more, err := beside(c.name, c.opts, c.samples, c.length)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// outcome of one frame.
type outcome struct{ late, right bool }

// The ways to run a frame; two of each group have a deadline.
const (
	shallow = iota
	bounded
	boundedToo
	deep
	ways
)

// beside measures one bundle.
func beside(name string, opts engine.Options, samples []sample, length time.Duration) ([]results.Row, error) {
	const slack = 1.5 // the deadline, over the deepest variant's latency on the quiet machine
	e, m, err := profiled(name, opts)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	limit, err := quietLatency(e, m, samples[0].picture)
	if err != nil {
		return nil, err
	}
	limit = time.Duration(slack * float64(limit))
	stop, err := neighbour()
	if err != nil {
		return nil, err
	}
	defer stop()
	random := rand.New(rand.NewPCG(6, 0))
	var groups [][ways]outcome
	next := time.Now()
	for start := time.Now(); time.Since(start) < length; {
		s := samples[len(groups)%len(samples)]
		var g [ways]outcome
		for _, way := range random.Perm(ways) {
			time.Sleep(time.Until(next))
			if g[way], err = once(e, m, s, way, limit); err != nil {
				return nil, err
			}
			next = time.Now().Add(limit / 2) // as a camera that is not always ready
		}
		groups = append(groups, g)
	}
	return besideRows(name, limit, m, groups, samples[0].label >= 0), nil
}

func once(e *engine.Engine, m *bundle.Manifest, s sample, way int, limit time.Duration) (outcome, error) {
	variant := m.Variants[len(m.Variants)-1].Name
	if way == shallow {
		variant = m.Variants[0].Name
	}
	if err := e.SetActive(variant); err != nil {
		return outcome{}, err
	}
	var res engine.Result
	var err error
	start := time.Now()
	if way == bounded || way == boundedToo {
		res, err = e.InferBy(s.picture, start.Add(limit))
	} else {
		res, err = e.Infer(s.picture)
	}
	late := time.Since(start) > limit
	if errors.Is(err, engine.ErrDeadline) {
		return outcome{late: true}, nil
	}
	return outcome{late, !late && res.Best == s.label}, err
}

// quietLatency is the median of the deepest variant.
func quietLatency(e *engine.Engine, m *bundle.Manifest, picture image.Image) (time.Duration, error) {
	if err := e.SetActive(m.Variants[len(m.Variants)-1].Name); err != nil {
		return 0, err
	}
	var took []float64
	for range 60 {
		start := time.Now()
		if _, err := e.Infer(picture); err != nil {
			return 0, err
		}
		took = append(took, float64(time.Since(start)))
	}
	return time.Duration(results.Median(took)), nil
}

func besideRows(name string, limit time.Duration, m *bundle.Manifest, groups [][ways]outcome, labelled bool) []results.Row {
	var fits, lateWhereFits int
	var late, right [ways]int
	for _, g := range groups {
		for way, o := range g {
			late[way] += number(o.late)
			right[way] += number(o.right)
		}
		if !g[shallow].late {
			fits += 2
			lateWhereFits += number(g[bounded].late) + number(g[boundedToo].late)
		}
	}
	n := float64(len(groups))
	first, last := m.Variants[0].Name, m.Variants[len(m.Variants)-1].Name
	with := fmt.Sprintf("%s beside a program that takes all cores at random, deadline %.1f ms", name, float64(limit)/1e6)
	percent := func(id, what string, value float64) results.Row {
		return results.Row{ID: "deadline-" + id + "-" + name, What: what, Value: value, Unit: "%", Samples: []float64{value}}
	}
	bar := percent("late", fmt.Sprintf("frames late with a deadline, of %d where the shallowest path was in time: %s", fits, with), 100*float64(lateWhereFits)/float64(max(1, fits)))
	bar.Op, bar.Limit = "<=", 1
	rows := []results.Row{bar,
		percent("late-all", "frames late with a deadline, of all: "+with, 100*float64(late[bounded]+late[boundedToo])/(2*n)),
		percent("late-shallow", "frames late, always "+first+": "+with, 100*float64(late[shallow])/n),
		percent("late-deep", "frames late, always "+last+": "+with, 100*float64(late[deep])/n),
	}
	if labelled {
		kept, always := 100*float64(right[bounded]+right[boundedToo])/(2*n), 100*float64(right[shallow])/n
		rows = append(rows, results.Row{ID: "deadline-accuracy-" + name, Unit: "points", Op: ">=", Limit: 0, Samples: []float64{kept - always}, Value: kept - always,
			What: fmt.Sprintf("top-1 with a deadline (%.1f %%) above always %s (%.1f %%; always %s: %.1f %%), where late counts as wrong, %d test images: %s",
				kept, first, always, last, 100*float64(right[deep])/n, len(groups), with)})
	}
	return rows
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// testGlyphs are held-out pictures of the demo's data.
func testGlyphs(count int) ([]sample, error) {
	generator, err := glyphs.New()
	if err != nil {
		return nil, err
	}
	split, err := glyphs.ParseSplit("test")
	if err != nil {
		return nil, err
	}
	list := make([]sample, count)
	rgb := make([]byte, glyphs.SampleBytes)
	for i := range list {
		label := generator.Sample(split, uint64(i), rgb)
		img := image.NewRGBA(image.Rect(0, 0, glyphs.Size, glyphs.Size))
		for p := range glyphs.Size * glyphs.Size {
			copy(img.Pix[4*p:], rgb[3*p:3*p+3])
			img.Pix[4*p+3] = 255
		}
		list[i] = sample{img, label}
	}
	return list, nil
}
