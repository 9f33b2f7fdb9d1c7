#!/usr/bin/env bash
# Converts all networks and operators of the tests on arm64, under qemu, and
# compares the hashes of what is written with the goldens that amd64 wrote:
#
#   scripts/qemu-networks.sh [PATTERN]
#
# PATTERN names tests of package convert; all with goldens unless told. The tests
# hold what the converter writes to hashes in convert/testdata, one for each network.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() { echo "qemu-networks: $*" >&2; exit 1; }

command -v qemu-aarch64 >/dev/null 2>&1 || die "qemu-aarch64 is not installed: run  sudo apt-get install --no-install-recommends qemu-user"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# on PACKAGE PATTERN: runs its tests as an arm64 program.
on() {
  GOARCH=arm64 CGO_ENABLED=0 go test -c -o "$out/test" "./$1"
  (cd "$1" && qemu-aarch64 "$out/test" -test.run "$2" -test.v) >"$out/log" 2>&1 || { tail -40 "$out/log" >&2; die "$1: arm64 does not write what amd64 does"; }
  grep -q '^--- PASS' "$out/log" || die "$1: no test matches $2"
  echo "qemu-networks: $1: $(grep -c '^ *--- PASS' "$out/log") tests give the same bytes"
}
on convert "${1:-^(TestNetworks|TestConvert|TestPrivateNormalizationIsNotShared)\$}"
[[ $# -gt 0 ]] || on convert/tflite '^TestOperators$'
