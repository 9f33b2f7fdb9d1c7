#!/usr/bin/env bash
# Compares fathom convert with onnx2tf and litert-torch:
#
#   scripts/peers.sh                          all parts, all networks (hours)
#   scripts/peers.sh latency                  one part; see scripts/bench-peers
#   scripts/peers.sh convert resnet50 vgg11   one part of some networks
#   scripts/peers.sh -tools fathom,onnx2tf convert resnet50
#
# Needs Python 3.11 or newer, PyPI, and about 8 GB below .cache/peers, and some
# more for what is converted.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
eval "$(scripts/env.sh)"
peers=.cache/peers

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
tools=()
if [[ ${1:-} == -tools ]]; then
  tools=("$1" "$2")
  shift 2
fi
networks=("${@:2}")
if [[ ${#networks[@]} -eq 0 ]]; then
  mapfile -t networks < <("$peers/torch/bin/python" scripts/onnx-networks.py --list)
fi
missing=()
for n in "${networks[@]}"; do [[ -e .cache/networks/$n.json ]] || missing+=("$n"); done
[[ ${#missing[@]} -eq 0 ]] || "$peers/torch/bin/python" scripts/onnx-networks.py --full .cache/networks "${missing[@]}"

if [[ $# -gt 0 ]]; then
  go run ./scripts/bench-peers "${tools[@]}" "$@"
else
  for part in convert int8 latency; do go run ./scripts/bench-peers "${tools[@]}" $part; done
fi
go run ./scripts/bench-peers table
