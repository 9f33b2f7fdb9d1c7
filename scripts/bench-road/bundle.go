package main

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/fathom-edge/fathom/internal/results"
)

// evaluation is the part of what fathom eval --json prints that is needed here.
type evaluation struct {
	Variants []struct {
		Name            string
		Samples         int
		Top1, Low, High float64
		Against         *struct {
			Samples     int
			MaxAbsError float64 `json:"max_abs_error"`
		}
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
	if len(e.Variants) < 2 {
		return nil, fmt.Errorf("%s: %d variants, want at least 2", line, len(e.Variants))
	}
	return &e, nil
}

// accuracy is top-1 of every variant on the held-out fonts, with TFLite.
func accuracy() ([]results.Row, error) {
	const line = "bin/fathom eval " + demo + " glyphs:test:10200 --json"
	e, err := evaluate(line)
	if err != nil {
		return nil, err
	}
	var rows []results.Row
	rise := math.Inf(1)
	for i, v := range e.Variants {
		what := fmt.Sprintf("top-1 of %s on held-out fonts, %d samples, 95 %% interval %.1f … %.1f %%", v.Name, v.Samples, 100*v.Low, 100*v.High)
		r := results.One("accuracy/"+v.Name, what, 100*v.Top1, "%", "", 0, line)
		if i == len(e.Variants)-1 {
			r.Op, r.Limit = ">=", 95
		}
		if i > 0 {
			rise = min(rise, 100*(v.Top1-e.Variants[i-1].Top1))
		}
		rows = append(rows, r)
	}
	span := 100 * (e.Variants[len(e.Variants)-1].Top1 - e.Variants[0].Top1)
	return append(rows,
		results.One("accuracy-span", "deepest variant above the shallowest", span, "points", ">=", 5, line),
		results.One("accuracy-rise", "smallest step up along the ladder", rise, "points", ">=", 0.01, line),
	), nil
}

// reference is the largest difference of any logit between TFLite and the slow evaluator of the same ONNX.
func reference() ([]results.Row, error) {
	const line = "bin/fathom eval " + demo + " glyphs:test:64 --against " + family + " --against-samples 64 --json"
	e, err := evaluate(line)
	if err != nil {
		return nil, err
	}
	var rows []results.Row
	for _, v := range e.Variants {
		if v.Against == nil {
			return nil, fmt.Errorf("%s: no comparison for %s", line, v.Name)
		}
		what := fmt.Sprintf("TFLite against the reference, %s, largest logit difference of %d samples", v.Name, v.Against.Samples)
		rows = append(rows, results.One("reference/"+v.Name, what, v.Against.MaxAbsError, "", "<=", 1e-4, line))
	}
	return rows, nil
}

// size is what sharing leaves of the bundle.
func size() ([]results.Row, error) {
	const line = "bin/fathom inspect " + demo + " --json"
	out, err := results.Run(line)
	if err != nil {
		return nil, err
	}
	var i struct {
		TotalBytes float64 `json:"total_bytes"`
		Ratio      float64
	}
	if err := json.Unmarshal([]byte(out), &i); err != nil {
		return nil, fmt.Errorf("%s: %w", line, err)
	}
	return []results.Row{
		results.One("size-ratio", "all variants together against the deepest of each net alone", i.Ratio, "", "<=", 1.15, line),
		results.One("size-bytes", "segments of the demo bundle", i.TotalBytes/1e6, "MB", "<=", 3, line),
	}, nil
}
