#!/usr/bin/env bash
# Makes packages of the folders that scripts/dist.sh built, in dist/packages/:
#
#   scripts/package.sh [amd64|arm64]...     default: both
#
#   fathom_VERSION_ARCH.deb              for Debian, Raspberry Pi OS, Ubuntu, JetPack
#   fathom_VERSION_linux_ARCH.tar.gz     for others
#   fathom(d)_VERSION_linux_ARCH.cdx.json  what is inside: CycloneDX
#   SHA256SUMS, SHA256SUMS.minisig       checksums; signed if FATHOM_SIGN_KEY names a secret key of fathom sign
#
# The same commit gives the same bytes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() { echo "package: $*" >&2; exit 1; }

for tool in dpkg-deb xz tar sha256sum; do
  command -v $tool >/dev/null 2>&1 || die "$tool is not installed: run  make deps"
done
version=$(scripts/version.sh)
time=$(scripts/version.sh time)
out=dist/packages
tools=$PWD/.cache/tools

declare -A GLIBC=([amd64]=2.29 [arm64]=2.27) # of the TensorFlow Lite library

# document ARCH: documents, licences and Debian's bookkeeping, in the folder's share/.
document() {
  local tree=dist/fathom_linux_$1 doc
  doc=$tree/share/doc/fathom
  rm -rf "$tree/share/doc" "$tree/share/lintian"
  mkdir -p "$doc" "$tree/share/lintian/overrides"
  scripts/licences.sh "$tree/bin/fathom" "$tree/bin/fathomd" >"$doc/copyright"
  cp NOTICE "$doc/NOTICE"
  printf 'fathom (%s) unstable; urgency=medium\n\n  * Release %s.\n\n -- Fathom maintainers <maintainers@fathom-edge.invalid>  %s\n' \
    "$version" "$version" "$(date -R -u -d "$time")" | gzip -9n >"$doc/changelog.gz"
  cp deploy/fathom.lintian-overrides "$tree/share/lintian/overrides/fathom"
}

# bill ARCH: the modules of each program, and the library beside them.
bill() {
  local program file
  for program in fathom fathomd; do
    file=$out/${program}_${version}_linux_$1.cdx.json
    "$tools/cyclonedx-gomod" bin -json -noserial -version "$version" -output "$file.part" "dist/fathom_linux_$1/bin/$program"
    python3 - "$file.part" "dist/fathom_linux_$1/lib/fathom/libtensorflowlite_c.so" "$time" <<'PYTHON'
import hashlib, json, sys
file, library, time = sys.argv[1:]
with open(file) as f:
    bill = json.load(f)
bill["metadata"]["timestamp"] = time
with open(library, "rb") as f:
    digest = hashlib.sha256(f.read()).hexdigest()
bill["components"].append({
    "type": "library", "name": "tensorflow-lite", "version": "2.9.0",
    "purl": "pkg:npm/tfjs-tflite-node@0.0.2",
    "hashes": [{"alg": "SHA-256", "content": digest}],
    "licenses": [{"license": {"id": "Apache-2.0"}}],
})
with open(file, "w") as f:
    json.dump(bill, f, indent=2)
    f.write("\n")
PYTHON
    mv "$file.part" "$file"
  done
}

package() {
  local arch=$1 tree=dist/fathom_linux_$1
  [[ -x $tree/bin/fathomd ]] || die "$tree is missing: run  scripts/dist.sh $arch"
  document "$arch"
  find "$tree" -exec touch -h -d "$time" {} +
  sed -e "s|\${ARCH}|$arch|; s|\${VERSION}|$version|; s|\${MTIME}|$time|; s|\${TREE}|$tree|; s|\${GLIBC}|${GLIBC[$arch]}|" deploy/nfpm.yaml >"$out/nfpm.yaml"
  "$tools/nfpm" package --config "$out/nfpm.yaml" --packager deb --target "$out/plain.deb" >/dev/null
  # dpkg's own xz takes seconds where nfpm's takes minutes; one thread, since the number of threads shows in the bytes.
  dpkg-deb -R "$out/plain.deb" "$out/plain"
  find "$out/plain" -exec touch -h -d "$time" {} +
  SOURCE_DATE_EPOCH=$(date -d "$time" +%s) dpkg-deb -Zxz --threads-max=1 --root-owner-group -b "$out/plain" "$out/fathom_${version}_$arch.deb" >/dev/null
  rm -rf "$out/nfpm.yaml" "$out/plain.deb" "$out/plain"
  tar --sort=name --mtime="$time" --owner=0 --group=0 --numeric-owner --mode=u+rwX,go=rX \
    --transform "s,^fathom_linux_$arch,fathom_$version," -C dist -c "fathom_linux_$arch" | gzip -9n >"$out/fathom_${version}_linux_$arch.tar.gz"
  bill "$arch"
  echo "package: $out/fathom_${version}_$arch.deb is ready"
}

arches=("$@")
[[ ${#arches[@]} -gt 0 ]] || arches=(amd64 arm64)
mkdir -p "$tools"
GOBIN=$tools go -C deploy/tools install tool
rm -rf "$out"
mkdir -p "$out"
for arch in "${arches[@]}"; do
  package "$arch"
done
if [[ -d dist/static ]]; then
  for file in dist/static/*; do
    name=$(basename "$file")
    cp "$file" "$out/${name/fathom_/fathom_${version}_}"
  done
fi
(cd "$out" && sha256sum -- * >SHA256SUMS.part && mv SHA256SUMS.part SHA256SUMS)
if [[ -n ${FATHOM_SIGN_KEY:-} ]]; then
  bin/fathom sign "$out/SHA256SUMS" --key "$FATHOM_SIGN_KEY"
else
  echo "package: SHA256SUMS is not signed: set FATHOM_SIGN_KEY to a secret key for a release" >&2
fi
