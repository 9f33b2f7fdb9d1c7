#!/usr/bin/env python3
"""Runs TFLite and ONNX files on images: IMAGES.npy FILE…. Prints outputs by file and image, as JSON.

Images are [N, H, W, 3]. TFLite runs in the newest LiteRT, ONNX in onnxruntime."""
import json
import sys

import numpy as np
import onnxruntime as ort
from ai_edge_litert.interpreter import Interpreter


def tflite(file):
    model = Interpreter(model_path=file, num_threads=1)
    model.allocate_tensors()
    image, logits = model.get_input_details()[0], model.get_output_details()[0]

    def run(x):
        if image["shape"][-1] != 3:
            x = x.transpose(0, 3, 1, 2)
        if image["dtype"] != np.float32:
            scale, zero = image["quantization"]
            limits = np.iinfo(image["dtype"])
            x = np.clip(np.round(x / scale) + zero, limits.min, limits.max).astype(image["dtype"])
        model.set_tensor(image["index"], x)
        model.invoke()
        y = model.get_tensor(logits["index"])
        if logits["dtype"] != np.float32:
            scale, zero = logits["quantization"]
            y = (y.astype(np.float32) - zero) * scale
        return y

    return run


def onnx(file):
    session = ort.InferenceSession(file, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda x: session.run(None, {name: np.ascontiguousarray(x.transpose(0, 3, 1, 2))})[0]


images = np.load(sys.argv[1])
runs = [onnx(f) if f.endswith(".onnx") else tflite(f) for f in sys.argv[2:]]
print(json.dumps([[run(images[i:i + 1]).ravel().astype(float).tolist() for i in range(len(images))] for run in runs]))
