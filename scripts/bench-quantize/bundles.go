package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"

	"github.com/fathom-edge/fathom/internal/results"
)

// The ways to convert; the calibration images are of the training fonts, and
// choices are made on fonts of the validation split.
var conversions = map[string]string{
	"float32": "bin/fathom convert " + family + " -o " + cache + "float32",
	"float16": "bin/fathom convert " + family + " -o " + cache + "float16 --precision float16",
	"int8":    "bin/fathom convert " + family + " -o " + cache + "int8 --precision int8 --calibration glyphs:train:256 --eval glyphs:validation:600",
}

var precisions = []string{"float32", "float16", "int8"}

// convert makes the bundles.
func convert() ([]results.Row, error) {
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return nil, err
	}
	for _, p := range precisions {
		if _, err := results.Run(conversions[p]); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// evidence is the part of evidence.json that is needed here.
type evidence struct {
	Proof []struct {
		Variant     string
		MaxAbsError float64 `json:"max_abs_error"`
		Kernels     *struct {
			XNNPACK float64
			Builtin *float64
		}
	}
	Quantization *struct {
		Method         string
		BiasCorrection bool `json:"bias_correction"`
		Evaluated      int
		Tried          []struct {
			Method         string
			BiasCorrection bool `json:"bias_correction"`
			Images         int
			WorstDrop      float64 `json:"worst_drop"`
			LogitError     float64 `json:"logit_error"`
		}
		Final []struct {
			Variant string
			Drop    float64
		}
		Kept []string `json:"kept_float"`
	}
}

func readEvidence(precision string) (*evidence, error) {
	data, err := os.ReadFile(cache + precision + "/evidence.json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("the bundles are missing: run  go run ./scripts/bench-quantize convert")
	}
	if err != nil {
		return nil, err
	}
	var e evidence
	return &e, json.Unmarshal(data, &e)
}

// choice is what each way to quantize did on the validation images.
func choice() ([]results.Row, error) {
	e, err := readEvidence("int8")
	if err != nil {
		return nil, err
	}
	q := e.Quantization
	line := conversions["int8"]
	var rows []results.Row
	best := map[bool]float64{false: math.Inf(1), true: math.Inf(1)}
	byMethod := map[string]float64{}
	for _, t := range q.Tried {
		name, with := t.Method, "without"
		if t.BiasCorrection {
			name, with = name+"-corrected", "with"
		}
		about := fmt.Sprintf("ranges by %s, %s bias correction, %d validation images", t.Method, with, t.Images)
		rows = append(rows,
			results.One("logit-error/"+name, "power of the logits' error against that of the logits, "+about, 100*t.LogitError, "%", "", 0, line),
			results.One("worst-drop/"+name, "largest drop of a variant, "+about, t.WorstDrop, "points", "", 0, line))
		best[t.BiasCorrection] = min(best[t.BiasCorrection], t.LogitError)
		if old, ok := byMethod[t.Method]; !ok || t.LogitError < old {
			byMethod[t.Method] = t.LogitError
		}
	}
	chosen := fmt.Sprintf("logit error of the chosen ranges (%s) against that of min-max", q.Method)
	return append(rows,
		results.One("choice-gain", chosen, byMethod[q.Method]/byMethod["min-max"], "", "", 0, line),
		results.One("bias-correction-gain", "logit error of the best way with bias correction against the best without", best[true]/best[false], "", "", 0, line),
		results.One("kept-float", "layers that int8 keeps in float32", float64(len(q.Kept)), "", "", 0, line),
	), nil
}

// size of the bundles.
func size() ([]results.Row, error) {
	var rows []results.Row
	bytes := map[string]float64{}
	for _, p := range precisions {
		line := "bin/fathom inspect " + cache + p + " --json"
		out, err := results.Run(line)
		if err != nil {
			return nil, err
		}
		var i struct {
			TotalBytes float64 `json:"total_bytes"`
		}
		if err := json.Unmarshal([]byte(out), &i); err != nil {
			return nil, fmt.Errorf("%s: %w", line, err)
		}
		bytes[p] = i.TotalBytes
		rows = append(rows, results.One("size/"+p, "segments of the demo family in "+p, i.TotalBytes/1e6, "MB", "", 0, line))
	}
	line := "go run ./scripts/bench-quantize size"
	return append(rows,
		results.One("size-ratio/float16", "float16 bundle against float32", bytes["float16"]/bytes["float32"], "", "<=", 0.55, line),
		results.One("size-ratio/int8", "int8 bundle against float32", bytes["int8"]/bytes["float32"], "", "<=", 0.35, line),
	), nil
}

// kernels is TFLite against the evaluator in Go, as the proof of conversion saw it.
func kernels() ([]results.Row, error) {
	var rows []results.Row
	for _, p := range []string{"float16", "int8"} {
		e, err := readEvidence(p)
		if err != nil {
			return nil, err
		}
		line := conversions[p]
		for _, v := range e.Proof {
			if p == "float16" {
				rows = append(rows, results.One("kernels/float16-"+v.Variant, "TFLite with XNNPACK against the evaluator, float16, "+v.Variant+", largest logit difference", v.Kernels.XNNPACK, "", "<=", 1e-4, line))
				continue
			}
			rows = append(rows,
				results.One("kernels/int8-xnnpack-"+v.Variant, "TFLite with XNNPACK against the evaluator, int8, "+v.Variant+", largest difference in steps of the output", v.Kernels.XNNPACK, "steps", "<=", 0, line),
				results.One("kernels/int8-builtin-"+v.Variant, "TFLite without XNNPACK against the evaluator, int8, "+v.Variant+", largest difference in steps of the output", *v.Kernels.Builtin, "steps", "<=", 0, line))
		}
	}
	return rows, nil
}
