#!/usr/bin/env bash
# Converts the demo family with the arm64 release under qemu and compares the
# bundle with the committed one, byte for byte but for the measurements in
# evidence.json. Run make dist first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() { echo "qemu-convert: $*" >&2; exit 1; }

fathom=dist/fathom_linux_arm64/bin/fathom
[[ -x $fathom ]] || die "$fathom is missing: run  make dist"
command -v qemu-aarch64 >/dev/null 2>&1 || die "qemu-aarch64 is not installed: run  sudo apt-get install --no-install-recommends qemu-user"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
qemu-aarch64 -L /usr/aarch64-linux-gnu "$fathom" convert testdata/families/demo -o "$out/bundle" >"$out/log" 2>&1 ||
  { cat "$out/log" >&2; die "the conversion failed"; }
diff -r --exclude=evidence.json testdata/bundles/demo "$out/bundle" || die "arm64 writes another bundle than the committed one"
echo "qemu-convert: same bytes"
