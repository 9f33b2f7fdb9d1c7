#!/usr/bin/env bash
# Runs a command in which arm64 programs start, under qemu where this machine is
# no arm64 one, their children too:
#
#   scripts/arm64.sh dist/fathom_linux_arm64/bin/fathom --version
#
# The kernel is told of qemu in a namespace of the command's own, which leaves the
# system as it is and needs Linux 6.7 or newer.
set -euo pipefail

die() { echo "arm64: $*" >&2; exit 1; }

[[ $# -gt 0 ]] || die "usage: scripts/arm64.sh COMMAND..."
[[ $(uname -m) != aarch64 ]] || exec "$@"

sysroot=/usr/aarch64-linux-gnu
command -v qemu-aarch64 >/dev/null 2>&1 || die "qemu-aarch64 is not installed: run  sudo apt-get install --no-install-recommends qemu-user"
[[ -e $sysroot/lib/libstdc++.so.6 ]] ||
  die "there are no arm64 libraries in $sysroot: run  sudo apt-get install --no-install-recommends libc6-arm64-cross libstdc++6-arm64-cross"

# What the kernel starts for an arm64 program, whose environment may be empty.
interpreter=$(mktemp)
trap 'rm -f "$interpreter"' EXIT
printf '#!/bin/sh\nexec qemu-aarch64 -L %q -E LD_LIBRARY_PATH=%q "$@"\n' "$sysroot" "${LD_LIBRARY_PATH:-}" >"$interpreter"
chmod 0755 "$interpreter"
# The first 20 bytes of an ELF program for AArch64, and which of their bits count.
first='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
count='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
unshare --user --map-root-user --mount sh -euc '
  binfmt=/proc/sys/fs/binfmt_misc
  mount -t binfmt_misc none $binfmt && printf %s "$1" >$binfmt/register ||
    { echo "arm64: this kernel keeps no list of foreign programs for a namespace: Linux 6.7 or newer does" >&2; exit 1; }
  shift
  exec "$@"' sh ":qemu-aarch64:M::$first:$count:$interpreter:" "$@"
