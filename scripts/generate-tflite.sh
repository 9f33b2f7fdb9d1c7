#!/bin/sh
# Regenerates convert/tflite/schema/*.go from tflite.fbs. Needs flatc
# (Debian and Ubuntu: apt-get install flatbuffers-compiler) and Go.
set -eu
cd "$(dirname "$0")/.."
command -v flatc >/dev/null || {
	echo "generate-tflite: flatc not found (apt-get install flatbuffers-compiler)" >&2
	exit 1
}
out=convert/tflite/schema
rm -f "$out"/*.go
flatc --go -o "$out/.." "$out/tflite.fbs"
gofmt -w "$out"
