#!/usr/bin/env bash
# Runs the tests of engine, bundle, boards and convert as arm64 programs, under
# qemu, linked as the release is:
#
#   scripts/arm64-test.sh [PACKAGE...]
#
# The short tests: go test -short leaves the others out on every architecture.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/native.sh arm64
environment=$(scripts/cross.sh arm64)
eval "$environment"
# The flags of scripts/dist.sh: what a release compiled is not compiled again.
export GOFLAGS="-trimpath -buildvcs=false"
export LD_LIBRARY_PATH=${FATHOM_TFLITE_DIR:-$PWD/native/linux_arm64}/lib
packages=("$@")
[[ $# -gt 0 ]] || packages=(./runtime/... ./boards/... ./convert/...)
exec scripts/arm64.sh go test -short -timeout 9m "${packages[@]}"
