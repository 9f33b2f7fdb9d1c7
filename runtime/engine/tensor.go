package engine

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/fathom-edge/fathom/runtime/preprocess"
)

// tensor is a preprocessed frame, or the input or output of a segment in
// TFLite's own memory, valid until the segment is closed: floats, or the codes of
// a quantized one.
type tensor struct {
	shape  []int
	floats []float32
	codes  []int8
	scale  preprocess.Quantization // of codes
}

func (t tensor) len() int { return len(t.floats) + len(t.codes) }

// memory is where the values are.
func (t tensor) memory() unsafe.Pointer {
	if t.codes != nil {
		return unsafe.Pointer(&t.codes[0])
	}
	return unsafe.Pointer(&t.floats[0])
}

// same says whether two views are of the same memory.
func (t tensor) same(u tensor) bool {
	if len(t.floats) != len(u.floats) || len(t.codes) != len(u.codes) {
		return false
	}
	if t.codes != nil {
		return &t.codes[0] == &u.codes[0]
	}
	return &t.floats[0] == &u.floats[0]
}

// set fills the tensor from values of its length.
func (t tensor) set(values []float32) {
	if t.codes != nil {
		t.scale.Quantize(t.codes, values)
		return
	}
	copy(t.floats, values)
}

// get writes the tensor's values to dst, of its length.
func (t tensor) get(dst []float32) {
	if t.codes != nil {
		t.scale.Dequantize(dst, t.codes)
		return
	}
	copy(dst, t.floats)
}

// copyFrom takes over a tensor of the same length: a frame, or the output of the
// segment before, which stores its values alike, as the manifest was checked for.
func (t tensor) copyFrom(u tensor) {
	if t.codes != nil && u.codes == nil {
		t.set(u.floats)
		return
	}
	copy(t.floats, u.floats)
	copy(t.codes, u.codes)
}

// check compares the tensor with what the manifest says of it.
func (t tensor) check(shape []int, q *preprocess.Quantization) error {
	if !slices.Equal(t.shape, shape) {
		return fmt.Errorf("is %v, but the manifest says %v", t.shape, shape)
	}
	switch {
	case t.codes == nil && q != nil:
		return fmt.Errorf("is float32, but the manifest says int8")
	case t.codes != nil && q == nil:
		return fmt.Errorf("is int8, but the manifest says float32")
	case q != nil && t.scale != *q:
		return fmt.Errorf("has scale %g and zero point %d, but the manifest says %g and %d", t.scale.Scale, t.scale.ZeroPoint, q.Scale, q.ZeroPoint)
	}
	return nil
}
