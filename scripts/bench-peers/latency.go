package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/fathom-edge/fathom/internal/results"
	"github.com/fathom-edge/fathom/runtime/engine"
)

const (
	seconds    = 30  // of runs in turns at most, for each network, precision and runtime
	sessions   = 5   // in each of which the files are opened anew: where memory lies changes latencies by a per cent or two
	rounds     = 200 // at most
	maxRatio   = 1.00
	maxAtUpper = 1.03
)

// control is our file once more: what it takes over ours shows what the machine itself does to a ratio.
const control = ours + " again"

// inTurns are the tools in the order of their runs.
var inTurns = []string{ours, "onnx2tf", "litert-torch", control}

// latencies compares the files that are there of one network, on both runtimes.
func latencies(n network) ([]results.Row, error) {
	var rows []results.Row
	for _, precision := range []string{"float32", "int8"} {
		files := map[string]string{}
		for _, t := range inTurns {
			file := n.made(strings.TrimSuffix(t, " again"), precision)
			if _, err := os.Stat(file); err == nil {
				files[t] = file
			}
		}
		if files[ours] == "" {
			fmt.Fprintf(os.Stderr, "%s is not there: no latencies in %s (run the parts convert and int8)\n", n.made(ours, precision), precision)
			continue
		}
		here, err := paired(maps.Clone(files))
		if err != nil {
			return nil, err
		}
		there, err := pairedInPython(files)
		if err != nil {
			return nil, err
		}
		rows = append(rows, ratios("tflite-"+precision, precision+" on our TFLite", here)...)
		rows = append(rows, ratios("litert-"+precision, precision+" on the newest LiteRT", there)...)
	}
	return rows, nil
}

// paired runs the files that our TFLite loads in turns, every other round in reverse: ms by tool.
func paired(files map[string]string) (map[string][]float64, error) {
	samples := map[string][]float64{}
	order := slices.Clone(inTurns)
	for range sessions {
		if err := session(files, order, samples); err != nil {
			return nil, err
		}
		order = append(order[1:], order[0])
	}
	return samples, nil
}

// session opens the files in the given order and runs them.
func session(files map[string]string, order []string, samples map[string][]float64) error {
	type runner struct {
		tool  string
		model *engine.Model
		input []float32
	}
	var models []runner
	for _, tool := range order {
		if files[tool] == "" {
			continue
		}
		m, input, err := opened(files[tool])
		if err != nil {
			fmt.Fprintf(os.Stderr, "our TFLite does not run %s: %v\n", files[tool], err)
			delete(files, tool)
			continue
		}
		defer m.Close()
		models = append(models, runner{tool, m, input})
	}
	end := time.Now().Add(seconds * time.Second / sessions)
	for i := 0; i < rounds/sessions && time.Now().Before(end); i++ {
		for _, r := range models {
			start := time.Now()
			if _, err := r.model.Run(r.input); err != nil {
				return err
			}
			samples[r.tool] = append(samples[r.tool], time.Since(start).Seconds()*1e3)
		}
		slices.Reverse(models)
	}
	return nil
}

// opened is a file that our TFLite has loaded and run once, and the input that it ran on.
func opened(file string) (*engine.Model, []float32, error) {
	m, err := engine.OpenModel(file, engine.Options{})
	if err != nil {
		return nil, nil, err
	}
	size := 1
	for _, d := range m.InputShape() {
		size *= d
	}
	input := slices.Repeat([]float32{0.5}, size)
	if _, err := m.Run(input); err != nil {
		m.Close()
		return nil, nil, err
	}
	return m, input, nil
}

// pairedInPython does the same in the newest LiteRT that Python brings.
func pairedInPython(files map[string]string) (map[string][]float64, error) {
	args := []string{"scripts/bench-peers/latency.py", fmt.Sprint(seconds), fmt.Sprint(rounds), fmt.Sprint(sessions)}
	for _, tool := range inTurns {
		if files[tool] != "" {
			args = append(args, tool+"="+files[tool])
		}
	}
	c := exec.Command(python, args...)
	c.Stderr = os.Stderr
	text, err := c.Output()
	if err != nil {
		return nil, err
	}
	samples := map[string][]float64{}
	return samples, json.Unmarshal(text, &samples)
}

// ratios compares ours with the fastest peer's, pair by pair, and with itself.
func ratios(id, where string, samples map[string][]float64) []results.Row {
	var rows []results.Row
	best := ""
	for _, tool := range []string{ours, "onnx2tf", "litert-torch"} {
		if len(samples[tool]) == 0 {
			continue
		}
		rows = append(rows, row(id+"-ms-"+tool, "latency of "+tool+"'s file, "+where, "ms", samples[tool]...))
		if tool != ours && (best == "" || results.Median(samples[tool]) < results.Median(samples[best])) {
			best = tool
		}
	}
	rows = append(rows, row(id+"-control", "latency over that of the same file opened once more, "+where, "", over(samples[ours], samples[control])...))
	if best == "" {
		return rows
	}
	ratio := over(samples[ours], samples[best])
	value := row(id+"-ratio", "latency over the best peer's ("+best+"), "+where, "", ratio...)
	value.Op, value.Limit = "<=", maxRatio
	upper := row(id+"-upper", "upper end of the 95 % interval of that ratio, "+where, "", results.MedianInterval(ratio).High)
	upper.Op, upper.Limit = "<=", maxAtUpper
	return append(rows, value, upper)
}

func over(a, b []float64) []float64 {
	ratio := make([]float64, len(a))
	for i := range ratio {
		ratio[i] = a[i] / b[i]
	}
	return ratio
}
