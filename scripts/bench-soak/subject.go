package main

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fathom-edge/fathom/internal/results"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/engine"
	"github.com/fathom-edge/fathom/runtime/preprocess"
	"github.com/fathom-edge/fathom/runtime/profile"
)

const (
	family = "testdata/families/demo"
	demo   = "testdata/bundles/demo"
	tiny   = "testdata/bundles/tiny"
	// frames that are classified again and again.
	frames = 6
	// maxThreads is as many as are set.
	maxThreads = 2
)

// subject is a bundle with what each of its variants answers.
type subject struct {
	name    string
	bundle  *bundle.Bundle
	profile *profile.Profile
	tensors [frames][]float32
	want    map[string]*[frames][]float32 // logits
}

// subjects opens copies of the committed bundles, which may change meanwhile, and
// the demo family in other numbers.
func subjects(dir string) ([]*subject, error) {
	var dirs []string
	for _, committed := range []string{demo, tiny} {
		out := filepath.Join(dir, filepath.Base(committed))
		if err := os.CopyFS(out, os.DirFS(committed)); err != nil {
			return nil, err
		}
		dirs = append(dirs, out)
	}
	for _, numbers := range []string{"float16", "int8 --calibration glyphs:validation:8"} {
		precision, _, _ := strings.Cut(numbers, " ")
		out := filepath.Join(dir, precision)
		if _, err := results.Run("bin/fathom convert " + family + " -o " + out + " --precision " + numbers); err != nil {
			return nil, err
		}
		dirs = append(dirs, out)
	}
	var all []*subject
	for _, dir := range dirs {
		s, err := newSubject(dir)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func newSubject(dir string) (*subject, error) {
	b, err := bundle.Open(dir)
	if err != nil {
		return nil, err
	}
	s := &subject{name: filepath.Base(dir), bundle: b, want: map[string]*[frames][]float32{}}
	prep, err := preprocess.New(b.Manifest.Preprocess)
	if err != nil {
		return nil, err
	}
	for i, img := range pictures() {
		s.tensors[i] = make([]float32, b.Manifest.Preprocess.Len())
		if err := prep.Apply(s.tensors[i], img); err != nil {
			return nil, err
		}
	}
	for _, v := range b.Manifest.Variants {
		var path []string
		for _, id := range v.Path {
			path = append(path, b.SegmentPath(id))
		}
		s.want[v.Name] = new([frames][]float32)
		for i, in := range s.tensors {
			if s.want[v.Name][i], err = engine.RunPath(path, in, engine.Options{}); err != nil {
				return nil, err
			}
		}
	}
	s.doubt()
	return s, s.measure()
}

// doubt lets each variant but the deepest escalate to the next in the middle of its margins.
func (s *subject) doubt() {
	e := &bundle.Escalation{Dataset: "noise", Split: "validation", Samples: frames}
	variants := s.bundle.Manifest.Variants
	for i := range variants[1:] {
		e.Steps = append(e.Steps, bundle.EscalationStep{From: variants[i].Name, To: variants[i+1].Name, Margin: 0.5})
	}
	s.bundle.Manifest.Escalation = e
}

// measure times the segments, for deadlines.
func (s *subject) measure() error {
	const runs = 8
	s.profile = &profile.Profile{Board: "this machine"}
	for _, v := range s.bundle.Manifest.Variants {
		s.profile.Rungs = append(s.profile.Rungs, profile.Rung{Variant: v.Name})
	}
	for threads := 1; threads <= maxThreads; threads++ {
		e, err := engine.Open(s.bundle, engine.Options{Threads: threads})
		if err != nil {
			return err
		}
		known := map[string]bool{}
		for _, v := range s.bundle.Manifest.Variants {
			if err := e.SetActive(v.Name); err != nil {
				return err
			}
			var took []time.Duration
			for i := range runs {
				if took, err = e.SegmentTimes(pictures()[i%frames], took); err != nil {
					return err
				}
			}
			for k, id := range v.Path {
				if known[id] {
					continue
				}
				known[id] = true
				var sum, squares float64
				for i := range runs {
					t := float64(took[i*len(v.Path)+k])
					sum += t
					squares += t * t
				}
				mean := sum / runs
				s.profile.Segments = append(s.profile.Segments, profile.Segment{ID: id, Threads: threads, Cost: profile.Cost{
					Latency: time.Duration(mean), StdDev: time.Duration(math.Sqrt(max(squares/runs-mean*mean, 0))), Source: profile.Measured,
				}})
			}
		}
		if err := e.Close(); err != nil {
			return err
		}
	}
	return nil
}

// pictures are the frames, of several sizes and kinds.
var pictures = func() func() [frames]image.Image {
	var all [frames]image.Image
	rng := rand.New(rand.NewPCG(5, 5))
	for i := range all {
		bounds := image.Rect(0, 0, 32+40*i, 32+24*i)
		if i%2 == 1 {
			m := image.NewYCbCr(bounds, image.YCbCrSubsampleRatio420)
			for _, plane := range [][]byte{m.Y, m.Cb, m.Cr} {
				fill(plane, rng)
			}
			all[i] = m
			continue
		}
		m := image.NewRGBA(bounds)
		fill(m.Pix, rng)
		for k := 3; k < len(m.Pix); k += 4 {
			m.Pix[k] = 255
		}
		all[i] = m
	}
	return func() [frames]image.Image { return all }
}()

// fill draws blocks of noise, so that resizing leaves something to see.
func fill(pix []byte, rng *rand.Rand) {
	var v byte
	for i := range pix {
		if i%64 == 0 {
			v = byte(rng.Uint32())
		}
		pix[i] = v
	}
}

// check compares an answer with that of the variant which it names.
func check(all []*subject, frame int, res engine.Result, logits []float32) error {
	for _, s := range all {
		if &s.bundle.Manifest.Labels[0] != &res.Labels[0] {
			continue
		}
		want := s.want[res.Variant][frame]
		for i, v := range logits {
			if v != want[i] {
				return fmt.Errorf("%s, %s, picture %d: output %d is %v, want %v", s.name, res.Variant, frame, i, v, want[i])
			}
		}
		return nil
	}
	return fmt.Errorf("%s answered with labels of no bundle", res.Variant)
}

func scratch() (string, func(), error) {
	dir, err := os.MkdirTemp("", "bench-soak")
	return dir, func() { os.RemoveAll(dir) }, err
}
