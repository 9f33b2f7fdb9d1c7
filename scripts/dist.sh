#!/usr/bin/env bash
# Builds release folders dist/fathom_linux_ARCH/{bin,lib,share}, laid out as below /usr:
#
#   scripts/dist.sh [amd64|arm64]...     default: both
#   scripts/dist.sh static               fathom without inference, one file for each of six platforms
#
# The binaries find libtensorflowlite_c.so in ../lib/fathom. They are linked against
# glibc 2.27 (JetPack 4; newer boards have more) by zig, whose pinned version is
# kept in .cache/. The amd64 library itself needs glibc 2.29, the arm64 one 2.27.
#
# The same commit gives the same bytes, in any folder; scripts/dist-twice.sh tries it.
# scripts/package.sh makes packages of what is built here.
set -euo pipefail

GLIBC=2.27
declare -A LIBRARY_GLIBC=([amd64]=2.29 [arm64]=2.27) # of the library that is fetched
RPATH='$ORIGIN/../lib/fathom' # from the binary to the library
ZIG=0.14.1
ZIG_SHA256=( # one wheel per host: x86-64, aarch64
  6eb9d4d759b292c83810dbee2e9e8e3fbfbf01d864e6e9811bae711fd74e1c2f
  7994b27f3cbfcedea43f9b7552e38b45857bdf0e9a45065474092dd74e7048cf
)

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

die() { echo "dist: $*" >&2; exit 1; }

# install_zig puts a virtual environment with zig at $1, complete or not at all.
install_zig() {
  local to=$1 requirements
  command -v python3 >/dev/null 2>&1 || die "python3 is not installed: run  sudo apt-get install python3-venv"
  echo "dist: fetching zig $ZIG" >&2
  rm -rf "$to.part"
  python3 -m venv "$to.part" || die "python3 cannot make a virtual environment: run  sudo apt-get install python3-venv"
  requirements=$to.part/requirements.txt
  echo "ziglang==$ZIG $(printf -- '--hash=sha256:%s ' "${ZIG_SHA256[@]}")" >"$requirements"
  "$to.part/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$requirements" ||
    die "pip could not fetch ziglang $ZIG: check the network, then run make dist again"
  mv -T "$to.part" "$to"
}

# check_runpath BINARY: it finds its library wherever the folder is unpacked.
check_runpath() {
  local paths
  paths=$(LC_ALL=C readelf -d "$1" | sed -n 's/.*Library r\(un\)\?path: \[\(.*\)\]/\2/p' | tr ':' '\n' | sort -u)
  [[ $paths == "$RPATH" ]] || die "$1 searches its library in '$paths', not in $RPATH"
}

# build ARCH: the folder appears whole.
build() {
  local arch=$1 name=fathom_linux_$1 cpu out binary
  case $arch in
    amd64) cpu=x86_64 ;;
    arm64) cpu=aarch64 ;;
    *) die "no release for architecture '$arch': use amd64 or arm64" ;;
  esac
  out=dist/.$name
  rm -rf "$out"
  mkdir -p "$out/bin" "$out/lib/fathom" "$out/share/fathom/bundles" "$out/share/fathom/demo"
  (
    export CC="$zig cc -target $cpu-linux-gnu.$GLIBC"
    environment=$(FATHOM_RPATH="$RPATH" scripts/env.sh "$arch")
    eval "$environment"
    go build "${flags[@]}" -o "$out/bin/" ./cmd/fathom ./cmd/fathomd
  )
  cp "${FATHOM_TFLITE_DIR:-native/linux_$arch}/lib/libtensorflowlite_c.so" "$out/lib/fathom/"
  cp -R testdata/bundles/demo "$out/share/fathom/bundles/demo"
  cp testdata/demo/fathomd.yaml "$out/share/fathom/demo/"
  cp LICENSE NOTICE "$out/"
  for binary in "$out"/bin/*; do
    scripts/glibc-check.sh "$binary" "$GLIBC"
    check_runpath "$binary"
  done
  scripts/glibc-check.sh "$out/lib/fathom/libtensorflowlite_c.so" "${LIBRARY_GLIBC[$arch]}"
  rm -rf "dist/$name"
  mv -T "$out" "dist/$name"
  echo "dist: dist/$name is ready"
}

# static builds what needs no C library at all.
static() {
  local platform os arch out
  mkdir -p dist/static
  for platform in linux/amd64 linux/arm64 linux/arm darwin/amd64 darwin/arm64 windows/amd64; do
    os=${platform%/*} arch=${platform#*/}
    out=dist/static/fathom_${os}_$arch
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
scripts/native.sh "${arches[@]}"
venv=$root/.cache/zig-$ZIG
[[ -x $venv/bin/python ]] || install_zig "$venv"
# -I: nothing in the current folder can stand in for the module.
zig="$venv/bin/python -I -m ziglang"
export ZIG_GLOBAL_CACHE_DIR=$root/.cache/zig-cache ZIG_LOCAL_CACHE_DIR=$root/.cache/zig-cache
for arch in "${arches[@]}"; do
  build "$arch"
done
