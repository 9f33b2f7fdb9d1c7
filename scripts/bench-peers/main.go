// Command bench-peers converts whole classifiers with fathom, onnx2tf and
// litert-torch and compares what each takes and makes:
//
//	scripts/peers.sh                                   installs the peers, exports the networks, runs this
//	go run ./scripts/bench-peers .cache/networks [NAME…]
//
// For each network and tool: whether it converts, time from start to end and peak
// memory of the process, the largest error against onnxruntime as a share of the
// outputs' range, size, operators and transposes, and the latency on our own
// TFLite and on the newest that Python brings, in paired runs that take turns. A
// result that our TFLite does not load is listed as such and not compared.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fathom-edge/fathom/convert/networktest"
	"github.com/fathom-edge/fathom/convert/reference"
	"github.com/fathom-edge/fathom/internal/results"
	"github.com/fathom-edge/fathom/runtime/engine"
)

const (
	output  = "docs/results/convert-peers.json"
	command = "go run ./scripts/bench-peers .cache/networks"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: bench-peers FOLDER NAME… (networks that scripts/onnx-networks.py --full wrote)")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench-peers:", err)
		os.Exit(1)
	}
}

func run(folder string, names []string) error {
	scratch, err := os.MkdirTemp("", "bench-peers-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	for _, name := range names {
		want, err := readExpected(filepath.Join(folder, name+".json"))
		if err != nil {
			return err
		}
		rows, err := compare(filepath.Join(folder, name+".onnx"), name, want, filepath.Join(scratch, name))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for i := range rows {
			rows[i].ID += "/" + name
			rows[i].What = name + ": " + rows[i].What
			rows[i].Command, rows[i].Machine = command+" "+name, results.Machine()+", shared with other work"
		}
		if err := results.Merge(output, rows); err != nil {
			return err
		}
	}
	return nil
}

// expected is what scripts/onnx-networks.py wrote beside a model.
type expected struct {
	Input  []int64
	Output []float32
}

func readExpected(path string) (want expected, err error) {
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &want)
	}
	return want, err
}

// compare converts one network with every tool.
func compare(model, name string, want expected, scratch string) ([]results.Row, error) {
	if err := os.MkdirAll(scratch, 0o755); err != nil {
		return nil, err
	}
	labels := filepath.Join(scratch, "labels.txt")
	var lines strings.Builder
	for i := range want.Output {
		fmt.Fprintf(&lines, "class %d\n", i)
	}
	if err := os.WriteFile(labels, []byte(lines.String()), 0o644); err != nil {
		return nil, err
	}
	var rows []results.Row
	var files, all []made // files are those that our TFLite runs; ours first in both
	var seconds []float64
	for _, tool := range tools(model, name, labels, scratch) {
		c, err := tool.convert()
		rows = append(rows, row("converts-"+tool.name, tool.name+" converts it", "", bit(err == nil)))
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %s: %v\n", name, tool.name, err)
			continue
		}
		ops, transposes, size, err := inspect(c.file)
		if err != nil {
			return nil, err
		}
		rows = append(rows,
			row("time-"+tool.name, "conversion by "+tool.name+", start to end, proof apart", "s", c.seconds),
			row("memory-"+tool.name, "peak memory of "+tool.name, "MB", c.megabytes),
			row("size-"+tool.name, "size by "+tool.name, "MB", size/1e6),
			row("operators-"+tool.name, "operators by "+tool.name, "", ops),
			row("transposes-"+tool.name, "transposes by "+tool.name, "", transposes))
		if tool.name != ours {
			seconds = append(seconds, c.seconds)
		} else {
			seconds = append([]float64{c.seconds}, seconds...)
		}
		all = append(all, made{tool: tool.name, file: c.file})
		m, err := engine.OpenModel(c.file, engine.Options{})
		rows = append(rows, row("loads-"+tool.name, "our TFLite loads the file of "+tool.name, "", bit(err == nil)))
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %s: %v\n", name, tool.name, err)
			continue
		}
		defer m.Close()
		input := arranged(want.Input, m.InputShape())
		got, err := m.Run(input)
		if err != nil {
			return nil, err
		}
		r := row("error-"+tool.name, "error of "+tool.name+" against onnxruntime, share of the outputs' range", "",
			reference.MaxDifference(got, want.Output)/float64(slices.Max(want.Output)-slices.Min(want.Output)))
		if tool.name == ours {
			r.Op, r.Limit = "<=", 1e-4
		}
		rows = append(rows, r)
		files = append(files, made{tool.name, c.file, m, input})
	}
	if len(files) == 0 || files[0].tool != ours {
		return nil, errors.New("fathom's own result does not run")
	}
	if len(seconds) > 1 {
		r := row("speed", "time of the fastest peer over fathom's", "times", slices.Min(seconds[1:])/seconds[0])
		r.Op, r.Limit = ">=", 20
		rows = append(rows, r)
	}
	latencies, err := paired(files)
	if err != nil {
		return nil, err
	}
	rows = append(rows, latencies...)
	newest, err := pairedInPython(all)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: newest TFLite: %v\n", name, err)
	}
	return append(rows, newest...), nil
}

// arranged is the network's input in the layout that a file wants.
func arranged(dims []int64, shape []int) []float32 {
	nchw := networktest.Input(dims)
	if len(shape) == 4 && shape[1] == 3 && shape[3] != 3 {
		return nchw
	}
	n := networktest.Network{Input: nchw}
	for _, d := range dims {
		n.Shape = append(n.Shape, int(d))
	}
	return n.NHWC()
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// row holds the median of its samples.
func row(id, what, unit string, samples ...float64) results.Row {
	return results.Row{ID: id, What: what, Unit: unit, Value: median(samples), Samples: samples}
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if len(sorted) == 0 {
		return math.NaN()
	}
	return sorted[len(sorted)/2]
}
