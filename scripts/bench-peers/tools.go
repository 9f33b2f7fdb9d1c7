package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

const (
	ours  = "fathom"
	peers = ".cache/peers" // the virtual environments that scripts/peers.sh makes
)

// tool is a converter as its user calls it.
type tool struct {
	name    string
	args    []string
	results string // pattern of the file that it writes
}

func tools(model, name, labels, scratch string) []tool {
	in := func(parts ...string) string { return filepath.Join(append([]string{scratch}, parts...)...) }
	return []tool{
		{ours, []string{peers + "/fathom", "convert", model, "--labels", labels, "-o", in("fathom")}, in("fathom/segments/*.tflite")},
		{"onnx2tf", []string{peers + "/onnx2tf/bin/onnx2tf", "-i", model, "-o", in("onnx2tf"), "-n"}, in("onnx2tf/*_float32.tflite")},
		{"litert-torch", []string{peers + "/torch/bin/python", "scripts/bench-peers/litert.py", name, in("litert.tflite")}, in("litert.tflite")},
	}
}

// conversion is what a tool made, and what that took.
type conversion struct {
	file               string
	seconds, megabytes float64
}

func (t tool) convert() (*conversion, error) {
	c := exec.Command(t.args[0], t.args[1:]...)
	start := time.Now()
	text, err := c.CombinedOutput()
	took := time.Since(start).Seconds()
	if err != nil {
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		return nil, fmt.Errorf("%w: %s", err, lines[len(lines)-1])
	}
	files, err := filepath.Glob(t.results)
	if err != nil || len(files) != 1 {
		return nil, fmt.Errorf("it wrote %v, want one file like %s", files, t.results)
	}
	usage, ok := c.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return nil, fmt.Errorf("this system does not tell what a process used")
	}
	return &conversion{files[0], took, float64(usage.Maxrss) * 1024 / 1e6}, nil
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
