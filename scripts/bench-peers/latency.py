#!/usr/bin/env python3
"""Runs TFLite files in turns, one thread each: SECONDS ROUNDS NAME=FILE…. Prints ms by name."""
import json
import sys
import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter

seconds, rounds, files = float(sys.argv[1]), int(sys.argv[2]), dict(a.split("=", 1) for a in sys.argv[3:])
models, samples = [], {name: [] for name in files}
for name, file in files.items():
    model = Interpreter(model_path=file, num_threads=1)
    model.allocate_tensors()
    detail = model.get_input_details()[0]
    model.set_tensor(detail["index"], np.ones(detail["shape"], detail["dtype"]))
    model.invoke()
    models.append((name, model))
end = time.perf_counter() + seconds
for _ in range(rounds):
    if time.perf_counter() > end:
        break
    for name, model in models:
        start = time.perf_counter()
        model.invoke()
        samples[name].append((time.perf_counter() - start) * 1e3)
    models.reverse()
print(json.dumps(samples))
