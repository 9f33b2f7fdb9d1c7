#!/usr/bin/env bash
# Prints the cgo environment of a release, as scripts/env.sh does that of a build
# for this machine:
#
#   eval "$(scripts/cross.sh amd64|arm64|arm)"        arm is ARMv7, hard float
#
# It links against glibc 2.27 (JetPack 4; newer boards have more), and the binary
# finds its library in ../lib/fathom. The linker is zig's, whose pinned version is
# fetched into .cache/ once.
set -euo pipefail

GLIBC=2.27
ZIG=0.14.1
ZIG_SHA256=( # one wheel per host: x86-64, aarch64
  6eb9d4d759b292c83810dbee2e9e8e3fbfbf01d864e6e9811bae711fd74e1c2f
  7994b27f3cbfcedea43f9b7552e38b45857bdf0e9a45065474092dd74e7048cf
)

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

die() { echo "cross: $*" >&2; exit 1; }

[[ $# -eq 1 ]] || die "usage: scripts/cross.sh amd64|arm64|arm"
case $1 in
  amd64) target=x86_64-linux-gnu ;;
  arm64) target=aarch64-linux-gnu ;;
  arm) target=arm-linux-gnueabihf ;;
  *) die "no target for architecture '$1': use amd64, arm64 or arm" ;;
esac

# install_zig puts a virtual environment with zig at $1, complete or not at all.
install_zig() {
  local to=$1 requirements
  command -v python3 >/dev/null 2>&1 || die "python3 is not installed: run  sudo apt-get install python3-venv"
  echo "cross: fetching zig $ZIG" >&2
  mkdir -p "$(dirname "$to")"
  part=$(mktemp -d "$to.part.XXXXXX")
  trap 'rm -rf "$part"' EXIT
  python3 -m venv "$part" || die "python3 cannot make a virtual environment: run  sudo apt-get install python3-venv"
  requirements=$part/requirements.txt
  echo "ziglang==$ZIG $(printf -- '--hash=sha256:%s ' "${ZIG_SHA256[@]}")" >"$requirements"
  "$part/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$requirements" ||
    die "pip could not fetch ziglang $ZIG: check the network, then run it again"
  mv -T "$part" "$to"
}

venv=$root/.cache/zig-$ZIG
[[ -x $venv/bin/python ]] || install_zig "$venv" >&2
# -I: nothing in the current folder can stand in for the module.
export CC="$venv/bin/python -I -m ziglang cc -target $target.$GLIBC"
printf 'export CC=%q\n' "$CC"
printf 'export ZIG_GLOBAL_CACHE_DIR=%q ZIG_LOCAL_CACHE_DIR=%q\n' "$root/.cache/zig-cache" "$root/.cache/zig-cache"
FATHOM_RPATH='$ORIGIN/../lib/fathom' "$root/scripts/env.sh" "$1"
