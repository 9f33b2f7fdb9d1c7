package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

const (
	ours     = "fathom"
	repeats  = 9                // of a conversion, at most
	enough   = 30 * time.Second // of conversions, for none to be repeated any more
	patience = time.Hour
	python   = peers + "/torch/bin/python"
	meanFlag = "0.485,0.456,0.406"
	stdFlag  = "0.229,0.224,0.225"
)

// tool is a converter as its user calls it.
type tool struct {
	name    string
	args    []string
	out     string // what it writes
	results string // pattern of the file of the network, in out
}

// floatTools convert a network as it is; onnx2tf gets it with a batch of one (see fixed).
func floatTools(n network, scratch string) []tool {
	in := func(name string) string { return filepath.Join(scratch, name) }
	return []tool{
		{ours, []string{peers + "/fathom", "convert", n.model, "--labels", in("labels.txt"), "-o", in("fathom")}, in("fathom"), "segments/*.tflite"},
		{"onnx2tf", []string{peers + "/onnx2tf/bin/onnx2tf", "-i", in("fixed.onnx"), "-o", in("onnx2tf"), "-n"}, in("onnx2tf"), "*_float32.tflite"},
		{"litert-torch", []string{python, "scripts/bench-peers/litert.py", n.name, in("litert.tflite")}, in("litert.tflite"), ""},
	}
}

// int8Tools quantize a network, or what a peer made of it, with the same images.
func int8Tools(n network, scratch string) []tool {
	in := func(name string) string { return filepath.Join(scratch, name) }
	list := func(s string) string { return "[[[[" + s + "]]]]" }
	return []tool{
		{ours, []string{peers + "/fathom", "convert", n.model, "--labels", in("labels.txt"), "--mean", meanFlag, "--std", stdFlag,
			"--precision", "int8", "--calibration", in("images"), "-o", in("fathom")}, in("fathom"), "segments/*.tflite"},
		{"onnx2tf", []string{peers + "/onnx2tf/bin/onnx2tf", "-i", in("fixed.onnx"), "-o", in("onnx2tf"), "-n", "-oiqt",
			"-cind", "image", in("calibration.npy"), list(meanFlag), list(stdFlag)}, in("onnx2tf"), "*_full_integer_quant.tflite"},
		{"litert-torch", []string{python, "scripts/bench-peers/quantize.py", n.made("litert-torch", "float32"), in("calibration.npy"), in("litert.tflite")},
			in("litert.tflite"), ""},
	}
}

// conversion is what a tool made, and what that took.
type conversion struct {
	seconds   []float64
	processor []float64 // seconds, of all cores
	megabytes float64
}

// convert runs the tool, more than once if that takes little, and keeps its result as file. What was there to be written to
// the disk before is there before each run.
func (t tool) convert(file string) (*conversion, error) {
	if err := os.RemoveAll(file); err != nil {
		return nil, err
	}
	var made conversion
	for began := time.Now(); len(made.seconds) == 0 || len(made.seconds) < repeats && time.Since(began) < enough; {
		if err := os.RemoveAll(t.out); err != nil {
			return nil, err
		}
		unix.Sync()
		u, err := measured(t.args)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.name, err)
		}
		made.seconds = append(made.seconds, u.Seconds)
		made.processor = append(made.processor, u.Processor)
		made.megabytes = max(made.megabytes, u.Megabytes)
	}
	files, err := filepath.Glob(filepath.Join(t.out, t.results))
	if err != nil || len(files) != 1 {
		return nil, fmt.Errorf("it wrote %v, want one file like %s/%s", files, t.out, t.results)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		return nil, err
	}
	return &made, os.WriteFile(file, data, 0o644)
}

// inspect counts the operators of a file.
func inspect(path string) (operators, transposes, size float64, err error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, 0, err
	}
	model := schema.GetRootAsModel(file, 0)
	var graph schema.SubGraph
	model.Subgraphs(&graph, 0)
	for i := range graph.OperatorsLength() {
		var op schema.Operator
		var code schema.OperatorCode
		graph.Operators(&op, i)
		model.OperatorCodes(&code, int(op.OpcodeIndex()))
		if code.BuiltinCode() == schema.BuiltinOperatorTRANSPOSE {
			transposes++
		}
	}
	return float64(graph.OperatorsLength()), transposes, float64(len(file)), nil
}
