package main

import (
	"errors"
	"fmt"
	"image"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	cameras "github.com/fathom-edge/fathom/boards/camera"
	"github.com/fathom-edge/fathom/internal/results"
	bundles "github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/engine"
)

// repeats is how often start and memory are measured.
const repeats = 7

func row(id, what string, samples []float64, unit, op string, limit float64) results.Row {
	return results.Row{ID: id, What: what, Value: results.Median(samples), Unit: unit, Op: op, Limit: limit, Samples: samples}
}

// start is how long systemd waits for a bundle that was seen before.
func start() ([]results.Row, error) {
	state, err := os.MkdirTemp("", "bench-daemon")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(state)
	var samples []float64
	for i := range repeats + 1 {
		p, err := launch(bundle, state, "--source", "synthetic")
		if err != nil {
			return nil, err
		}
		if i > 0 { // the first start tries the bundle in a process of its own
			samples = append(samples, p.ready.Seconds())
		}
		if err := p.stop(); err != nil {
			return nil, err
		}
	}
	return []results.Row{row("start", "From the start of fathomd until it says that it is ready: the demo bundle, seen before; median", samples, "s", "<=", 1)}, nil
}

// modelsArgument makes this program the one that only loads the models.
const modelsArgument = "models-only"

// models prints by how much loading and running all variants of the bundle lets the memory grow, in MiB.
func models() int {
	before, err := resident(os.Getpid())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	b, err := bundles.Open(bundle)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	e, err := engine.Open(b, engine.Options{Threads: 1})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer e.Close()
	picture := image.NewRGBA(image.Rect(0, 0, 640, 480))
	for _, v := range b.Manifest.Variants {
		if err := e.SetActive(v.Name); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if _, err := e.Infer(picture); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	after, err := resident(os.Getpid())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Printf("%.3f\n", after-before)
	return 0
}

// memory is what fathomd has resident beyond what the models alone take.
func memory() ([]results.Row, error) {
	state, err := os.MkdirTemp("", "bench-daemon")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(state)
	camera, err := newCamera(10)
	if err != nil {
		return nil, err
	}
	defer camera.Close()
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var above, whole, alone []float64
	for range repeats {
		out, err := exec.Command(self, modelsArgument).Output()
		if err != nil {
			return nil, fmt.Errorf("load the models alone: %w", err)
		}
		models, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
		if err != nil {
			return nil, err
		}
		total, err := residentAtWork(state, camera.url)
		if err != nil {
			return nil, err
		}
		above, whole, alone = append(above, total-models), append(whole, total), append(alone, models)
	}
	return []results.Row{
		row("memory-above-models", "Resident memory of fathomd beyond what its models take when they are loaded alone: 10 frames/s of 640x480 MJPEG, the page open; median", above, "MiB", "<=", 40),
		row("memory", "Resident memory of fathomd in all, with the TensorFlow Lite library; median", whole, "MiB", "", 0),
		row("memory-models", "Growth of resident memory by loading and running all variants of the demo bundle alone; median", alone, "MiB", "", 0),
	}, nil
}

// residentAtWork is the memory after some seconds of frames with somebody who looks.
func residentAtWork(state, camera string) (float64, error) {
	p, err := launch(bundle, state, "--source", camera)
	if err != nil {
		return 0, err
	}
	for range 40 {
		for _, path := range []string{"/frame.jpg", "/api/state", "/api/history?span=hour"} {
			answer, err := http.Get(p.url + path)
			if err != nil {
				return 0, errors.Join(err, p.stop())
			}
			answer.Body.Close()
		}
		time.Sleep(200 * time.Millisecond)
	}
	mib, err := resident(p.Process.Pid)
	return mib, errors.Join(err, p.stop())
}

// cpuWindows are measured one after the other, each so long.
const (
	cpuWindows = 5
	cpuWindow  = 12 * time.Second
	cameraRate = 10
)

// cpu is what fathomd takes of a core beside inference and the decoding of JPEG.
func cpu() ([]results.Row, error) {
	state, err := os.MkdirTemp("", "bench-daemon")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(state)
	camera, err := newCamera(cameraRate)
	if err != nil {
		return nil, err
	}
	defer camera.Close()
	config := state + "/fathomd.yaml"
	text := fmt.Sprintf("source: {kind: camera, address: %q, fps: %d}\ntarget_rate: %d\nobjectives: {least_fps: %d}\n", camera.url, cameraRate, cameraRate, cameraRate)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	p, err := launch(bundle, state, "--config", config)
	if err != nil {
		return nil, err
	}
	time.Sleep(3 * time.Second)
	var rest, all, inference, decoding, preprocessing []float64
	for range cpuWindows {
		w, err := p.window(camera.picture)
		if err != nil {
			return nil, errors.Join(err, p.stop())
		}
		rest, all = append(rest, w.all-w.inference-w.decoding), append(all, w.all)
		inference, decoding, preprocessing = append(inference, w.inference), append(decoding, w.decoding), append(preprocessing, w.preprocessing)
	}
	return []results.Row{
		row("cpu", "Share of one core that fathomd takes beside inference and JPEG decoding: 10 frames/s of 640x480 MJPEG, each classified; median of windows", rest, "%", "<=", 3),
		row("cpu-preprocessing", "Share of one core for making tensors of the frames, wall-clock, which is part of the line above", preprocessing, "%", "", 0),
		row("cpu-decoding", "Share of one core for decoding these JPEGs, as large as fathomd needs them, measured apart", decoding, "%", "", 0),
		row("cpu-inference", "Share of one core for inference, wall-clock on one thread", inference, "%", "", 0),
		row("cpu-all", "Share of one core that fathomd takes in all", all, "%", "", 0),
	}, p.stop()
}

// window is a stretch of time, in percent of one core.
type window struct{ all, inference, decoding, preprocessing float64 }

func (p *process) window(picture []byte) (window, error) {
	before, err := p.metrics()
	if err != nil {
		return window{}, err
	}
	busyBefore, err := p.cpu()
	if err != nil {
		return window{}, err
	}
	began := time.Now()
	time.Sleep(cpuWindow)
	busyAfter, err := p.cpu()
	if err != nil {
		return window{}, err
	}
	took := time.Since(began).Seconds()
	after, err := p.metrics()
	if err != nil {
		return window{}, err
	}
	frames := sum(after, "fathom_frames_total") - sum(before, "fathom_frames_total")
	if frames < 0.8*cameraRate*took {
		return window{}, fmt.Errorf("%v frames in %.1f s are fewer than the camera gave: the machine is too busy", frames, took)
	}
	one, err := decodingTime(picture, p.least)
	if err != nil {
		return window{}, err
	}
	grown := func(name string) float64 { return sum(after, name) - sum(before, name) }
	inference, tensors := grown("fathom_inference_seconds_sum"), grown("fathom_preprocess_seconds_sum")
	percent := func(seconds float64) float64 { return 100 * seconds / took }
	return window{percent((busyAfter - busyBefore).Seconds()), percent(inference), percent(one.Seconds() * frames), percent(tensors)}, nil
}

// leastSide is what fathomd decodes down to for a smaller input, pixels.
const leastSide = 64

// decodingTime is the processor time of one picture, decoded as fathomd does for an input of so many pixels.
func decodingTime(picture []byte, input image.Point) (time.Duration, error) {
	least := image.Pt(max(input.X, leastSide), max(input.Y, leastSide))
	const n = 100
	var before, after unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &before); err != nil {
		return 0, err
	}
	for range n {
		if _, err := cameras.DecodeJPEG(picture, least, nil); err != nil {
			return 0, err
		}
	}
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &after); err != nil {
		return 0, err
	}
	return time.Duration(after.Nano()-before.Nano()) / n, nil
}
