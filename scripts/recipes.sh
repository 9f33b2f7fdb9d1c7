#!/usr/bin/env bash
# Runs the recipes for PyTorch in docs/convert.md and docs/family.md as they stand
# there: the Python code, then the commands of fathom after it. Needs a Python with
# torch, torchvision and onnx:
#
#   scripts/recipes.sh .cache/peers/torch/bin/python
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=$(realpath -s "${1:?"usage: scripts/recipes.sh PYTHON"}")

# block LANGUAGE HEADING FILE prints the first block of that language below a heading.
block() {
  awk -v fence="\`\`\`$1" -v heading="$2" '
    $0 == heading { found = 1; next }
    found && !block && /^```/ { block = 1; inside = $0 == fence; next }
    block && $0 == "```" { if (inside) exit; block = 0; next }
    inside' "$3"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$root" && CGO_ENABLED=0 go build -o "$work/bin/" ./cmd/fathom)
export PATH=$work/bin:$PATH

# run NAME BUNDLE: runs recipe.py and commands.sh, and wants shared bytes.
run() {
  "$python" -W ignore recipe.py >/dev/null 2>log || { cat log >&2; exit 1; }
  bash -euo pipefail commands.sh >log 2>&1 || { cat log >&2; exit 1; }
  echo "$1: $(grep '^All variants take' log)"
  fathom inspect "$2" --json | "$python" -c 'import json, sys
m = json.load(sys.stdin)
paths = [set(v["path"]) for v in m["variants"]]
sys.exit(0 if all(paths[0] & p for p in paths[1:]) else "no segment of the first variant is in the others")'
}

mkdir "$work/convert" "$work/family"
cd "$work/convert"
seq -f 'class %g' 10 >labels.txt
block python "## Exporting a depth family from PyTorch" "$root/docs/convert.md" >recipe.py
block "" "## Exporting a depth family from PyTorch" "$root/docs/convert.md" >commands.sh
run docs/convert.md resnet.bundle

cd "$work/family"
block python "## Example: PyTorch" "$root/docs/family.md" >recipe.py
echo 'fathom convert glyphs -o glyphs.bundle; fathom inspect glyphs.bundle' >commands.sh
run docs/family.md glyphs.bundle
