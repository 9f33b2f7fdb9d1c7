#!/usr/bin/env python3
"""Converts a network of scripts/onnx-networks.py with litert-torch: NAME FILE."""
import importlib.util
import sys

import litert_torch
import torch

name, target = sys.argv[1:]
spec = importlib.util.spec_from_file_location("networks", "scripts/onnx-networks.py")
networks = importlib.util.module_from_spec(spec)
spec.loader.exec_module(networks)
build, size, _ = networks.FULL[name]
net = build().eval()
networks.randomize(net)
litert_torch.convert(net, (torch.zeros(1, 3, size, size),)).export(target)
