#!/usr/bin/env bash
# Installs the distribution packages that the Makefile's targets use, where they
# are missing. Needs Debian or a relative, and root for the installation.
#
#   scripts/deps.sh            for all targets but the following
#   scripts/deps.sh package    for make package-test too
set -euo pipefail

# command or file            package
needs=(
  make                        make
  git                         git
  gcc                         gcc
  /usr/include/stdio.h        libc6-dev
  npm                         npm
  curl                        curl
  python3                     python3
  readelf                     binutils
  protoc                      protobuf-compiler
  flatc                       flatbuffers-compiler
  chromium                    chromium
  ffmpeg                      ffmpeg
  minisign                    minisign
  qemu-aarch64                qemu-user
  qemu-system-aarch64         qemu-system-arm
  aarch64-linux-gnu-gcc       gcc-aarch64-linux-gnu
  /sbin/mke2fs                e2fsprogs
  /sbin/modprobe              kmod
  cpio                        cpio
  /usr/share/keyrings/debian-archive-keyring.gpg debian-archive-keyring
  /usr/aarch64-linux-gnu/lib/libc.so.6      libc6-arm64-cross
  /usr/aarch64-linux-gnu/lib/libstdc++.so.6 libstdc++6-arm64-cross
)

if [[ ${1:-} == package ]]; then
  needs+=(lintian lintian mmdebstrap mmdebstrap)
fi

missing=()
for ((i = 0; i < ${#needs[@]}; i += 2)); do
  thing=${needs[i]} package=${needs[i + 1]}
  case $thing in
    /*) [[ -e $thing ]] || missing+=("$package") ;;
    *) command -v "$thing" >/dev/null 2>&1 || missing+=("$package") ;;
  esac
done
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
[[ ${#missing[@]} -gt 0 ]] || exit 0

if [[ $(id -u) -ne 0 ]] || ! command -v apt-get >/dev/null 2>&1; then
  echo "deps: missing: run  sudo apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
echo "deps: installing ${missing[*]}" >&2
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
