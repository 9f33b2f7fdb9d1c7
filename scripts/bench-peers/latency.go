package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/fathom-edge/fathom/internal/results"
	"github.com/fathom-edge/fathom/runtime/engine"
)

const (
	pairs      = 60   // runs of each file, in turns
	resamples  = 2000 // of the bootstrap
	maxRatio   = 1.00
	maxAtUpper = 1.03
)

// made is a result that our TFLite runs.
type made struct {
	tool, file string
	model      *engine.Model
	input      []float32
}

// paired runs all files in turns on our TFLite.
func paired(files []made) ([]results.Row, error) {
	samples := map[string][]float64{}
	for range pairs {
		for _, f := range files {
			start := time.Now()
			if _, err := f.model.Run(f.input); err != nil {
				return nil, err
			}
			samples[f.tool] = append(samples[f.tool], time.Since(start).Seconds()*1e3)
		}
	}
	return ratios("latency", "our TFLite", samples), nil
}

// pairedInPython does the same in the newest TFLite that Python brings.
func pairedInPython(files []made) ([]results.Row, error) {
	args := []string{"scripts/bench-peers/latency.py", fmt.Sprint(pairs)}
	for _, f := range files {
		args = append(args, f.tool+"="+f.file)
	}
	c := exec.Command(filepath.Join(peers, "torch/bin/python"), args...)
	c.Stderr = os.Stderr
	text, err := c.Output()
	if err != nil {
		return nil, err
	}
	samples := map[string][]float64{}
	if err := json.Unmarshal(text, &samples); err != nil {
		return nil, err
	}
	return ratios("litert", "the newest LiteRT", samples), nil
}

// ratios compares ours with the fastest peer's, pair by pair.
func ratios(id, where string, samples map[string][]float64) []results.Row {
	var rows []results.Row
	best := ""
	for _, tool := range []string{ours, "onnx2tf", "litert-torch"} {
		if len(samples[tool]) == 0 {
			continue
		}
		rows = append(rows, row(id+"-"+tool, "latency of the file of "+tool+" on "+where, "ms", samples[tool]...))
		if tool != ours && (best == "" || median(samples[tool]) < median(samples[best])) {
			best = tool
		}
	}
	if best == "" {
		return rows
	}
	ratio := make([]float64, len(samples[ours]))
	for i := range ratio {
		ratio[i] = samples[ours][i] / samples[best][i]
	}
	value := row(id+"-ratio", "latency over the best peer's ("+best+") on "+where, "", ratio...)
	value.Op, value.Limit = "<=", maxRatio
	upper := row(id+"-upper", "upper end of the 95 % interval of that ratio on "+where, "", upperEnd(ratio))
	upper.Op, upper.Limit = "<=", maxAtUpper
	return append(rows, value, upper)
}

// upperEnd is that of the 95 % interval of the median, by bootstrap.
func upperEnd(ratio []float64) float64 {
	random := rand.New(rand.NewPCG(1, 0))
	medians, again := make([]float64, resamples), make([]float64, len(ratio))
	for i := range medians {
		for k := range again {
			again[k] = ratio[random.IntN(len(ratio))]
		}
		medians[i] = median(again)
	}
	slices.Sort(medians)
	return medians[resamples*975/1000]
}
