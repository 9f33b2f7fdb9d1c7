#!/usr/bin/env bash
# Builds the release of one architecture twice, in two folders, without a common
# build cache, and compares the bytes of programs and packages:
#
#   scripts/dist-twice.sh [amd64|arm64]      default: arm64
#
# Takes some minutes. Prints the SHA-256 of each file.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
arch=${1:-arm64}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
FATHOM_VERSION=$("$root/scripts/version.sh")
FATHOM_COMMIT=$("$root/scripts/version.sh" commit)
SOURCE_DATE_EPOCH=$(date -d "$("$root/scripts/version.sh" time)" +%s)
export FATHOM_VERSION FATHOM_COMMIT SOURCE_DATE_EPOCH
for n in one two; do
  mkdir -p "$work/$n/tree/.cache"
  git -C "$root" archive HEAD | tar -x -C "$work/$n/tree"
  ln -s "$root/native" "$work/$n/tree/native"
  # The toolchain is pinned by its hash and only read.
  for tool in "$root"/.cache/zig-*.*.*; do ln -s "$tool" "$work/$n/tree/.cache/"; done
  (cd "$work/$n/tree" && GOCACHE=$work/$n/cache scripts/dist.sh "$arch" && GOCACHE=$work/$n/cache scripts/package.sh "$arch") >"$work/$n/log" 2>&1 ||
    { cat "$work/$n/log" >&2; exit 1; }
  (cd "$work/$n/tree/dist" && find . -type f -print0 | sort -z | xargs -0 sha256sum) >"$work/$n/sums"
  rm -rf "$work/$n/cache"
done
diff "$work/one/sums" "$work/two/sums" || { echo "dist-twice: two builds of one commit differ" >&2; exit 1; }
grep -E '/bin/|\.deb$|\.tar\.gz$' "$work/one/sums"
echo "dist-twice: $(wc -l <"$work/one/sums") files are the same"
