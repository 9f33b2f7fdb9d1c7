#!/usr/bin/env python3
"""Runs TFLite files in turns, one thread each: SECONDS ROUNDS SESSIONS NAME=FILE…. Prints ms by name.

Each session opens the files anew, another one first."""
import json
import sys
import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter

seconds, rounds, sessions = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
files = [a.split("=", 1) for a in sys.argv[4:]]
samples = {name: [] for name, _ in files}
for _ in range(sessions):
    models = []
    for name, file in files:
        model = Interpreter(model_path=file, num_threads=1)
        model.allocate_tensors()
        detail = model.get_input_details()[0]
        model.set_tensor(detail["index"], np.ones(detail["shape"], detail["dtype"]))
        model.invoke()
        models.append((name, model))
    files.append(files.pop(0))
    end = time.perf_counter() + seconds / sessions
    for _ in range(rounds // sessions):
        if time.perf_counter() > end:
            break
        for name, model in models:
            start = time.perf_counter()
            model.invoke()
            samples[name].append((time.perf_counter() - start) * 1e3)
        models.reverse()
print(json.dumps(samples))
