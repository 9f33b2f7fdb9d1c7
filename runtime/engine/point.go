//go:build cgo

package engine

/*
#include <tensorflow/lite/c/c_api.h>
#include <tensorflow/lite/c/common.h>

static void fathom_point(TfLiteTensor* tensor, void* data) { tensor->data.raw = data; }
*/
import "C"

import "unsafe"

// point makes the interpreter take its input from t, of the same shape and type
// as s.in: so the output of a segment is the input of the next without a copy.
// XNNPACK, like TFLite's kernels, looks the address up at each run.
func (s *segment) point(t tensor) {
	if t.same(s.at) {
		return
	}
	C.fathom_point(*(**C.TfLiteTensor)(unsafe.Pointer(s.input)), t.memory()) // a tflite.Tensor is that pointer
	s.at = t
}
