#!/usr/bin/env bash
# Fails if a binary needs a newer glibc than MAX, and lists the symbols that do:
#
#   scripts/glibc-check.sh BINARY MAX        e.g. dist/fathom_linux_arm64/bin/fathom 2.27
set -euo pipefail

die() { echo "glibc-check: $*" >&2; exit 1; }

[[ $# -eq 2 ]] || die "usage: scripts/glibc-check.sh BINARY MAX"
binary=$1 limit=$2
[[ $limit =~ ^[0-9]+(\.[0-9]+)+$ ]] || die "'$limit' is no glibc version such as 2.27"
command -v readelf >/dev/null 2>&1 || die "readelf is not installed: run  sudo apt-get install binutils"
symbols=$(LC_ALL=C readelf --dyn-syms --wide "$binary") || die "$binary is no ELF binary"

needed=$(grep -o '[^ ]*@GLIBC_[0-9][0-9.]*' <<<"$symbols" | sort -u || true)
[[ -n $needed ]] || die "$binary needs no symbol of glibc at all: not a dynamic binary"
highest=$(sed 's/.*@GLIBC_//' <<<"$needed" | sort -Vu | tail -1)
if [[ $(printf '%s\n%s\n' "$highest" "$limit" | sort -V | tail -1) != "$limit" ]]; then
  echo "glibc-check: $binary needs glibc $highest, above $limit:" >&2
  while IFS= read -r symbol; do
    version=${symbol##*@GLIBC_}
    [[ $(printf '%s\n%s\n' "$version" "$limit" | sort -V | tail -1) == "$limit" ]] || echo "  $symbol" >&2
  done <<<"$needed"
  exit 1
fi
echo "$binary needs glibc $highest (limit $limit)"
