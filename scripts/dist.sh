#!/usr/bin/env bash
# Builds release folders dist/fathom_linux_ARCH/{bin,lib,share}, laid out as below /usr:
#
#   scripts/dist.sh [amd64|arm64]...     default: both
#   scripts/dist.sh arm                  ARMv7, with a library of your own in FATHOM_TFLITE_DIR
#   scripts/dist.sh static               fathom without inference, one file for each of six platforms
#
# The binaries find libtensorflowlite_c.so in ../lib/fathom. They are linked against
# glibc 2.27 (JetPack 4; newer boards have more) by scripts/cross.sh. The amd64
# library itself needs glibc 2.29, the arm64 one 2.27.
#
# The same commit gives the same bytes, in any folder; scripts/dist-twice.sh tries it. That takes
# the pinned libjpeg-turbo, which scripts/jpeg.sh gets where apt has Debian 12; there is no release without it.
# scripts/package.sh makes packages of what is built here.
set -euo pipefail

GLIBC=2.27
declare -A LIBRARY_GLIBC=([amd64]=2.29 [arm64]=2.27) # of the library that is fetched
RPATH='$ORIGIN/../lib/fathom' # from the binary to the library

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

die() { echo "dist: $*" >&2; exit 1; }

# check_runpath BINARY: it finds its library wherever the folder is unpacked.
check_runpath() {
  local paths
  paths=$(LC_ALL=C readelf -d "$1" | sed -n 's/.*Library r\(un\)\?path: \[\(.*\)\]/\2/p' | tr ':' '\n' | sort -u)
  [[ $paths == "$RPATH" ]] || die "$1 searches its library in '$paths', not in $RPATH"
}

# build ARCH: the folder appears whole.
build() {
  local arch=$1 name=fathom_linux_$1 environment binary
  local out=dist/.$name
  rm -rf "$out"
  mkdir -p "$out/bin" "$out/lib/fathom" "$out/share/fathom/bundles" "$out/share/fathom/demo"
  (
    environment=$(scripts/cross.sh "$arch")
    eval "$environment"
    go build -buildmode=pie "${flags[@]}" -o "$out/bin/" ./cmd/fathom ./cmd/fathomd # TFLite and libjpeg-turbo are C
  )
  cp "${FATHOM_TFLITE_DIR:-native/linux_$arch}/lib/libtensorflowlite_c.so" "$out/lib/fathom/"
  cp -R testdata/bundles/demo "$out/share/fathom/bundles/demo"
  cp testdata/demo/fathomd.yaml "$out/share/fathom/demo/"
  cp LICENSE NOTICE "$out/"
  for binary in "$out"/bin/*; do
    scripts/glibc-check.sh "$binary" "$GLIBC"
    check_runpath "$binary"
  done
  scripts/glibc-check.sh "$out/lib/fathom/libtensorflowlite_c.so" "${LIBRARY_GLIBC[$arch]:-$GLIBC}"
  rm -rf "dist/$name"
  mv -T "$out" "dist/$name"
  echo "dist: dist/$name is ready"
}

# static builds what needs no C library at all.
static() {
  local platform os arch out
  rm -rf dist/static
  mkdir -p dist/static
  for platform in linux/amd64 linux/arm64 linux/arm darwin/amd64 darwin/arm64 windows/amd64; do
    os=${platform%/*} arch=${platform#*/}
    out=dist/static/fathom-static_${os}_$arch
    [[ $arch != arm ]] || out+=v7
    [[ $os != windows ]] || out+=.exe
    CGO_ENABLED=0 GOOS=$os GOARCH=$arch GOARM=7 go build "${flags[@]}" -o "$out" ./cmd/fathom
    echo "dist: $out is ready"
  done
}

version=$(scripts/version.sh)
commit=$(scripts/version.sh commit)
# No build ID and no repository state: both would differ between equal trees.
flags=(-trimpath -buildvcs=false
  -ldflags="-s -w -buildid= -X github.com/fathom-edge/fathom/internal/version.release=$version -X github.com/fathom-edge/fathom/internal/version.commit=$commit")

if [[ $* == static ]]; then
  static
  exit
fi

arches=("$@")
[[ ${#arches[@]} -gt 0 ]] || arches=(amd64 arm64)
scripts/jpeg.sh --required "${arches[@]}"
scripts/native.sh "${arches[@]}"
for arch in "${arches[@]}"; do
  build "$arch"
done
