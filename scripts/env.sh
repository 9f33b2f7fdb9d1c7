#!/usr/bin/env bash
# Prints the cgo environment that links TensorFlow Lite, and libjpeg-turbo where it is there, as shell assignments:
#
#   eval "$(scripts/env.sh)"          build and test for this machine
#   eval "$(scripts/env.sh arm64)"    cross-compile
#
# Run scripts/native.sh first. FATHOM_TFLITE_DIR=/dir links /dir/lib instead of
# the fetched library. FATHOM_RPATH replaces the folder that the binary searches
# at run time (default: the library's own), e.g. '$ORIGIN/../lib' for a release.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

die() { echo "env: $*" >&2; exit 1; }

host=$(go env GOHOSTARCH) || die "go is not installed: see https://go.dev/doc/install"
arch=${1:-$(go env GOARCH)}
dir=${FATHOM_TFLITE_DIR:-$root/native/linux_$arch}
[[ -e $dir/lib/libtensorflowlite_c.so ]] || die "$dir/lib/libtensorflowlite_c.so is missing: run scripts/native.sh $arch"
dir=$(cd "$dir" && pwd) # cgo runs the compiler elsewhere: no relative paths

emit() { printf 'export %s=%q\n' "$1" "$2"; }

emit CGO_ENABLED 1
emit GOARCH "$arch"
if [[ $arch == arm64 && $host != arm64 && -z ${CC:-} ]]; then
  command -v aarch64-linux-gnu-gcc >/dev/null 2>&1 ||
    die "aarch64-linux-gnu-gcc is not installed: run  sudo apt-get install --no-install-recommends gcc-aarch64-linux-gnu g++-aarch64-linux-gnu libc6-dev-arm64-cross libstdc++6-arm64-cross"
  emit CC aarch64-linux-gnu-gcc
fi
# Our own header with experimental declarations is searched last (-idirafter).
emit CGO_CFLAGS "-O2 -g -I$dir/include -idirafter $root/scripts/native/include"
emit CGO_LDFLAGS "-L$dir/lib -Wl,-rpath,${FATHOM_RPATH:-$dir/lib}"
# libjpeg-turbo is linked where scripts/jpeg.sh could get it.
[[ ! -e $root/native/jpeg_linux_$arch/lib/libturbojpeg.a ]] || emit GOFLAGS "${GOFLAGS:+$GOFLAGS }-tags=turbojpeg"
