#!/usr/bin/env bash
# Makes packages of the folders that scripts/dist.sh built, in dist/packages/:
#
#   scripts/package.sh [amd64|arm64]...     default: both
#
#   fathom_VERSION_ARCH.deb              for Debian, Raspberry Pi OS, Ubuntu, JetPack
#   fathom_VERSION_linux_ARCH.tar.gz     for others
#   fathom-static_VERSION_OS_ARCH        programs without inference, if scripts/dist.sh static built them,
#   fathom-static_VERSION_licences.txt   and their licences; .deb and archive hold their own
#   PROGRAM_VERSION_OS_ARCH.cdx.json     what is inside each program: CycloneDX
#   SHA256SUMS, SHA256SUMS.minisig       checksums, signed if FATHOM_SIGN_KEY names a secret key of fathom sign
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

# What the TensorFlow Lite library needs: GLIBCXX_3.4.26 on amd64; on arm64 its symbols
# name no version, and the newest of them came with GLIBCXX_3.4.22.
declare -A DEPENDS=([amd64]="libc6 (>= 2.29), libstdc++6 (>= 9)" [arm64]="libc6 (>= 2.27), libstdc++6 (>= 6)")

# document ARCH: documents and licences, and what starts the daemon, in the folder's share/doc/.
document() {
  local tree=dist/fathom_linux_$1 doc
  doc=$tree/share/doc/fathom
  rm -rf "$tree/share/doc"
  mkdir -p "$doc/examples"
  cp deploy/fathomd.service deploy/fathomd.yaml deploy/90-fathom.rules deploy/jetson-csi.conf "$doc/examples/"
  scripts/licences.sh "$tree/bin/fathom" "$tree/bin/fathomd" >"$doc/copyright"
  cp NOTICE "$doc/NOTICE"
  printf 'fathom (%s) unstable; urgency=medium\n\n  * Release %s.\n\n -- Fathom maintainers <maintainers@fathom-edge.invalid>  %s\n' \
    "$version" "$version" "$(date -R -u -d "$time")" | gzip -9n >"$doc/changelog.gz"
}

# bill NAME BINARY [LIBRARY]: the modules of a program, and the library beside it.
bill() {
  local file=$out/$1.cdx.json
  "$tools/cyclonedx-gomod" bin -json -noserial -version "$version" -output "$file.part" "$2"
  python3 - "$file.part" "$time" "$2" "${@:3}" <<'PYTHON'
import hashlib, json, sys
file, time, program, *libraries = sys.argv[1:]
with open(file) as f:
    bill = json.load(f)
bill["metadata"]["timestamp"] = time
for tool in bill["metadata"].get("tools", []):
    tool.pop("hashes", None)  # of the machine that built the tool
for library in libraries:
    with open(library, "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    bill["components"].append({
        "type": "library", "name": "tensorflow-lite", "version": "2.9.0",
        "purl": "pkg:npm/tfjs-tflite-node@0.0.2",
        "hashes": [{"alg": "SHA-256", "content": digest}],
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    })
with open(program, "rb") as f:
    linked = b"libjpeg-turbo version 2.1.5" in f.read()
if linked:
    bill["components"].append({
        "type": "library", "name": "libjpeg-turbo", "version": "2.1.5",
        "purl": "pkg:deb/debian/libturbojpeg0-dev@2.1.5-2?distro=bookworm",
        "licenses": [{"license": {"id": "IJG"}}, {"license": {"id": "BSD-3-Clause"}}, {"license": {"id": "Zlib"}}],
    })
with open(file, "w") as f:
    json.dump(bill, f, indent=2)
    f.write("\n")
PYTHON
  mv "$file.part" "$file"
}

package() {
  local arch=$1 tree=dist/fathom_linux_$1 program
  [[ -x $tree/bin/fathomd ]] || die "$tree is missing: run  scripts/dist.sh $arch"
  grep -q "libjpeg-turbo version" "$tree/bin/fathomd" || die "$tree has no libjpeg-turbo in it: run  scripts/dist.sh $arch"
  document "$arch"
  find "$tree" -exec touch -h -d "$time" {} +
  sed -e "s|\${ARCH}|$arch|; s|\${VERSION}|$version|; s|\${MTIME}|$time|; s|\${TREE}|$tree|; s|\${DEPENDS}|${DEPENDS[$arch]}|" deploy/nfpm.yaml >"$out/nfpm.yaml"
  "$tools/nfpm" package --config "$out/nfpm.yaml" --packager deb --target "$out/plain.deb" >/dev/null
  # dpkg's own xz takes seconds where nfpm's takes minutes; one thread, since the number of threads shows in the bytes.
  dpkg-deb -R "$out/plain.deb" "$out/plain"
  chmod -R u=rwX,go=rX "$out/plain" # whatever the umask was
  find "$out/plain" -exec touch -h -d "$time" {} +
  SOURCE_DATE_EPOCH=$(date -d "$time" +%s) dpkg-deb -Zxz --threads-max=1 --root-owner-group -b "$out/plain" "$out/fathom_${version}_$arch.deb" >/dev/null
  rm -rf "$out/nfpm.yaml" "$out/plain.deb" "$out/plain"
  tar --sort=name --mtime="$time" --owner=0 --group=0 --numeric-owner --mode=u+rwX,go=rX \
    --transform "s,^fathom_linux_$arch,fathom_$version," -C dist -c "fathom_linux_$arch" | gzip -9n >"$out/fathom_${version}_linux_$arch.tar.gz"
  for program in fathom fathomd; do
    bill "${program}_${version}_linux_$arch" "$tree/bin/$program" "$tree/lib/fathom/libtensorflowlite_c.so"
  done
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
    name=${name/_/_${version}_}
    cp "$file" "$out/$name"
    bill "$name" "$file"
  done
  scripts/licences.sh dist/static/* >"$out/fathom-static_${version}_licences.txt"
fi
(cd "$out" && sha256sum -- * >SHA256SUMS.part && mv SHA256SUMS.part SHA256SUMS)
if [[ -n ${FATHOM_SIGN_KEY:-} ]]; then
  bin/fathom sign "$out/SHA256SUMS" --key "$FATHOM_SIGN_KEY"
else
  echo "package: UNSIGNED: nothing vouches for SHA256SUMS; for a release, set FATHOM_SIGN_KEY to a secret key of fathom sign" >&2
fi
