// Command bench-onnx exports small trained families of every architecture, and compares what onnxruntime makes of them with
// the trainer's outputs; each file must pass onnx.checker. It writes a row for each architecture to
// docs/results/training.json. It needs the Python environment that scripts/onnx-goldens.py describes.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"

	"github.com/fathom-edge/fathom/internal/results"
)

const (
	python    = ".cache/onnx-venv/bin/python"
	tolerance = 1e-4
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench-onnx:", err)
		os.Exit(1)
	}
}

func run() error {
	if _, err := os.Stat(python); err != nil {
		return fmt.Errorf("%w: make it as scripts/onnx-goldens.py says", err)
	}
	dir, err := os.MkdirTemp("", "bench-onnx-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	test := exec.Command("go", "test", "./train", "-count", "1", "-run", "^TestExportEqualsTrainer$")
	test.Env = append(os.Environ(), "GOEXPERIMENT=simd", "CGO_ENABLED=0", "FATHOM_ONNX_CASES="+dir)
	if out, err := test.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	out, err := exec.Command(python, "scripts/onnx-goldens.py", "--verify", dir, "--tolerance", fmt.Sprint(tolerance)).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	samples := map[string][]float64{}
	var order []string
	for _, m := range regexp.MustCompile(`(?m)^(\S+)--\S+: passes onnx.checker, differs by (\S+)$`).FindAllStringSubmatch(string(out), -1) {
		v, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return err
		}
		if samples[m[1]] == nil {
			order = append(order, m[1])
		}
		samples[m[1]] = append(samples[m[1]], v)
	}
	if len(order) == 0 {
		return fmt.Errorf("no family was verified: %s", out)
	}
	var rows []results.Row
	for _, name := range order {
		worst := 0.0
		for _, v := range samples[name] {
			worst = max(worst, v)
		}
		rows = append(rows, results.Row{ID: "onnx/" + name, What: fmt.Sprintf("%s: %d variants pass onnx.checker; largest difference of onnxruntime's logits from the trainer's", name, len(samples[name])),
			Value: worst, Unit: "", Op: "<=", Limit: tolerance, Samples: samples[name], Command: "go run ./scripts/bench-onnx", Machine: results.Machine()})
	}
	return results.Merge("docs/results/training.json", rows)
}
