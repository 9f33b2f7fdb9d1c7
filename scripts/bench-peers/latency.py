#!/usr/bin/env python3
"""Runs TFLite files in turns, one thread each: RUNS NAME=FILE…. Prints ms by name."""
import json
import sys
import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter

runs, files = int(sys.argv[1]), dict(a.split("=", 1) for a in sys.argv[2:])
models, samples = {}, {name: [] for name in files}
for name, file in files.items():
    model = Interpreter(model_path=file, num_threads=1)
    model.allocate_tensors()
    detail = model.get_input_details()[0]
    model.set_tensor(detail["index"], np.full(detail["shape"], 0.5, detail["dtype"]))
    model.invoke()
    models[name] = model
for _ in range(runs):
    for name, model in models.items():
        start = time.perf_counter()
        model.invoke()
        samples[name].append((time.perf_counter() - start) * 1e3)
print(json.dumps(samples))
