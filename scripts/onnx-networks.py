#!/usr/bin/env python3
"""Writes testdata/networks: classifiers as PyTorch exports them, without weights.

NAME.onnx.gz is an exported graph whose larger weights are left out: each such
tensor has in its doc_string "index low high", from which package networktest
makes its values. NAME.json holds the shape of the input and what onnxruntime
makes of an input that is made the same way, with index 0, from -2 to 2.

    python3 -m venv .cache/torch-venv
    .cache/torch-venv/bin/pip install torch==2.15.0 torchvision==0.29.2 timm==1.0.31 onnx==1.23.2 onnxruntime==1.32.0 onnxscript==0.7.2
    .cache/torch-venv/bin/python scripts/onnx-networks.py [NAME…]

With --full FOLDER it writes whole networks for the benchmark instead: their
own size, weights in the file, and NAME.json beside NAME.onnx.
"""
import argparse
import gzip
import json
import logging
import pathlib
import tempfile
import warnings

import numpy as np
import onnx
import onnxruntime as ort
import timm
import torch
import torchvision.models as tv
from onnx import numpy_helper

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "testdata" / "networks"
CLASSES = 10
SMALLEST = 64  # elements; smaller tensors keep their values


def made(index, low, high, shape):
    """Uniform values: SplitMix64 of index and position, 24 bits each."""
    with np.errstate(over="ignore"):
        z = (np.uint64(index) << np.uint64(32)) + np.arange(int(np.prod(shape)), dtype=np.uint64)
        z = z + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    unit = (z >> np.uint64(40)).astype(np.float64) / 2**24
    return (low + (high - low) * unit).astype(np.float32).reshape(shape)


def torchvision_model(name, **options):
    if name in ("googlenet", "inception_v3"):
        options.update(aux_logits=False, init_weights=False)
    return getattr(tv, name)(weights=None, num_classes=CLASSES, **options)


def vgg(name):
    m = torchvision_model(name)
    m.avgpool = torch.nn.Identity()
    m.classifier = torch.nn.Sequential(torch.nn.Linear(512 * 2 * 2, 64), torch.nn.ReLU(), torch.nn.Dropout(), torch.nn.Linear(64, CLASSES))
    return m


def vit():
    return tv.VisionTransformer(image_size=64, patch_size=16, num_layers=2, num_heads=3, hidden_dim=96, mlp_dim=192, num_classes=CLASSES)


def swin():
    return tv.SwinTransformer(patch_size=[4, 4], embed_dim=24, depths=[2, 2, 2], num_heads=[1, 2, 4], window_size=[7, 7],
                              stochastic_depth_prob=0, num_classes=CLASSES)


def convnext():
    block = tv.convnext.CNBlockConfig
    return tv.ConvNeXt([block(24, 48, 1), block(48, 96, 1), block(96, 192, 2), block(192, None, 1)], num_classes=CLASSES)


def resnet(group=1, width=64):
    return tv.ResNet(tv.resnet.Bottleneck, [1, 2, 1, 1], num_classes=CLASSES, groups=group, width_per_group=width)


# name: (network, size of the image, operator set; 18 and later through torch.export)
SMALL = {
    "resnet18": (lambda: torchvision_model("resnet18"), 64, 17),
    "resnet18-9": (lambda: torchvision_model("resnet18"), 64, 9),
    "resnet18-21": (lambda: torchvision_model("resnet18"), 64, 21),
    "resnet50": (resnet, 64, 17),
    "resnext50": (lambda: resnet(32, 4), 64, 17),
    "mobilenet_v2": (lambda: torchvision_model("mobilenet_v2"), 64, 11),
    "mobilenet_v2-20": (lambda: torchvision_model("mobilenet_v2"), 64, 20),
    "mobilenet_v3_small": (lambda: torchvision_model("mobilenet_v3_small"), 64, 17),
    "mobilenet_v3_small-11": (lambda: torchvision_model("mobilenet_v3_small"), 64, 11),
    "mobilenet_v3_large": (lambda: torchvision_model("mobilenet_v3_large"), 64, 18),
    "efficientnet_b0": (lambda: torchvision_model("efficientnet_b0"), 64, 17),
    "efficientnet_b0-20": (lambda: torchvision_model("efficientnet_b0"), 64, 20),
    "regnet_x_400mf": (lambda: torchvision_model("regnet_x_400mf"), 64, 17),
    "regnet_y_400mf": (lambda: torchvision_model("regnet_y_400mf"), 64, 20),
    "vgg11": (lambda: vgg("vgg11"), 64, 17),
    "vgg11_bn": (lambda: vgg("vgg11_bn"), 64, 13),
    "googlenet": (lambda: torchvision_model("googlenet"), 64, 17),
    "inception_v3": (lambda: torchvision_model("inception_v3"), 96, 17),
    "squeezenet1_0": (lambda: torchvision_model("squeezenet1_0"), 64, 17),
    "squeezenet1_1": (lambda: torchvision_model("squeezenet1_1"), 64, 20),
    "mnasnet0_5": (lambda: torchvision_model("mnasnet0_5"), 64, 17),
    "densenet121": (lambda: torchvision_model("densenet121"), 64, 17),
    "shufflenet_v2": (lambda: torchvision_model("shufflenet_v2_x0_5"), 64, 17),
    "shufflenet_v2-20": (lambda: torchvision_model("shufflenet_v2_x0_5"), 64, 20),
    "convnext": (convnext, 64, 17),
    "convnext-20": (convnext, 64, 20),
    "vit": (vit, 64, 17),
    "vit-20": (vit, 64, 20),
    "swin": (swin, 64, 17),
    "swin-20": (swin, 64, 20),
    "timm-mobilenetv4": (lambda: timm.create_model("mobilenetv4_conv_small", num_classes=CLASSES), 64, 17),
    "timm-efficientnet_lite0": (lambda: timm.create_model("tf_efficientnet_lite0", num_classes=CLASSES), 64, 18),
    "timm-repvgg": (lambda: timm.create_model("repvgg_a0", num_classes=CLASSES), 64, 17),
}

