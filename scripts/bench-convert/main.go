// Command bench-convert converts whole classifiers and writes what that takes,
// and how well it does, to docs/results/convert.json:
//
//	python scripts/onnx-networks.py --full .cache/networks     export them, with onnxruntime's outputs
//	go run ./scripts/bench-convert .cache/networks [NAME…]
//
// NAME is a network, or family: five depths of a ResNet, or arm64: the bytes of the
// tests' networks, under qemu. All of these unless told.
//
// For each network: the largest error of TFLite against onnxruntime as a share of
// the outputs' range, processor time and peak memory of fathom convert without
// its proof, the size of the file, and the transposes that are left in it.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/fathom-edge/fathom/convert/networktest"
	"github.com/fathom-edge/fathom/convert/reference"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
	"github.com/fathom-edge/fathom/internal/results"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/engine"
)

const (
	output  = "docs/results/convert.json"
	command = "go run ./scripts/bench-convert .cache/networks"
	runs    = 3 // of each conversion
)

// own are the networks whose transposes are the network's own.
var own = []string{"shufflenet", "vit", "swin"}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "bench-convert: name the folder that scripts/onnx-networks.py --full wrote")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench-convert:", err)
		os.Exit(1)
	}
}

func run(folder string, names []string) error {
	if len(names) == 0 {
		paths, err := filepath.Glob(filepath.Join(folder, "*.onnx"))
		if err != nil {
			return err
		}
		for _, p := range paths {
			names = append(names, strings.TrimSuffix(filepath.Base(p), ".onnx"))
		}
		names = append(names, "family", "arm64")
	}
	if len(names) > 1 {
		return each(folder, names)
	}
	scratch, err := os.MkdirTemp("", "bench-convert-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	name := names[0]
	var rows []results.Row
	switch name {
	case "family":
		rows, err = measureFamily(scratch)
	case "arm64":
		rows, err = measureArm64()
	default:
		rows, err = measure(folder, name, scratch)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for i := range rows {
		rows[i].Command, rows[i].Machine = command+" "+name, results.Machine()
	}
	fmt.Fprintln(os.Stderr, name)
	return results.Merge(output, rows)
}

// each measures every network in a process of its own. Linux counts what a process held before it became another program
// to the other's peak of memory, so that one that has run a large network must start no more conversions.
func each(folder string, names []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for _, name := range names {
		c := exec.Command(self, folder, name)
		c.Stdout, c.Stderr = os.Stdout, os.Stderr
		if err := c.Run(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// expected is what scripts/onnx-networks.py wrote beside a model.
type expected struct {
	Input  []int64
	Output []float32
}

func measure(folder, name, scratch string) ([]results.Row, error) {
	model := filepath.Join(folder, name+".onnx")
	info, err := os.Stat(model)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(folder, name+".json"))
	if err != nil {
		return nil, err
	}
	var want expected
	if err := json.Unmarshal(data, &want); err != nil {
		return nil, err
	}
	labels := filepath.Join(scratch, "labels.txt")
	var lines strings.Builder
	for i := range want.Output {
		fmt.Fprintf(&lines, "class %d\n", i)
	}
	if err := os.WriteFile(labels, []byte(lines.String()), 0o600); err != nil {
		return nil, err
	}
	// Without cgo there is no TFLite, and so no proof.
	build := exec.Command("go", "build", "-o", filepath.Join(scratch, "fathom"), "./cmd/fathom")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w: %s", err, text)
	}
	out := filepath.Join(scratch, "bundle")
	var seconds, memory []float64
	for range runs {
		c := exec.Command(filepath.Join(scratch, "fathom"), "convert", model, "--labels", labels, "-o", out)
		if text, err := c.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("fathom convert: %w: %s", err, text)
		}
		usage, ok := c.ProcessState.SysUsage().(*syscall.Rusage)
		if !ok {
			return nil, errors.New("this system does not tell what a process used")
		}
		seconds = append(seconds, (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds())
		memory = append(memory, float64(usage.Maxrss)*1024/float64(info.Size()))
	}
	b, err := bundle.Open(out)
	if err != nil {
		return nil, err
	}
	segment := b.SegmentPath(b.Manifest.Segments[0].ID)
	share, err := difference(segment, want)
	if err != nil {
		return nil, err
	}
	written, err := os.ReadFile(segment)
	if err != nil {
		return nil, err
	}
	ops, transposes := count(written)
	rows := []results.Row{
		row("error/"+name, name+": error against onnxruntime, share of the outputs' range", "", share),
		row("time/"+name, name+": processor time of a conversion, proof apart", "s", seconds...),
		row("memory/"+name, name+": peak memory of a conversion over the model's size", "times", memory...),
		row("size/"+name, name+": size over the model's", "times", float64(len(written))/float64(info.Size())),
		row("operators/"+name, name+": operators", "", float64(ops)),
		row("transposes/"+name, name+": transposes", "", float64(transposes)),
	}
	rows[0].Op, rows[0].Limit = "<=", 1e-4
	if name == "resnet50" {
		rows[1].Op, rows[1].Limit = "<=", 2
		rows[2].Op, rows[2].Limit = "<=", 4
	}
	if !slices.ContainsFunc(own, func(p string) bool { return strings.HasPrefix(name, p) }) {
		rows[5].Op = "<="
	}
	return rows, nil
}

// row holds the median of its samples.
func row(id, what, unit string, samples ...float64) results.Row {
	return results.Row{ID: id, What: what, Unit: unit, Value: results.Median(samples), Samples: samples}
}

// difference runs a segment on the input that onnxruntime had.
func difference(segment string, want expected) (float64, error) {
	shape := make([]int, len(want.Input))
	for i, d := range want.Input {
		shape[i] = int(d)
	}
	n := networktest.Network{Shape: shape, Input: networktest.Input(want.Input)}
	got, err := engine.RunPath([]string{segment}, n.NHWC(), engine.Options{})
	if err != nil {
		return 0, err
	}
	return reference.MaxDifference(got, want.Output) / float64(slices.Max(want.Output)-slices.Min(want.Output)), nil
}

func count(file []byte) (operators, transposes int) {
	model := schema.GetRootAsModel(file, 0)
	var graph schema.SubGraph
	model.Subgraphs(&graph, 0)
	for i := range graph.OperatorsLength() {
		var op schema.Operator
		graph.Operators(&op, i)
		var code schema.OperatorCode
		model.OperatorCodes(&code, int(op.OpcodeIndex()))
		if code.BuiltinCode() == schema.BuiltinOperatorTRANSPOSE {
			transposes++
		}
	}
	return graph.OperatorsLength(), transposes
}
