#!/usr/bin/env python3
"""Quantizes a float32 file of litert-torch to int8: MODEL IMAGES.npy TARGET.

Images are [N, H, W, 3] from 0 to 1. ai-edge-quantizer is what litert-torch's
documentation names for full-integer quantization after conversion."""
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer import quantizer, recipe

model, images, target = sys.argv[1:]
x = (np.load(images) - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
x = x.transpose(0, 3, 1, 2).astype(np.float32)
signatures = Interpreter(model_path=model).get_signature_list()
(key, signature), = signatures.items()
q = quantizer.Quantizer(model, recipe.static_wi8_ai8())
ranges = q.calibrate({key: [{signature["inputs"][0]: x[i:i + 1]} for i in range(len(x))]})
q.quantize(ranges).export_model(target, overwrite=True)
