// Package networktest makes whole classifiers for tests: graphs that PyTorch
// exported, whose weights are made anew from a seed, with an input and
// onnxruntime's output for it. See scripts/onnx-networks.py.
package networktest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// Network is one classifier.
type Network struct {
	Name  string
	Model *onnx.ModelProto
	// Input is the image [1, 3, H, W] in NCHW, Output what onnxruntime makes of it.
	Shape  []int
	Input  []float32
	Output []float32
}

// Names lists the networks in a folder.
func Names(dir string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.onnx.gz"))
	if err == nil && len(paths) == 0 {
		err = fmt.Errorf("networktest: no networks in %s", dir)
	}
	var names []string
	for _, p := range paths {
		names = append(names, strings.TrimSuffix(filepath.Base(p), ".onnx.gz"))
	}
	return names, err
}

// Load reads one network and makes its weights and input.
func Load(dir, name string) (*Network, error) {
	n := &Network{Name: name, Model: new(onnx.ModelProto)}
	packed, err := os.ReadFile(filepath.Join(dir, name+".onnx.gz"))
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	if err := proto.Unmarshal(data, n.Model); err != nil {
		return nil, err
	}
	for i, t := range n.Model.Graph.Initializer {
		if t.DocString == "" {
			continue
		}
		var index uint64
		var low, high float64
		if _, err := fmt.Sscan(t.DocString, &index, &low, &high); err != nil {
			return nil, fmt.Errorf("networktest: %s: %q: %w", name, t.Name, err)
		}
		n.Model.Graph.Initializer[i] = onnx.FloatTensor(t.Name, t.Dims, made(index, low, high, t.Dims))
	}
	expected, err := os.ReadFile(filepath.Join(dir, name+".json"))
	if err != nil {
		return nil, err
	}
	var e struct {
		Input  []int64
		Output []float32
	}
	if err := json.Unmarshal(expected, &e); err != nil {
		return nil, err
	}
	for _, d := range e.Input {
		n.Shape = append(n.Shape, int(d))
	}
	n.Input, n.Output = Input(e.Input), e.Output
	return n, nil
}

// Input makes the input of a network.
func Input(dims []int64) []float32 { return made(0, -2, 2, dims) }

// NHWC is the input with its channels last.
func (n *Network) NHWC() []float32 {
	channels, pixels := n.Shape[1], n.Shape[2]*n.Shape[3]
	out := make([]float32, len(n.Input))
	for c := range channels {
		for p := range pixels {
			out[p*channels+c] = n.Input[c*pixels+p]
		}
	}
	return out
}

// made gives uniform values: SplitMix64 of index and position, 24 bits each.
func made(index uint64, low, high float64, dims []int64) []float32 {
	count := int64(1)
	for _, d := range dims {
		count *= d
	}
	values := make([]float32, count)
	for i := range values {
		z := index<<32 + uint64(i) + 0x9E3779B97F4A7C15
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		z ^= z >> 31
		values[i] = float32(low + float64((high-low)*(float64(z>>40)/(1<<24))))
	}
	return values
}
