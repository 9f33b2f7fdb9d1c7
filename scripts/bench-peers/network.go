package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/fathom-edge/fathom/convert/networktest"
	"github.com/fathom-edge/fathom/convert/onnx"
	"github.com/fathom-edge/fathom/convert/onnx/pb"
)

// network is one that scripts/onnx-networks.py --full wrote.
type network struct {
	name, model string
	size        int       // height and width of the image
	output      []float32 // onnxruntime's, of networktest.Input
}

func open(name string) (network, error) {
	data, err := os.ReadFile(filepath.Join(networks, name+".json"))
	if err != nil {
		return network{}, fmt.Errorf("%w (export it: scripts/peers.sh)", err)
	}
	var want struct {
		Input  []int
		Output []float32
	}
	if err := json.Unmarshal(data, &want); err != nil {
		return network{}, err
	}
	return network{name, filepath.Join(networks, name+".onnx"), want.Input[2], want.Output}, nil
}

// input is what output was computed of, channels last.
func (n network) input() []float32 {
	side := int64(n.size)
	net := networktest.Network{Shape: []int{1, 3, n.size, n.size}, Input: networktest.Input([]int64{1, 3, side, side})}
	return net.NHWC()
}

// labels writes names for the classes.
func (n network) labels(file string) error {
	var lines strings.Builder
	for i := range n.output {
		fmt.Fprintf(&lines, "class %d\n", i)
	}
	return os.WriteFile(file, []byte(lines.String()), 0o644)
}

// fixed writes the model with a batch of one in place of a dynamic one, of which onnx2tf would leave SHAPE and FILL in its
// file even with its option -b 1.
func (n network) fixed(file string) error {
	m, err := onnx.Load(n.model)
	if err != nil {
		return err
	}
	for _, v := range append(m.Graph.Input, m.Graph.Output...) {
		batch := v.GetType().GetTensorType().GetShape().GetDim()[0]
		batch.Value = &pb.TensorShapeProto_Dimension_DimValue{DimValue: 1}
	}
	return onnx.Save(file, m, nil)
}
