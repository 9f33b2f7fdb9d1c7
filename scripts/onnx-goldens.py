#!/usr/bin/env python3
"""Writes testdata/onnx: small models, inputs, and what onnxruntime makes of them.

They are the outside truth for convert/reference. The folders have the layout
of ONNX's own backend tests: CASE/model.onnx, CASE/test_data_set_0/input_0.pb
and output_0.pb, the latter TensorProtos with the names of the graph.

    python3 -m venv .cache/onnx-venv
    .cache/onnx-venv/bin/pip install onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
    .cache/onnx-venv/bin/python scripts/onnx-goldens.py

With --verify FOLDER it writes nothing: each model in FOLDER, of the same
layout, must pass onnx.checker and give its outputs in onnxruntime. That is how
files written by package convert/onnx are checked, and with a --tolerance those
of the trainer (scripts/bench-onnx).
"""
import argparse
import pathlib
import shutil
import sys

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "testdata" / "onnx"
TOLERANCE = 1e-6  # for --verify: the same runtime on the same values, unless --tolerance says otherwise


class Case:
    """One model under construction. Values are named by strings."""

    def __init__(self, name, input_shape, opset=17):
        self.name, self.opset = name, opset
        self.rng = np.random.default_rng(sum(name.encode()))
        self.nodes, self.weights, self.count = [], [], 0
        self.x = self.random(input_shape)
        self.input = helper.make_tensor_value_info("x", TensorProto.FLOAT, input_shape)

    def random(self, shape, low=-1.0, high=1.0):
        return self.rng.uniform(low, high, shape).astype(np.float32)

    def weight(self, array):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def node(self, op, *inputs, **attributes):
        self.count += 1
        output = f"v{self.count}"
        self.nodes.append(helper.make_node(op, list(inputs), [output], f"{op}_{self.count}", **attributes))
        return output

    def conv(self, x, cin, cout, k, bias=True, group=1, **attributes):
        scale = (cin // group * k * k) ** -0.5
        inputs = [x, self.weight(self.random((cout, cin // group, k, k), -2 * scale, 2 * scale))]
        if bias:
            inputs.append(self.weight(self.random(cout)))
        return self.node("Conv", *inputs, group=group, **attributes)

    def norm(self, x, channels, **attributes):
        return self.node("BatchNormalization", x, self.weight(self.random(channels, 0.5, 1.5)),
                         self.weight(self.random(channels)), self.weight(self.random(channels)),
                         self.weight(self.random(channels, 0.2, 2)), **attributes)

    def conv_norm_relu(self, x, cin, cout, k=3, stride=1, group=1, relu=True):
        x = self.conv(x, cin, cout, k, bias=False, group=group, strides=[stride, stride],
                      pads=[k // 2] * 4, kernel_shape=[k, k])
        x = self.norm(x, cout)
        return self.node("Relu", x) if relu else x

    def residual(self, x, cin, cout, stride=1, group=1):
        skip = x
        if stride != 1 or cin != cout:
            skip = self.conv_norm_relu(x, cin, cout, k=1, stride=stride, relu=False)
        x = self.conv_norm_relu(x, cin, cout, stride=stride, group=group)
        x = self.conv_norm_relu(x, cout, cout, relu=False)
        return self.node("Relu", self.node("Add", x, skip))

    def write(self, y):
        output = onnx.ValueInfoProto()
        output.name = y
        graph = helper.make_graph(self.nodes, self.name, [self.input], [output], self.weights)
        model = helper.make_model(graph, producer_name="onnx-goldens", ir_version=8,
                                  opset_imports=[helper.make_opsetid("", self.opset)])
        model = onnx.shape_inference.infer_shapes(model, strict_mode=True)
        del model.graph.value_info[:]
        onnx.checker.check_model(model, full_check=True)
        data = FOLDER / self.name / "test_data_set_0"
        data.mkdir(parents=True)
        (FOLDER / self.name / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))
        result, = session(FOLDER / self.name / "model.onnx").run(None, {"x": self.x})
        for file, array, name in ("input_0.pb", self.x, "x"), ("output_0.pb", result, y):
            (data / file).write_bytes(numpy_helper.from_array(array, name).SerializeToString(deterministic=True))


def session(path):
    """Unoptimized, so that the outputs are those of the graph as it is."""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def operators():
    """One case for each operator and each way of using it."""
    c = Case("conv", [2, 3, 7, 6]); c.write(c.conv("x", 3, 4, 3, pads=[1, 1, 1, 1]))
    c = Case("conv-stride-asymmetric", [1, 3, 8, 9]); c.write(c.conv("x", 3, 5, 3, bias=False, strides=[2, 3], pads=[0, 1, 2, 0]))
    c = Case("conv-dilated", [1, 2, 9, 10]); c.write(c.conv("x", 2, 3, 3, dilations=[2, 3], pads=[2, 1, 0, 3]))
    c = Case("conv-group", [1, 6, 5, 5]); c.write(c.conv("x", 6, 9, 3, group=3, pads=[1, 1, 1, 1]))
    c = Case("conv-depthwise", [1, 4, 6, 6]); c.write(c.conv("x", 4, 8, 3, group=4, strides=[2, 2], pads=[1, 1, 1, 1]))
    c = Case("conv-pointwise", [1, 4, 3, 3]); c.write(c.conv("x", 4, 2, 1))
    c = Case("batch-normalization", [2, 3, 4, 4]); c.write(c.norm("x", 3, epsilon=1e-3))
    c = Case("relu", [2, 5]); c.write(c.node("Relu", "x"))
    c = Case("clip", [2, 5]); c.write(c.node("Clip", "x", c.weight(np.float32(-0.25)), c.weight(np.float32(0.5))))
    c = Case("clip-upper", [2, 5]); c.write(c.node("Clip", "x", "", c.weight(np.float32(0.1))))
    c = Case("add-broadcast", [2, 3, 1, 4]); c.write(c.node("Add", "x", c.weight(c.random((5, 1)))))
    c = Case("mul-broadcast", [3, 1]); c.write(c.node("Mul", c.weight(c.random((2, 1, 4))), "x"))
    c = Case("global-average-pool", [2, 3, 5, 4]); c.write(c.node("GlobalAveragePool", "x"))
    c = Case("reduce-mean", [2, 3, 4, 5]); c.write(c.node("ReduceMean", "x", axes=[-1, 1], keepdims=0))
    c = Case("reduce-mean-axes", [2, 3, 4, 5], opset=18); c.write(c.node("ReduceMean", "x", c.weight(np.array([2, 3], np.int64))))
    c = Case("average-pool", [1, 2, 7, 7]); c.write(c.node("AveragePool", "x", kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1]))
    c = Case("average-pool-count-pad", [1, 2, 7, 7]); c.write(c.node("AveragePool", "x", kernel_shape=[3, 3], pads=[1, 2, 0, 1], count_include_pad=1))
    c = Case("max-pool", [1, 2, 7, 8]); c.write(c.node("MaxPool", "x", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]))
    c = Case("max-pool-dilated", [1, 2, 7, 8]); c.write(c.node("MaxPool", "x", kernel_shape=[2, 3], dilations=[3, 2]))
    c = Case("flatten", [2, 3, 2, 2]); c.write(c.node("Flatten", "x"))
    c = Case("flatten-negative", [2, 3, 2, 2]); c.write(c.node("Flatten", "x", axis=-1))
    c = Case("reshape", [2, 3, 4]); c.write(c.node("Reshape", "x", c.weight(np.array([0, -1, 2], np.int64))))
    c = Case("gemm", [3, 4]); c.write(c.node("Gemm", "x", c.weight(c.random((5, 4))), c.weight(c.random(5)), transB=1))
    c = Case("gemm-scaled", [4, 3]); c.write(c.node("Gemm", "x", c.weight(c.random((4, 2))), c.weight(c.random((3, 1))), transA=1, alpha=0.5, beta=-1.5))
    c = Case("matmul", [3, 4]); c.write(c.node("MatMul", "x", c.weight(c.random((4, 5)))))
    c = Case("matmul-stack", [2, 1, 3, 4]); c.write(c.node("MatMul", "x", c.weight(c.random((5, 4, 2)))))
    c = Case("softmax", [3, 5]); c.write(c.node("Softmax", "x"))
    c = Case("softmax-axis", [2, 3, 4]); c.write(c.node("Softmax", "x", axis=1))
    c = Case("identity", [2, 2]); c.write(c.node("Identity", "x"))
    c = Case("constant", [2, 3]); c.write(c.node("Add", "x", c.node("Constant", value=numpy_helper.from_array(c.random((2, 3))))))
    c = Case("concat", [2, 3, 2]); c.write(c.node("Concat", "x", c.weight(c.random((2, 1, 2))), "x", axis=1))
    c = Case("pad", [1, 2, 3, 3]); c.write(c.node("Pad", "x", c.weight(np.array([0, 1, 2, 0, 1, 0, 1, 3], np.int64)), c.weight(np.float32(0.5))))
    c = Case("pad-axes", [1, 2, 3, 3], opset=18); c.write(c.node("Pad", "x", c.weight(np.array([2, 1, 0, 1], np.int64)), "", c.weight(np.array([-1, 1], np.int64))))

    def ints(c, *values):
        return c.weight(np.array(values, np.int64))

    # Activations.
    for op, attributes in [("Abs", {}), ("Exp", {}), ("Neg", {}), ("Sigmoid", {}), ("Tanh", {}), ("Erf", {}), ("HardSwish", {}),
                           ("Elu", {"alpha": 0.7}), ("LeakyRelu", {"alpha": 0.2}), ("HardSigmoid", {"alpha": 0.3, "beta": 0.4})]:
        c = Case(op.lower(), [2, 7])
        c.write(c.node(op, c.node("Mul", "x", c.weight(np.float32(4))), **attributes))
    for how in "none", "tanh":
        c = Case(f"gelu-{how}", [2, 7], opset=20)
        c.write(c.node("Gelu", c.node("Mul", "x", c.weight(np.float32(3))), approximate=how))
    c = Case("prelu", [1, 3, 2, 2]); c.write(c.node("PRelu", "x", c.weight(c.random((3, 1, 1)))))
    c = Case("log-sqrt", [2, 5]); c.write(c.node("Log", c.node("Sqrt", c.node("Add", "x", c.weight(np.float32(1.5))))))
    c = Case("pow", [2, 5]); c.write(c.node("Pow", "x", c.weight(np.float32(3))))
    c = Case("clip-attributes", [2, 5], opset=9); c.write(c.node("Clip", "x", min=-0.25, max=0.5))

    # Arithmetic of floats and of integers, comparisons.
    c = Case("sub-div", [2, 3]); c.write(c.node("Div", c.node("Sub", c.weight(c.random((2, 1))), "x"), c.weight(c.random(3, 0.5, 1))))
    c = Case("max-min", [2, 3]); c.write(c.node("Min", c.node("Max", "x", c.weight(c.random(3)), c.weight(c.random((2, 1)))), c.weight(np.float32(0.5))))
    c = Case("integers", [2, 3])
    a, b = ints(c, 7, -7, 9), ints(c, 2, 2, -4)
    parts = [c.node(op, a, b) for op in ("Add", "Sub", "Mul", "Div", "Mod", "Max", "Min")] + [c.node("Neg", a), c.node("Mod", a, b, fmod=1)]
    c.write(c.node("Cast", c.node("Concat", *parts, axis=0), to=TensorProto.FLOAT))
    c = Case("comparisons", [2, 3])
    a, b = ints(c, 1, 2, 3), ints(c, 2, 2, 2)
    less, equal = c.node("Less", a, b), c.node("Equal", a, b)
    parts = [less, equal, c.node("Greater", a, b), c.node("GreaterOrEqual", a, b), c.node("LessOrEqual", a, b),
             c.node("Not", less), c.node("And", less, equal), c.node("Or", less, equal), c.node("Cast", ints(c, 0, 5, -1), to=TensorProto.BOOL)]
    c.write(c.node("Cast", c.node("Concat", *parts, axis=0), to=TensorProto.FLOAT))
    c = Case("where", [2, 3]); c.write(c.node("Where", c.node("Less", "x", c.weight(np.float32(0))), c.weight(c.random((2, 1))), "x"))
    c = Case("cast", [2, 3]); c.write(c.node("Cast", c.node("Cast", c.node("Mul", "x", c.weight(np.float32(5))), to=TensorProto.INT32), to=TensorProto.FLOAT))

    # Reductions.
    c = Case("reduce-max", [2, 3, 4]); c.write(c.node("ReduceMax", "x", axes=[2]))
    c = Case("reduce-sum", [2, 3, 4]); c.write(c.node("ReduceSum", "x", ints(c, 0, -1), keepdims=0))
    c = Case("reduce-prod", [2, 3]); c.write(c.node("ReduceProd", "x", axes=[1]))
    c = Case("reduce-mean-all", [2, 3], opset=18); c.write(c.node("ReduceMean", "x"))
    c = Case("layer-normalization", [2, 3, 5]); c.write(c.node("LayerNormalization", "x", c.weight(c.random(5)), c.weight(c.random(5)), epsilon=1e-3))
    c = Case("layer-normalization-axis", [2, 3, 5]); c.write(c.node("LayerNormalization", "x", c.weight(c.random((3, 5))), axis=1))
    c = Case("softmax-old", [2, 3, 4], opset=9); c.write(c.node("Softmax", "x"))
    c = Case("global-max-pool", [2, 3, 4, 5]); c.write(c.node("GlobalMaxPool", "x"))
    c = Case("max-pool-ceil", [1, 2, 7, 8]); c.write(c.node("MaxPool", "x", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1))
    c = Case("average-pool-ceil", [1, 2, 7, 8], opset=19); c.write(c.node("AveragePool", "x", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1))
    c = Case("conv-same", [1, 2, 7, 8]); c.write(c.conv("x", 2, 3, 3, strides=[2, 2], auto_pad="SAME_UPPER"))
    c = Case("conv-same-lower", [1, 2, 7, 8]); c.write(c.conv("x", 2, 3, 4, strides=[2, 2], auto_pad="SAME_LOWER"))
    c = Case("conv-1d", [1, 3, 9]); c.write(c.node("Conv", "x", c.weight(c.random((4, 3, 3))), c.weight(c.random(4)), strides=[2], pads=[1, 0]))

    # What moves values around.
    c = Case("transpose", [2, 3, 4]); c.write(c.node("Transpose", "x", perm=[1, 2, 0]))
    c = Case("transpose-turned", [2, 3, 4]); c.write(c.node("Transpose", "x"))
    c = Case("gather", [3, 4]); c.write(c.node("Gather", "x", c.weight(np.array([[0, -1], [2, 1]], np.int64)), axis=1))
    c = Case("gather-one", [3, 4]); c.write(c.node("Gather", "x", c.weight(np.int64(2))))
    c = Case("slice", [4, 6]); c.write(c.node("Slice", "x", ints(c, 1, -5), ints(c, 2**63 - 1, 6), ints(c, 0, 1), ints(c, 1, 2)))
    c = Case("slice-backwards", [4, 6]); c.write(c.node("Slice", "x", ints(c, -1), ints(c, -2**63), ints(c, 1), ints(c, -2)))
    c = Case("slice-attributes", [4, 6], opset=9); c.write(c.node("Slice", "x", starts=[1], ends=[-1], axes=[1]))
    c = Case("split", [2, 5])
    c.nodes.append(helper.make_node("Split", ["x", ints(c, 2, 3)], ["first", "second"], "Split_0", axis=1)); c.write(c.node("Concat", "second", "first", axis=1))
    c = Case("split-even", [4, 3], opset=18)
    c.nodes.append(helper.make_node("Split", ["x"], ["first", "second"], "Split_0", num_outputs=2)); c.write(c.node("Sub", "first", "second"))
    c = Case("split-attribute", [2, 5], opset=11)
    c.nodes.append(helper.make_node("Split", ["x"], ["first", "second"], "Split_0", axis=1, split=[4, 1])); c.write(c.node("Mul", "first", "second"))
    c = Case("squeeze-unsqueeze", [2, 1, 3, 1])
    c.write(c.node("Unsqueeze", c.node("Squeeze", c.node("Squeeze", "x", ints(c, 1))), ints(c, 0, -1)))
    c = Case("squeeze-attributes", [2, 1, 3], opset=11); c.write(c.node("Unsqueeze", c.node("Squeeze", "x", axes=[-2]), axes=[0, 2]))
    c = Case("expand-tile", [3, 1]); c.write(c.node("Tile", c.node("Expand", "x", ints(c, 2, 1, 4)), ints(c, 1, 2, 2)))
    c = Case("scatter-nd", [4, 3]); c.write(c.node("ScatterND", "x", c.weight(np.array([[2], [-4]], np.int64)), c.weight(c.random((2, 3)))))
    c = Case("trilu", [2, 4, 3]); c.write(c.node("Add", c.node("Trilu", "x", c.weight(np.int64(1))), c.node("Trilu", "x", upper=0)))
    c = Case("depth-to-space", [1, 8, 2, 3]); c.write(c.node("DepthToSpace", "x", blocksize=2))
    c = Case("depth-to-space-crd", [1, 8, 2, 3]); c.write(c.node("DepthToSpace", "x", blocksize=2, mode="CRD"))
    c = Case("space-to-depth", [1, 2, 4, 6]); c.write(c.node("SpaceToDepth", "x", blocksize=2))
    c = Case("pad-attributes", [1, 2, 3], opset=9); c.write(c.node("Pad", "x", pads=[0, 1, 0, 0, 0, 2], value=0.5))
    c = Case("dropout", [2, 3]); c.write(c.node("Dropout", "x"))

    # Arithmetic on shapes, as exporters write it.
    c = Case("shapes", [2, 3, 4])
    shape = c.node("Shape", "x")
    rows = c.node("Gather", shape, c.weight(np.int64(0)))
    wanted = c.node("Concat", c.node("Unsqueeze", rows, ints(c, 0)), ints(c, -1), axis=0)
    flat = c.node("Reshape", "x", wanted)
    count = c.node("Range", c.weight(np.int64(0)), c.node("Size", "x"), c.weight(np.int64(2)))
    ones = c.node("ConstantOfShape", c.node("Shape", flat, start=1), value=numpy_helper.from_array(np.array([0.5], np.float32), "v"))
    c.write(c.node("Add", flat, c.node("Mul", ones, c.node("Cast", count, to=TensorProto.FLOAT))))


def networks():
    """The patterns of which families are made."""
    c = Case("residual-net", [1, 3, 16, 16])
    x = c.conv_norm_relu("x", 3, 8)
    x = c.residual(x, 8, 8)
    x = c.residual(x, 8, 12, stride=2)
    x = c.residual(x, 12, 12, group=4)
    x = c.node("Flatten", c.node("GlobalAveragePool", x))
    c.write(c.node("Gemm", x, c.weight(c.random((10, 12))), c.weight(c.random(10)), transB=1))

    c = Case("depthwise-net", [2, 3, 12, 12])
    x = c.conv_norm_relu("x", 3, 8, stride=2)
    x = c.conv_norm_relu(x, 8, 8, group=8)
    x = c.node("Clip", c.conv(x, 8, 16, 1), c.weight(np.float32(0)), c.weight(np.float32(6)))
    x = c.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = c.node("AveragePool", x, kernel_shape=[3, 3])
    x = c.node("Reshape", x, c.weight(np.array([0, -1], np.int64)))
    x = c.node("Add", c.node("MatMul", x, c.weight(c.random((16, 7)))), c.weight(c.random(7)))
    c.write(c.node("Softmax", x))

    # Weights in typed fields instead of raw bytes.
    c = Case("typed-weights", [1, 4])
    for name, dims, values in ("w", [4, 2], c.random((4, 2))), ("b", [2], c.random(2)):
        c.weights.append(helper.make_tensor(name, TensorProto.FLOAT, dims, values.flatten().tolist()))
    c.weights.append(helper.make_tensor("s", TensorProto.INT64, [1], [-1]))
    c.write(c.node("Reshape", c.node("Gemm", "x", "w", "b"), "s"))


def verify(folder, tolerance):
    failed = 0
    for path in sorted(folder.glob("*/model.onnx")):
        onnx.checker.check_model(str(path), full_check=True)
        read = lambda name: onnx.load_tensor(str(path.parent / "test_data_set_0" / name))
        x, want = read("input_0.pb"), read("output_0.pb")
        got, = session(path).run([want.name], {x.name: numpy_helper.to_array(x)})
        error = float(np.max(np.abs(got - numpy_helper.to_array(want))))
        failed += error > tolerance
        print(f"{path.parent.name}: passes onnx.checker, differs by {error:.2g}")
    return failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--verify", type=pathlib.Path, metavar="FOLDER")
    parser.add_argument("--tolerance", type=float, default=TOLERANCE)
    options = parser.parse_args()
    if options.verify:
        sys.exit(1 if verify(options.verify, options.tolerance) else 0)
    shutil.rmtree(FOLDER, ignore_errors=True)
    operators()
    networks()


if __name__ == "__main__":
    main()
