#!/usr/bin/env bash
# Writes a decision log of every policy on this machine and replays it with an
# arm64 build under qemu, whose compiler fuses products and sums where it may:
# every decision has to come out the same, to the last bit.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() { echo "qemu-replay: $*" >&2; exit 1; }

command -v qemu-aarch64 >/dev/null 2>&1 || die "qemu-aarch64 is not installed: run  sudo apt-get install --no-install-recommends qemu-user"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
export CGO_ENABLED=0
GOARCH=amd64 go test -c -o "$out/amd64" ./governor/sim
GOARCH=arm64 go test -c -o "$out/arm64" ./governor/sim
cd governor/sim
run=(-test.run '^TestDecisionsReplay$' -test.v -decisions "$out/decisions.jsonl")
"$out/amd64" "${run[@]}" || die "the log does not replay where it was written"
qemu-aarch64 "$out/arm64" "${run[@]}" || die "arm64 decides otherwise than amd64"
echo "qemu-replay: the same decisions"
