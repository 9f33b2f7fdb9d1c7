#!/usr/bin/env bash
# Compares what the amd64 and the arm64 release say of the same images, the
# latter under qemu:
#
#   scripts/qemu-labels.sh [BUNDLE [COUNT]]
#
# Defaults: the demo bundle and 200 images of the glyphs' test split. Runs fathom
# eval, and fathomd on the same images as a folder. Prints "PROGRAM VARIANT: agree
# N of M" and fails on any difference. Run make dist and make train first.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bundle=${1:-$root/testdata/bundles/demo}
count=${2:-200}

die() { echo "qemu-labels: $*" >&2; exit 1; }

for arch in amd64 arm64; do
  [[ -x $root/dist/fathom_linux_$arch/bin/fathom ]] || die "dist/fathom_linux_$arch is missing: run  make dist"
done

[[ -x $root/bin/fathom-train ]] || die "bin/fathom-train is missing: run  make train"

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$root/bin/fathom-train" glyphs --split test --count "$count" -o "$out/images" >/dev/null

# on ARCH PROGRAM ARGUMENT...: runs a program of the release.
on() {
  local arch=$1 program=$2 runner=()
  shift 2
  [[ $arch == amd64 ]] || runner=("$root/scripts/arm64.sh")
  "${runner[@]}" "$root/dist/fathom_linux_$arch/bin/$program" "$@"
}

# daemon ARCH VARIANT: labels of fathomd, a line each: program and variant, tab, label.
daemon() {
  local config=$out/$1-$2.yaml
  cat >"$config" <<YAML
bundle: $(realpath "$bundle")
listen: 127.0.0.1:0
probe: false # it rests on limits of memory, which qemu-user does not keep
source: {kind: folder, path: $out/images}
target_rate: 30
policy: {kind: fixed, variant: $2}
prediction_log: $out/$1-$2.jsonl
YAML
  on "$1" fathomd --config "$config" >"$out/log" 2>&1 || { cat "$out/log" >&2; die "fathomd failed on $1"; }
  sed -E "s/.*\"sequence\":([0-9]+).*\"label\":\"([^\"]*)\".*/fathomd $2\t\1 \2/" "$out/$1-$2.jsonl"
}

for arch in amd64 arm64; do
  on $arch fathom eval "$bundle" "$out/images" --labels-out "$out/eval" >/dev/null
  sed 's/^/eval /' "$out/eval" >"$out/$arch"
  for variant in $(cut -f 1 "$out/eval" | uniq); do
    daemon $arch "$variant" >>"$out/$arch"
  done
done

# Lines are: program and variant, tab, label.
paste "$out/amd64" "$out/arm64" | awk -F '\t' '
  $1 != $3 { print "qemu-labels: the two lists do not match line by line" > "/dev/stderr"; bad = 1; exit }
  !($1 in total) { names[++n] = $1 }
  { total[$1]++; agree[$1] += $2 == $4 }
  END {
    if (n == 0) { print "qemu-labels: no predictions to compare" > "/dev/stderr"; exit 1 }
    for (i = 1; i <= n; i++) {
      v = names[i]
      printf "%s: agree %d of %d\n", v, agree[v], total[v]
      if (agree[v] != total[v]) bad = 1
    }
    exit bad
  }'
