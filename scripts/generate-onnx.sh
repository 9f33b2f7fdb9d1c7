#!/bin/sh
# Generates convert/onnx/pb/onnx.pb.go from onnx.proto. Needs protoc (Debian:
# apt-get install protobuf-compiler); protoc-gen-go is built at the version of
# google.golang.org/protobuf in go.mod. The version of protoc is left out of the
# result, so that any protoc that knows proto3 gives the same bytes.
set -eu
cd "$(dirname "$0")/.."
folder=convert/onnx/pb

command -v protoc >/dev/null || {
	echo "generate-onnx: protoc not found: install it (Debian: apt-get install protobuf-compiler)" >&2
	exit 1
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
go build -o "$scratch/protoc-gen-go" google.golang.org/protobuf/cmd/protoc-gen-go
protoc --plugin=protoc-gen-go="$scratch/protoc-gen-go" \
	--go_out="$scratch" --go_opt=paths=source_relative "$folder/onnx.proto"
sed '/^\/\/ \tprotoc  *v/d' "$scratch/$folder/onnx.pb.go" >"$scratch/onnx.pb.go"
cp "$scratch/onnx.pb.go" "$folder/onnx.pb.go"
