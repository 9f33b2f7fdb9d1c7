#!/usr/bin/env bash
# Compares what the amd64 and the arm64 release say of the same images, the
# latter under qemu:
#
#   scripts/qemu-labels.sh [BUNDLE [DATA]]
#
# Defaults: the demo bundle and 200 images of glyphs:test. Prints "VARIANT: agree
# N of M" per variant and fails on any difference. Run scripts/dist.sh first.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bundle=${1:-$root/testdata/bundles/demo}
data=${2:-glyphs:test:200}

die() { echo "qemu-labels: $*" >&2; exit 1; }

sysroot=/usr/aarch64-linux-gnu
command -v qemu-aarch64 >/dev/null 2>&1 || die "qemu-aarch64 is not installed: run  sudo apt-get install --no-install-recommends qemu-user"
[[ -e $sysroot/lib/libstdc++.so.6 ]] || die "there are no arm64 libraries in $sysroot: run  sudo apt-get install --no-install-recommends libc6-arm64-cross libstdc++6-arm64-cross"
for arch in amd64 arm64; do
  [[ -x $root/dist/fathom_linux_$arch/bin/fathom ]] || die "dist/fathom_linux_$arch is missing: run  make dist"
done

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$root/dist/fathom_linux_amd64/bin/fathom" eval "$bundle" "$data" --labels-out "$out/amd64" >/dev/null
qemu-aarch64 -L "$sysroot" "$root/dist/fathom_linux_arm64/bin/fathom" eval "$bundle" "$data" --labels-out "$out/arm64" >/dev/null

# Lines are: variant, tab, label.
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
