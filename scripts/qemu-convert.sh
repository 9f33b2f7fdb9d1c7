#!/usr/bin/env bash
# Converts the demo family with the arm64 release under qemu and compares the
# bundle with the committed one, byte for byte but for the measurements in
# evidence.json; then, on a few images, to int8, as the amd64 release does. Run
# make dist first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() { echo "qemu-convert: $*" >&2; exit 1; }

fathom=dist/fathom_linux_arm64/bin/fathom
amd64=dist/fathom_linux_amd64/bin/fathom
for file in $fathom $amd64; do
  [[ -x $file ]] || die "$file is missing: run  make dist"
done
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
# convert OUT COMMAND...: runs a conversion and shows what it said if it fails.
convert() {
  local out=$1
  shift
  "$@" >"$out.log" 2>&1 || { cat "$out.log" >&2; die "the conversion failed"; }
}

convert "$out/bundle" scripts/arm64.sh "$fathom" convert testdata/families/demo -o "$out/bundle"
scripts/same-bundle.sh testdata/bundles/demo "$out/bundle" || die "arm64 writes another bundle than the committed one"
echo "qemu-convert: same bytes"

int8=(convert testdata/families/demo --precision int8 --calibration glyphs:train:4 -o)
convert "$out/int8" "$amd64" "${int8[@]}" "$out/int8"
convert "$out/int8-arm64" scripts/arm64.sh "$fathom" "${int8[@]}" "$out/int8-arm64"
diff -r --exclude=evidence.json "$out/int8" "$out/int8-arm64" || die "arm64 quantizes otherwise than amd64"
diff <(sed -n '/"quantization"/,/^  }/p' "$out/int8/evidence.json") <(sed -n '/"quantization"/,/^  }/p' "$out/int8-arm64/evidence.json") ||
  die "arm64 measures int8 otherwise than amd64"
echo "qemu-convert: same bytes in int8"
