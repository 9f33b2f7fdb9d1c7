#!/usr/bin/env bash
# Tries what can be tried for 32-bit ARM, for which no TensorFlow Lite library is
# to be had:
#
#   scripts/arm32.sh
#
# The program without inference converts the demo family under qemu, to the bytes
# that are committed. fathom and fathomd with inference are compiled and linked, as
# FATHOM_TFLITE_DIR=/dir scripts/dist.sh arm does, with a library that has the
# names but not the functions: they are not run. Run make dist first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() { echo "arm32: $*" >&2; exit 1; }

static=dist/static/fathom-static_linux_armv7 release=dist/fathom_linux_amd64/bin
[[ -x $static && -x $release/fathomd ]] || die "$static or $release is missing: run  make dist"
command -v qemu-arm >/dev/null 2>&1 || die "qemu-arm is not installed: run  sudo apt-get install --no-install-recommends qemu-user"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

qemu-arm "$static" convert testdata/families/demo -o "$out/bundle" >"$out/log" 2>&1 || { cat "$out/log" >&2; die "the conversion failed"; }
scripts/same-bundle.sh testdata/bundles/demo "$out/bundle" || die "ARMv7 writes another bundle than the committed one"
echo "arm32: same bytes: the demo family converted without inference"

mkdir -p "$out/tflite/lib"
ln -s "$PWD/native/linux_amd64/include" "$out/tflite/include"
LC_ALL=C readelf --dyn-syms --wide "$release/fathom" "$release/fathomd" | awk '$7 == "UND" && $8 ~ /^TfLite/ {sub(/@.*/, "", $8); print $8}' | sort -u |
  sed 's/.*/void &(void) { __builtin_trap(); }/' >"$out/names.c"
[[ -s $out/names.c ]] || die "$release uses no function of TensorFlow Lite"
touch "$out/tflite/lib/libtensorflowlite_c.so" # env.sh looks for it
environment=$(FATHOM_TFLITE_DIR=$out/tflite scripts/cross.sh arm)
eval "$environment"
$CC -shared -o "$out/tflite/lib/libtensorflowlite_c.so" "$out/names.c"
go build -trimpath -buildvcs=false -o "$out/" ./cmd/fathom ./cmd/fathomd
for binary in "$out/fathom" "$out/fathomd"; do
  LC_ALL=C readelf -h "$binary" | grep -q 'Machine: *ARM$' || die "$binary is no program for 32-bit ARM"
  scripts/glibc-check.sh "$binary" 2.27 >/dev/null
done
echo "arm32: linked: fathom and fathomd with inference, against the names of $(wc -l <"$out/names.c") functions"
