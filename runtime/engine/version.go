//go:build cgo

package engine

// #include <tensorflow/lite/c/c_api.h>
import "C"

// LibraryVersion is that of the TensorFlow Lite library that is loaded, e.g. "2.9.0".
func LibraryVersion() string { return C.GoString(C.TfLiteVersion()) }
