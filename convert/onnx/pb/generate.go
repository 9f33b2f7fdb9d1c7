// Package pb is generated from onnx.proto: the part of the ONNX schema that
// Fathom uses. Package onnx is the way to read and write it.
package pb

//go:generate ../../../scripts/generate-onnx.sh
