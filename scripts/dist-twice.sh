#!/usr/bin/env bash
# Builds everything that make dist builds twice and compares the bytes of programs
# and packages:
#
#   scripts/dist-twice.sh [amd64|arm64]...     default: both, and the static programs
#
# Two folders of different length, at different times, the second one with an empty
# build cache and another time zone, umask and language. Takes some minutes. Prints
# the SHA-256 of each program and package.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

arches=("$@")
[[ $# -gt 0 ]] || arches=(amd64 arm64)
commit=$(git -C "$root" rev-parse HEAD) # others may commit meanwhile
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
FATHOM_VERSION=$("$root/scripts/version.sh")
FATHOM_COMMIT=$("$root/scripts/version.sh" commit)
SOURCE_DATE_EPOCH=$(date -d "$("$root/scripts/version.sh" time)" +%s)
export FATHOM_VERSION FATHOM_COMMIT SOURCE_DATE_EPOCH

# build TREE SUMS STATIC: unpacks the commit, builds it, and notes the sums of all files.
build() {
  mkdir -p "$1/.cache"
  git -C "$root" archive "$commit" | tar -x -C "$1"
  ln -s "$root/native" "$1/native"
  # The toolchain is pinned by its hash and only read.
  for tool in "$root"/.cache/zig-*.*.*; do ln -s "$tool" "$1/.cache/"; done
  (
    cd "$1"
    scripts/dist.sh "${arches[@]}"
    [[ -z $3 ]] || scripts/dist.sh static
    unset GOCACHE # what makes the packages is not part of them
    scripts/package.sh "${arches[@]}"
    cd dist
    find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum >"$2"
  ) >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
}

static=
[[ $# -gt 0 ]] || static=static
build "$work/one" "$work/sums-one" "$static"
(
  export GOCACHE=$work/cache TZ=Pacific/Chatham LC_ALL=C.UTF-8
  umask 077
  build "$work/another/folder/two" "$work/sums-two" "$static"
)
diff "$work/sums-one" "$work/sums-two" || { echo "dist-twice: two builds of one commit differ" >&2; exit 1; }
grep -E '/bin/|/static/|\.deb$|\.tar\.gz$' "$work/sums-one"
echo "dist-twice: $(wc -l <"$work/sums-one") files are the same"
