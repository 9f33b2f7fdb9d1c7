package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fathom-edge/fathom/internal/results"
)

// evaluation is the part of what fathom eval --json prints that is needed here.
type evaluation struct {
	Variants []struct {
		Name        string
		Samples     int
		Top1        float64
		MeanLatency float64 `json:"mean_latency_ns"`
	}
}

func evaluate(line string) (*evaluation, error) {
	out, err := results.Run(line)
	if err != nil {
		return nil, err
	}
	var e evaluation
	if err := json.Unmarshal([]byte(out), &e); err != nil {
		return nil, fmt.Errorf("%s: %w", line, err)
	}
	return &e, nil
}

// accuracy compares top-1 on the same held-out images, with TFLite.
func accuracy() ([]results.Row, error) {
	const images = "glyphs:test:6800"
	exact, err := evaluate("bin/fathom eval " + cache + "float32 " + images + " --json")
	if err != nil {
		return nil, err
	}
	var rows []results.Row
	for _, p := range precisions[1:] {
		line := "bin/fathom eval " + cache + p + " " + images + " --json"
		e, err := evaluate(line)
		if err != nil {
			return nil, err
		}
		for i, v := range e.Variants {
			want := exact.Variants[i]
			what := fmt.Sprintf("top-1 that %s loses against float32, %s, %d held-out images (%.2f %% and %.2f %%)", p, v.Name, v.Samples, 100*want.Top1, 100*v.Top1)
			rows = append(rows, results.One("drop/"+p+"-"+v.Name, what, 100*(want.Top1-v.Top1), "points", "<=", 1, line))
		}
	}
	return rows, nil
}

// latencyRounds is how often the precisions take turns.
const latencyRounds = 9

// latency compares mean latencies of runs that take turns; a round's ratio is
// one sample, and the value is the median.
func latency() ([]results.Row, error) {
	const images = " glyphs:test:100 --json"
	ratios := map[string]map[string][]float64{}
	var order []string
	for range latencyRounds {
		var exact *evaluation
		for _, p := range precisions {
			e, err := evaluate("bin/fathom eval " + cache + p + images)
			if err != nil {
				return nil, err
			}
			if p == "float32" {
				exact = e
				continue
			}
			if ratios[p] == nil {
				ratios[p] = map[string][]float64{}
			}
			for i, v := range e.Variants {
				ratios[p][v.Name] = append(ratios[p][v.Name], v.MeanLatency/exact.Variants[i].MeanLatency)
				if !slices.Contains(order, v.Name) {
					order = append(order, v.Name)
				}
			}
		}
	}
	var rows []results.Row
	for _, p := range precisions[1:] {
		for _, name := range order {
			samples := ratios[p][name]
			sorted := slices.Sorted(slices.Values(samples))
			what := fmt.Sprintf("latency of %s against float32, %s, 1 thread, median of %d interleaved rounds of 100 images (quartiles %.2f and %.2f; the machine was shared)",
				p, name, len(samples), sorted[len(sorted)/4], sorted[len(sorted)*3/4])
			rows = append(rows, results.Row{ID: "latency/" + p + "-" + name, What: what, Value: sorted[len(sorted)/2], Samples: samples, Command: "go run ./scripts/bench-quantize latency"})
		}
	}
	return rows, nil
}

// arm64 counts the images on which logits differ between amd64 and arm64.
func arm64() ([]results.Row, error) {
	line := "scripts/qemu-logits.sh " + cache + "int8 48"
	out, err := results.Run(line)
	if err != nil {
		return nil, err
	}
	same := regexp.MustCompile(`^\S+ (\S+): same (\d+) of (\d+), apart \S+$`)
	var rows []results.Row
	for text := range strings.Lines(out) {
		m := same.FindStringSubmatch(strings.TrimSpace(text))
		if m == nil {
			return nil, fmt.Errorf("%s: cannot read %q", line, text)
		}
		n, _ := strconv.Atoi(m[2])
		all, _ := strconv.Atoi(m[3])
		rows = append(rows, results.One("arm64/"+m[1], fmt.Sprintf("images of %d on which int8 logits differ between amd64 and arm64 under qemu, both with XNNPACK, %s", all, m[1]), float64(all-n), "", "<=", 0, line))
	}
	return rows, nil
}
