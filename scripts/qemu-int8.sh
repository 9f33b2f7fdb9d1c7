#!/usr/bin/env bash
# Compares the logits that the amd64 and the arm64 release give for the same
# images with an int8 bundle, bit by bit; arm64 under qemu, both with XNNPACK:
#
#   scripts/qemu-int8.sh BUNDLE [COUNT]
#
# COUNT images of the glyphs' test split, 48 unless told. Prints "VARIANT: same
# N of M" and fails on any difference. Run make dist first.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bundle=${1:?"usage: scripts/qemu-int8.sh BUNDLE [COUNT]"}
count=${2:-48}

die() { echo "qemu-int8: $*" >&2; exit 1; }

sysroot=/usr/aarch64-linux-gnu
command -v qemu-aarch64 >/dev/null 2>&1 || die "qemu-aarch64 is not installed: run  sudo apt-get install --no-install-recommends qemu-user"
[[ -e $sysroot/lib/libstdc++.so.6 ]] || die "there are no arm64 libraries in $sysroot: run  sudo apt-get install --no-install-recommends libc6-arm64-cross libstdc++6-arm64-cross"
grep -q '"precision": "int8"' "$bundle/manifest.json" || die "$bundle is no int8 bundle"

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for arch in amd64 arm64; do
  fathom=$root/dist/fathom_linux_$arch/bin/fathom
  [[ -x $fathom ]] || die "$fathom is missing: run  make dist"
  runner=()
  [[ $arch == amd64 ]] || runner=(qemu-aarch64 -L "$sysroot")
  "${runner[@]}" "$fathom" eval "$bundle" "glyphs:test:$count" --logits-out "$out/$arch" >"$out/log" 2>&1 ||
    { cat "$out/log" >&2; die "fathom eval failed on $arch"; }
done

# Lines are: variant, tab, logits.
paste "$out/amd64" "$out/arm64" | awk -F '\t' '
  $1 != $3 { print "qemu-int8: the two lists do not match line by line" > "/dev/stderr"; bad = 1; exit }
  !($1 in total) { names[++n] = $1 }
  { total[$1]++; same[$1] += $2 == $4 }
  END {
    if (n == 0) { print "qemu-int8: no logits to compare" > "/dev/stderr"; exit 1 }
    for (i = 1; i <= n; i++) {
      v = names[i]
      printf "%s: same %d of %d\n", v, same[v], total[v]
      if (same[v] != total[v]) bad = 1
    }
    exit bad
  }'
