// Package tflitetest turns TFLite files into text for goldens: the structure,
// and a hash for each tensor with data, so that a difference says which tensor
// moved.
package tflitetest

import (
	"crypto/sha256"
	"fmt"
	"strings"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// Dump describes a file that package tflite wrote. It panics on a damaged one.
func Dump(data []byte) string {
	var b strings.Builder
	model := schema.GetRootAsModel(data, 0)
	var graph schema.SubGraph
	model.Subgraphs(&graph, 0)
	fmt.Fprintf(&b, "version %d, %q, %d subgraph, inputs %v, outputs %v\n", model.Version(), model.Description(), model.SubgraphsLength(),
		list(graph.InputsLength(), graph.Inputs), list(graph.OutputsLength(), graph.Outputs))
	for i := range graph.TensorsLength() {
		var t schema.Tensor
		graph.Tensors(&t, i)
		fmt.Fprintf(&b, "  tensor %d %s %s %v", i, t.Name(), t.Type(), list(t.ShapeLength(), t.Shape))
		var buffer schema.Buffer
		model.Buffers(&buffer, int(t.Buffer()))
		if bytes := buffer.DataBytes(); len(bytes) > 0 {
			fmt.Fprintf(&b, " %x", sha256.Sum256(bytes))
		}
		fmt.Fprintln(&b)
	}
	for i := range graph.OperatorsLength() {
		var op schema.Operator
		graph.Operators(&op, i)
		var code schema.OperatorCode
		model.OperatorCodes(&code, int(op.OpcodeIndex()))
		fmt.Fprintf(&b, "  %s/%d v%d %v -> %v%s\n", code.BuiltinCode(), code.DeprecatedBuiltinCode(), code.Version(),
			list(op.InputsLength(), op.Inputs), list(op.OutputsLength(), op.Outputs), options(&op))
	}
	return b.String()
}

func list(n int, at func(int) int32) []int32 {
	values := make([]int32, n)
	for i := range values {
		values[i] = at(i)
	}
	return values
}

// options are written as key and value, sizes as height by width.
func options(op *schema.Operator) string {
	var table flatbuffers.Table
	if !op.BuiltinOptions(&table) {
		return ""
	}
	switch op.BuiltinOptionsType() {
	case schema.BuiltinOptionsConv2DOptions:
		var o schema.Conv2DOptions
		o.Init(table.Bytes, table.Pos)
		return fmt.Sprintf(" %s stride %dx%d dilation %dx%d %s", o.Padding(), o.StrideH(), o.StrideW(), o.DilationHFactor(), o.DilationWFactor(), o.FusedActivationFunction())
	case schema.BuiltinOptionsDepthwiseConv2DOptions:
		var o schema.DepthwiseConv2DOptions
		o.Init(table.Bytes, table.Pos)
		return fmt.Sprintf(" %s stride %dx%d dilation %dx%d times %d %s", o.Padding(), o.StrideH(), o.StrideW(), o.DilationHFactor(), o.DilationWFactor(), o.DepthMultiplier(), o.FusedActivationFunction())
	case schema.BuiltinOptionsPool2DOptions:
		var o schema.Pool2DOptions
		o.Init(table.Bytes, table.Pos)
		return fmt.Sprintf(" %s window %dx%d stride %dx%d %s", o.Padding(), o.FilterHeight(), o.FilterWidth(), o.StrideH(), o.StrideW(), o.FusedActivationFunction())
	case schema.BuiltinOptionsFullyConnectedOptions:
		var o schema.FullyConnectedOptions
		o.Init(table.Bytes, table.Pos)
		kept := ""
		if o.KeepNumDims() {
			kept = " keep dims"
		}
		return fmt.Sprintf(" %s%s", o.FusedActivationFunction(), kept)
	case schema.BuiltinOptionsAddOptions:
		var o schema.AddOptions
		o.Init(table.Bytes, table.Pos)
		return fmt.Sprintf(" %s", o.FusedActivationFunction())
	case schema.BuiltinOptionsMulOptions:
		var o schema.MulOptions
		o.Init(table.Bytes, table.Pos)
		return fmt.Sprintf(" %s", o.FusedActivationFunction())
	case schema.BuiltinOptionsSubOptions:
		var o schema.SubOptions
		o.Init(table.Bytes, table.Pos)
		return fmt.Sprintf(" %s", o.FusedActivationFunction())
	case schema.BuiltinOptionsDivOptions:
		var o schema.DivOptions
		o.Init(table.Bytes, table.Pos)
		return fmt.Sprintf(" %s", o.FusedActivationFunction())
	case schema.BuiltinOptionsConcatenationOptions:
		var o schema.ConcatenationOptions
		o.Init(table.Bytes, table.Pos)
		return fmt.Sprintf(" axis %d", o.Axis())
	case schema.BuiltinOptionsGatherOptions:
		var o schema.GatherOptions
		o.Init(table.Bytes, table.Pos)
		return fmt.Sprintf(" axis %d", o.Axis())
	case schema.BuiltinOptionsBatchMatMulOptions:
		var o schema.BatchMatMulOptions
		o.Init(table.Bytes, table.Pos)
		return fmt.Sprintf(" adjoint %v %v", o.AdjX(), o.AdjY())
	case schema.BuiltinOptionsLeakyReluOptions:
		var o schema.LeakyReluOptions
		o.Init(table.Bytes, table.Pos)
		return fmt.Sprintf(" alpha %g", o.Alpha())
	case schema.BuiltinOptionsGeluOptions:
		var o schema.GeluOptions
		o.Init(table.Bytes, table.Pos)
		return fmt.Sprintf(" approximate %v", o.Approximate())
	case schema.BuiltinOptionsReducerOptions:
		var o schema.ReducerOptions
		o.Init(table.Bytes, table.Pos)
		return fmt.Sprintf(" keep %v", o.KeepDims())
	case schema.BuiltinOptionsReshapeOptions:
		var o schema.ReshapeOptions
		o.Init(table.Bytes, table.Pos)
		return fmt.Sprintf(" %v", list(o.NewShapeLength(), o.NewShape))
	case schema.BuiltinOptionsSoftmaxOptions:
		var o schema.SoftmaxOptions
		o.Init(table.Bytes, table.Pos)
		return fmt.Sprintf(" beta %g", o.Beta())
	}
	return " " + op.BuiltinOptionsType().String()
}
