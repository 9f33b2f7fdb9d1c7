#!/usr/bin/env bash
# Gets the TensorFlow Lite C library into native/linux_{amd64,arm64}/{lib,include}.
#
#   scripts/native.sh [amd64|arm64]...     default: this machine's architecture and arm64
#
# The library (TFLite 2.9.0 with XNNPACK) comes from the TensorFlow.js team's npm
# package, pinned by SHA-256. Each folder appears complete or not at all; when
# all are there already, nothing is done and no network is needed.
#
# libjpeg-turbo is fetched beside it where it can be had: see scripts/jpeg.sh.
#
# With FATHOM_TFLITE_DIR=/dir set, nothing is fetched: /dir/lib/libtensorflowlite_c.so
# and /dir/include are checked, and scripts/env.sh links them instead.
set -euo pipefail

PACKAGE=tfjs-tflite-node@0.0.2
declare -A LIBRARY_SHA256=(
  [amd64]=dc89b4cd86d956516570bd483668e6dd98907f49901d0567dedc69a29a56b7f7
  [arm64]=ec0dee4fb3418e680d010248ac1e304d9656cc5c8de54caaf91d666712e2f633
)

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

die() { echo "native: $*" >&2; exit 1; }

# need TOOL PACKAGE: the tool must be there, or the message names what to install.
need() {
  command -v "$1" >/dev/null 2>&1 || die "$1 is not installed: run  sudo apt-get install $2"
}

# host prints this machine's architecture in Go's words.
host() {
  case $(uname -m) in
    x86_64) echo amd64 ;;
    aarch64 | arm64) echo arm64 ;;
    *) die "no TensorFlow Lite library for $(uname -m): build one and set FATHOM_TFLITE_DIR to a folder with lib/ and include/" ;;
  esac
}

# complete ARCH: the folder holds the pinned library and its headers.
complete() {
  local dir=$root/native/linux_$1
  [[ -f $dir/include/tensorflow/lite/c/c_api.h ]] &&
    [[ -f $dir/lib/libtensorflowlite_c.so ]] &&
    echo "${LIBRARY_SHA256[$1]}  $dir/lib/libtensorflowlite_c.so" | sha256sum --check --status
}

# fetch DIR: downloads and unpacks the package into DIR/package.
fetch() {
  need npm npm
  need tar tar
  need gzip gzip
  echo "native: fetching $PACKAGE" >&2
  (cd "$1" && npm pack "$PACKAGE" --silent --ignore-scripts >/dev/null) ||
    die "npm could not fetch $PACKAGE: check the network (and 'npm config get registry'), then run make native again"
  tar -xzf "$1"/tfjs-tflite-node-*.tgz -C "$1" package/cc_deps
}

# install_arch ARCH UNPACKED: puts the folder in place in one rename.
install_arch() {
  local arch=$1 from=$2/package/cc_deps staging=$2/linux_$1 to=$root/native/linux_$1
  echo "${LIBRARY_SHA256[$arch]}  $from/linux_$arch/libtensorflowlite_c.so" | sha256sum --check --status ||
    die "libtensorflowlite_c.so for $arch differs from the pinned SHA-256: not installed (a proxy or mirror changed it?)"
  mkdir -p "$staging/lib"
  cp "$from/linux_$arch/libtensorflowlite_c.so" "$staging/lib/"
  chmod 0755 "$staging/lib/libtensorflowlite_c.so"
  cp -R "$from/include" "$staging/include"
  rm -rf "$to"
  mv -T "$staging" "$to"
  echo "native: native/linux_$arch is ready" >&2
}

check_own() {
  local dir=$1 file
  for file in lib/libtensorflowlite_c.so include/tensorflow/lite/c/c_api.h; do
    [[ -e $dir/$file ]] || die "FATHOM_TFLITE_DIR=$dir has no $file: point it at a folder with lib/ and include/"
  done
  echo "native: using the library of FATHOM_TFLITE_DIR=$dir" >&2
}

need sha256sum coreutils
need gcc "gcc libc6-dev"

if [[ -n ${FATHOM_TFLITE_DIR:-} ]]; then
  check_own "$FATHOM_TFLITE_DIR"
  "$root/scripts/jpeg.sh" "${@:-$(host)}"
  exit
fi

arches=("$@")
if [[ ${#arches[@]} -eq 0 ]]; then
  this=$(host)
  arches=("$this")
  [[ $this == arm64 ]] || arches+=(arm64)
fi

missing=()
for arch in "${arches[@]}"; do
  [[ -n ${LIBRARY_SHA256[$arch]:-} ]] || die "no library for architecture '$arch': use amd64 or arm64"
  complete "$arch" || missing+=("$arch")
done
"$root/scripts/jpeg.sh" "${arches[@]}"
[[ ${#missing[@]} -gt 0 ]] || exit 0

# The staging folder is on the same file system as native/, so that the last step is a rename.
mkdir -p "$root/native"
staging=$(mktemp -d "$root/native/.fetch.XXXXXX")
trap 'rm -rf "$staging"' EXIT
fetch "$staging"
for arch in "${missing[@]}"; do
  install_arch "$arch" "$staging"
done
