package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/fathom-edge/fathom/convert/reference"
	"github.com/fathom-edge/fathom/internal/results"
)

// convertAll converts one network with every tool.
func convertAll(n network) ([]results.Row, error) {
	scratch, err := os.MkdirTemp("", "bench-peers-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	if err := n.labels(filepath.Join(scratch, "labels.txt")); err != nil {
		return nil, err
	}
	input := filepath.Join(scratch, "input.npy")
	if err := writeNPY(input, []int{1, n.size, n.size, 3}, n.input()); err != nil {
		return nil, err
	}
	if err := n.fixed(filepath.Join(scratch, "fixed.onnx")); err != nil {
		return nil, err
	}
	var rows []results.Row
	conversions := map[string]*conversion{}
	for _, t := range chosen(floatTools(n, scratch)) {
		more, made, err := n.convert(t, "float32", input)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
		if made != nil {
			conversions[t.name] = made
		}
	}
	return append(rows, speeds(n.name, conversions)...), nil
}

// speeds compares the fastest peer with ours, if there are both.
func speeds(name string, made map[string]*conversion) []results.Row {
	own := made[ours]
	delete(made, ours)
	if own == nil || len(made) == 0 {
		return nil
	}
	least := func(of func(*conversion) []float64) float64 {
		fastest := math.Inf(1)
		for _, c := range made {
			fastest = min(fastest, results.Median(of(c)))
		}
		return fastest / results.Median(of(own))
	}
	wall := row("speed", "time of the fastest peer over fathom's", "times", least(func(c *conversion) []float64 { return c.seconds }))
	if name == "resnet50" {
		wall.Op, wall.Limit = ">=", 20
	}
	return []results.Row{wall,
		row("processor-ratio", "processor time of the thriftiest peer over fathom's", "times", least(func(c *conversion) []float64 { return c.processor }))}
}

// convert tells what one tool takes and makes; made is nil if it makes nothing.
func (n network) convert(t tool, precision, input string) (rows []results.Row, made *conversion, err error) {
	of := func(id, what, unit string, samples ...float64) results.Row {
		return row(id+"-"+t.name+"-"+precision, fmt.Sprintf(what, t.name)+", "+precision, unit, samples...)
	}
	file := n.made(t.name, precision)
	made, err = t.convert(file)
	rows = append(rows, of("converts", "%s converts it", "", bit(err == nil)))
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, nil, err
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %s: %v\n", n.name, t.name, err)
		if t.name == ours {
			return nil, nil, err
		}
		return rows, nil, nil
	}
	ops, transposes, size, err := inspect(file)
	if err != nil {
		return nil, nil, err
	}
	m, _, err := opened(file)
	if err == nil {
		m.Close()
	}
	rows = append(rows,
		of("time", "conversion by %s, start to end, proof apart", "s", made.seconds...),
		of("processor", "processor time of the conversion by %s, proof apart", "s", made.processor...),
		of("memory", "peak memory of %s", "MB", made.megabytes),
		of("size", "size by %s", "MB", size/1e6),
		of("operators", "operators by %s", "", ops),
		of("transposes", "transposes by %s", "", transposes),
		of("loads", "our TFLite loads and runs the file of %s", "", bit(err == nil)))
	if precision == "float32" {
		got, err := outputs(input, file)
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: the file of %s does not run: %v\n", n.name, t.name, err)
			return rows, made, nil
		}
		r := of("error", "error of %s against onnxruntime on the newest LiteRT, share of the outputs' range", "",
			reference.MaxDifference(got[0][0], n.output)/float64(slices.Max(n.output)-slices.Min(n.output)))
		if t.name == ours {
			r.Op, r.Limit = "<=", 1e-4
		}
		rows = append(rows, r)
	}
	return rows, made, nil
}

// outputs runs files, TFLite or ONNX, on the inputs of an NPY file: the outputs by file and input.
func outputs(inputs string, files ...string) ([][][]float32, error) {
	c := exec.Command(python, append([]string{"scripts/bench-peers/outputs.py", inputs}, files...)...)
	c.Stderr = os.Stderr
	text, err := c.Output()
	if err != nil {
		return nil, err
	}
	var values [][][]float32
	return values, json.Unmarshal(text, &values)
}
