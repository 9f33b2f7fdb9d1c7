#!/usr/bin/env bash
# Runs the tests of engine, bundle, boards and convert as arm64 programs, under
# qemu, linked as the release is:
#
#   scripts/arm64-test.sh [PACKAGE...]
#
# The short tests: -short leaves out what needs the whole machine or reads what it
# is. runtime/probe is not among them: it rests on limits of memory and time, and
# qemu-user keeps the former not at all. Nor is boards/camera: it waits for programs
# to start, and asks a V4L2 that qemu-user does not have.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/native.sh arm64
environment=$(scripts/cross.sh arm64)
eval "$environment"
# The flags of scripts/dist.sh: what a release compiled is not compiled again.
export GOFLAGS="${GOFLAGS:-} -trimpath -buildvcs=false"
export LD_LIBRARY_PATH=${FATHOM_TFLITE_DIR:-$PWD/native/linux_arm64}/lib
packages=("$@")
[[ $# -gt 0 ]] || packages=(./runtime/{bundle,engine,frame,preprocess,profile} ./boards ./boards/{battery,sysfs,telemetry}/... ./convert/...)
exec scripts/arm64.sh go test -short -timeout 9m "${packages[@]}"
