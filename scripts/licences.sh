#!/usr/bin/env bash
# Prints the licences of everything that is linked into Go binaries, from the
# module cache, as Debian's copyright file holds them; and those of what NOTICE
# lists. Fails if a module has none.
#
#   scripts/licences.sh BINARY...
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() { echo "licences: $*" >&2; exit 1; }

[[ $# -gt 0 ]] || die "usage: scripts/licences.sh BINARY..."

# modules PATH VERSION of all binaries, each once.
modules() {
  for binary in "$@"; do
    go version -m "$binary" | awk '$1 == "dep" {print $2, $3}'
  done | sort -u
}

cat <<HEAD
Fathom
Homepage: https://github.com/fathom-edge/fathom
Copyright: the Fathom authors
Licence: Apache-2.0, which on Debian is in /usr/share/common-licenses/Apache-2.0

$(sed 1,3d NOTICE)

Go modules in the programs, with their licences:
HEAD
cache=$(go env GOMODCACHE)
list=$(modules "$@")
[[ -n $list ]] || die "$1 names no modules: not a Go binary?"
while read -r path version; do
  # The cache writes capitals as ! and the small letter.
  dir=$cache/$(sed 's/[A-Z]/!\l&/g' <<<"$path")@$(sed 's/[A-Z]/!\l&/g' <<<"$version")
  files=$(find "$dir" -maxdepth 1 -type f \( -iname 'licen[cs]e*' -o -iname 'copying*' -o -iname 'notice*' -o -iname 'unlicense*' \) ! -name '*.go' 2>/dev/null | sort)
  [[ -n $files ]] || die "$path $version has no licence in $dir (run go mod download)"
  printf '\n%s\n%s %s\n%s\n' "$(printf '=%.0s' {1..70})" "$path" "$version" "$(printf '=%.0s' {1..70})"
  while read -r file; do
    echo
    tr -d '\r' <"$file"
  done <<<"$files"
done <<<"$list"
printf '\n%s\nTensorFlow Lite (libtensorflowlite_c.so)\n%s\n\nCopyright The TensorFlow Authors. Licence: Apache-2.0, as above.\n' "$(printf '=%.0s' {1..70})" "$(printf '=%.0s' {1..70})"
for copyright in native/jpeg_linux_*/copyright; do
  [[ -e $copyright ]] || continue
  printf '\n%s\nlibjpeg-turbo\n%s\n\n' "$(printf '=%.0s' {1..70})" "$(printf '=%.0s' {1..70})"
  cat "$copyright"
  break
done
