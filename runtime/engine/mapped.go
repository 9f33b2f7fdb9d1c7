//go:build cgo

package engine

/*
#include <stdlib.h>
#include <tensorflow/lite/c/c_api.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

// glibc keeps what was freed below what is still used, which after a swap is
// most of the old bundle.
static void fathom_return_memory(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}
*/
import "C"

import (
	"fmt"
	"unsafe"

	"github.com/mattn/go-tflite"
	"golang.org/x/sys/unix"

	"github.com/fathom-edge/fathom/runtime/bundle"
)

// TFLite maps a file and reads weights from the mapping while it runs. Whoever
// shortens that file ends the process (SIGBUS), and whoever writes to it changes
// the answers. So a bundle is run from a private copy.

// mapCopy returns verified bytes of a segment in pages of their own, read-only.
func mapCopy(b *bundle.Bundle, s *bundle.Segment) ([]byte, error) {
	data, err := unix.Mmap(-1, 0, int(s.Bytes), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("engine: %s: no memory for its %d bytes: %w", s.File, s.Bytes, err)
	}
	err = b.ReadSegment(s, data)
	if err == nil {
		err = unix.Mprotect(data, unix.PROT_READ)
	}
	if err != nil {
		unmap(data)
		return nil, err
	}
	return data, nil
}

func unmap(data []byte) { _ = unix.Munmap(data) } // fails only for what mapCopy never returns

// newModel reads a model from bytes that outlive it; nil if it is none.
// tflite.NewModel would make a copy that it never frees, so its one field is set
// here.
func newModel(data []byte) *tflite.Model {
	m := C.TfLiteModelCreate(unsafe.Pointer(&data[0]), C.size_t(len(data)))
	if m == nil {
		return nil
	}
	model := new(tflite.Model)
	*(**C.TfLiteModel)(unsafe.Pointer(model)) = m
	return model
}

// A tflite.Model of another size would hold something else.
var _ [unsafe.Sizeof(uintptr(0))]byte = [unsafe.Sizeof(tflite.Model{})]byte{}

// returnMemory gives what was freed back to the system.
func returnMemory() { C.fathom_return_memory() }
