// Command bench-preprocess measures what docs/results/preprocess.json states of
// package preprocess: the time from a 640x480 frame to a 224x224 tensor, per kind of
// frame and beside what else Go has for it without libjpeg.
//
//	go run ./scripts/bench-preprocess           everything (under a minute)
//	go run ./scripts/bench-preprocess kinds     only this part
//
// Run it from the repository's root, on a quiet machine.
package main

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/fathom-edge/fathom/internal/results"
	"github.com/fathom-edge/fathom/runtime/preprocess"
)

const (
	output        = "docs/results/preprocess.json"
	width, height = 640, 480
	side          = 224
	rounds        = 61 // of which each runs everything once, in turn
)

func main() {
	os.Exit(results.Bench("bench-preprocess", output, []results.Part{
		{Name: "kinds", Measure: kinds},
		{Name: "others", Measure: others},
		{Name: "allocations", Measure: allocations},
	}, os.Args[1:], os.Stderr))
}

// spec is what networks trained on ImageNet take.
func spec() preprocess.Spec {
	return preprocess.Spec{Width: side, Height: side, Channels: "RGB", Fit: preprocess.FitCrop,
		Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225}}
}

// ways are the kinds of frames and of tensors that a Preprocessor knows.
func ways() (names []string, run []func() error, err error) {
	p, err := preprocess.New(spec())
	if err != nil {
		return nil, nil, err
	}
	floats, codes := make([]float32, p.Spec().Len()), make([]int8, p.Spec().Len())
	all, err := frames()
	if err != nil {
		return nil, nil, err
	}
	for _, f := range all {
		names = append(names, f.name, f.name+"-int8")
		run = append(run, func() error { return p.Apply(floats, f.img) },
			func() error { return p.ApplyInt8(codes, preprocess.Quantization{Scale: 0.0186, ZeroPoint: -14}, f.img) })
	}
	return names, run, nil
}

func kinds() ([]results.Row, error) {
	names, run, err := ways()
	if err != nil {
		return nil, err
	}
	times, err := interleaved(run)
	if err != nil {
		return nil, err
	}
	var rows []results.Row
	for i, name := range names {
		ms := times[i]
		perMegapixel := make([]float64, len(ms))
		for k, v := range ms {
			perMegapixel[k] = v / (width * height) * 1e6
		}
		rows = append(rows,
			results.Row{ID: "time/" + name, What: fmt.Sprintf("%dx%d → %dx%d, %s", width, height, side, side, name),
				Value: results.Median(ms), Unit: "ms", Samples: ms},
			results.Row{ID: "megapixel/" + name, What: fmt.Sprintf("per megapixel of the frame, %s", name),
				Value: results.Median(perMegapixel), Unit: "ms", Samples: perMegapixel})
	}
	return rows, nil
}

// others compares in pairs: each sample is the time of the other by ours of the same round.
func others() ([]results.Row, error) {
	p, err := preprocess.New(spec())
	if err != nil {
		return nil, err
	}
	tensor := make([]float32, p.Spec().Len())
	all, err := frames()
	if err != nil {
		return nil, err
	}
	var rows []results.Row
	for _, f := range all {
		if f.name != "rgba" && f.name != "ycbcr-420" {
			continue // the others know these two
		}
		names, run := peers(f.img, tensor)
		run = append(run, func() error { return p.Apply(tensor, f.img) })
		times, err := interleaved(run)
		if err != nil {
			return nil, err
		}
		ours := times[len(times)-1]
		for i, name := range names {
			factors := make([]float64, rounds)
			for k := range factors {
				factors[k] = times[i][k] / ours[k]
			}
			rows = append(rows, results.Row{
				ID: "factor-" + f.name + "/" + name, Value: results.Median(factors), Unit: "×", Op: ">=", Limit: 1, Samples: factors,
				What: fmt.Sprintf("%s: time of %s and a loop that normalizes, by ours", f.name, name),
			})
		}
	}
	return rows, nil
}

func allocations() ([]results.Row, error) {
	names, run, err := ways()
	if err != nil {
		return nil, err
	}
	worst, which := 0.0, "none"
	for i, f := range run {
		if n := testing.AllocsPerRun(20, func() { err = f() }); n > worst {
			worst, which = n, names[i]
		}
		if err != nil {
			return nil, err
		}
	}
	return []results.Row{{ID: "allocations", What: fmt.Sprintf("allocations per frame, all kinds (worst: %s)", which),
		Value: worst, Unit: "", Op: "<=", Limit: 0, Samples: []float64{worst}}}, nil
}

// interleaved times each function once per round, in milliseconds, after a round that does not count.
func interleaved(run []func() error) ([][]float64, error) {
	times := make([][]float64, len(run))
	for round := range rounds + 1 {
		for i, f := range run {
			began := time.Now()
			if err := f(); err != nil {
				return nil, err
			}
			if round > 0 {
				times[i] = append(times[i], time.Since(began).Seconds()*1e3)
			}
		}
	}
	return times, nil
}
