#!/usr/bin/env bash
# Compares fathom convert with onnx2tf and litert-torch. Needs Python 3.11 or
# newer, PyPI, and about 8 GB below .cache/peers. Names of networks may be given.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
eval "$(scripts/env.sh)"
peers=.cache/peers
networks=("$@")
[[ $# -gt 0 ]] || networks=(resnet50 mobilenet_v2 mobilenet_v3_small efficientnet_b0 squeezenet1_0 shufflenet_v2_x1_0)

# environment NAME PACKAGE… makes a virtual environment once; what cannot be
# installed is reported by the comparison as a tool that does not convert.
environment() {
  [[ -e $peers/$1/installed ]] && return
  python3 -m venv "$peers/$1"
  "$peers/$1/bin/pip" install -q uv
  if "$peers/$1/bin/uv" pip install -q --python "$peers/$1/bin/python" "${@:2}"; then
    touch "$peers/$1/installed"
  else
    echo "peers: $1 cannot be installed here" >&2
  fi
}
environment torch torch torchvision timm onnx onnxruntime onnxscript litert-torch
environment onnx2tf onnx2tf tensorflow onnx onnxruntime

CGO_ENABLED=0 go build -o $peers/fathom ./cmd/fathom # without TFLite, and so without its proof
missing=()
for n in "${networks[@]}"; do [[ -e .cache/networks/$n.json ]] || missing+=("$n"); done
[[ ${#missing[@]} -eq 0 ]] || "$peers/torch/bin/python" scripts/onnx-networks.py --full .cache/networks "${missing[@]}"
go run ./scripts/bench-peers .cache/networks "${networks[@]}"