FULL = {name: (lambda name=name: torchvision_model(name), 299 if name == "inception_v3" else 224, 17) for name in (
    "resnet18", "resnet50", "mobilenet_v2", "efficientnet_b0", "mobilenet_v3_small", "mobilenet_v3_large", "resnext50_32x4d",
    "regnet_x_400mf", "regnet_y_400mf", "vgg11", "vgg11_bn", "googlenet", "inception_v3", "squeezenet1_0", "mnasnet1_0",
    "densenet121", "shufflenet_v2_x1_0", "convnext_tiny", "vit_b_16", "swin_t")}


def randomize(net):
    """Weights that keep values of the order of one through many layers."""
    torch.manual_seed(0)
    for m in net.modules():
        if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear)):
            bound = (3 / max(1, m.weight[0].numel())) ** 0.5
            torch.nn.init.uniform_(m.weight, -bound, bound)
            if m.bias is not None:
                torch.nn.init.uniform_(m.bias, -0.1, 0.1)
        if isinstance(m, (torch.nn.BatchNorm2d, torch.nn.LayerNorm)) and m.weight is not None:
            torch.nn.init.uniform_(m.weight, 0.8, 1.2)
            torch.nn.init.uniform_(m.bias, -0.1, 0.1)
        if isinstance(m, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(m.running_mean, -0.1, 0.1)
            torch.nn.init.uniform_(m.running_var, 0.5, 1.5)
    for name, p in net.named_parameters():
        if name.endswith("layer_scale"):
            torch.nn.init.uniform_(p, 0.1, 0.5)


def export(net, size, opset, path):
    x = torch.zeros(1, 3, size, size)
    if opset >= 18:
        torch.onnx.export(net, (x,), path, opset_version=opset, dynamo=True, verbose=False, external_data=False)
    else:
        torch.onnx.export(net, x, path, opset_version=opset, dynamo=False, input_names=["image"], output_names=["logits"],
                          dynamic_axes={"image": {0: "batch"}})
    model = onnx.load(path)
    del model.graph.value_info[:]
    for item in [model, model.graph, *model.graph.node, *model.graph.input, *model.graph.output, *model.graph.initializer]:
        for field in "doc_string", "metadata_props":
            if field in item.DESCRIPTOR.fields_by_name:
                item.ClearField(field)
    return model


def strip(model):
    """Replaces larger weights by what makes them, in both copies."""
    stripped = onnx.ModelProto()
    stripped.CopyFrom(model)
    for index, (whole, bare) in enumerate(zip(model.graph.initializer, stripped.graph.initializer), 1):
        values = numpy_helper.to_array(whole)
        if values.dtype != np.float32 or values.size < SMALLEST:
            continue
        low, high = (float(np.float32(f"{v:.4g}")) for v in (values.min(), values.max()))
        whole.raw_data = made(index, low, high, values.shape).tobytes()
        for field in "raw_data", "float_data":
            bare.ClearField(field)
        bare.doc_string = f"{index} {low!r} {high!r}"
    return stripped


def run(path, size):
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    shape = [1, 3, size, size]
    output, = session.run(None, {session.get_inputs()[0].name: made(0, -2, 2, shape)})
    return {"input": shape, "output": [float(f"{v:.8g}") for v in output.ravel()]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", type=pathlib.Path, metavar="FOLDER")
    parser.add_argument("--list", action="store_true", help="print the names of whole networks")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    if args.list:
        print("\n".join(FULL))
        return
    logging.disable(logging.WARNING)
    warnings.filterwarnings("ignore")
    networks = FULL if args.full else SMALL
    folder = args.full or FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name in args.names or networks:
        build, size, opset = networks[name]
        net = build().eval()
        randomize(net)
        with tempfile.TemporaryDirectory() as scratch:
            path = (args.full or pathlib.Path(scratch)) / f"{name}.onnx"
            model = export(net, size, opset, str(path))
            if not args.full:
                bare = strip(model).SerializeToString(deterministic=True)
                with open(folder / f"{name}.onnx.gz", "wb") as f, gzip.GzipFile("", "wb", 9, f, mtime=0) as z:
                    z.write(bare)
            onnx.save(model, str(path))
            result = run(path, size)
        (folder / f"{name}.json").write_text(json.dumps(result) + "\n")
        spread = max(result["output"]) - min(result["output"])
        print(f"{name}: {len(model.graph.node)} nodes, outputs range over {spread:.3g}", flush=True)


if __name__ == "__main__":
    main()
