package fastcpu

import (
	"sync"
	"unsafe"
)

// scratchPool keeps scratch areas by length.
var scratchPool sync.Map // int -> *sync.Pool

// getScratch returns n zeros.
func getScratch(n int) []float32 {
	s := rawScratch(n)
	clear(s)
	return s
}

// rawScratch returns n values of any content.
func rawScratch(n int) []float32 {
	if p, ok := scratchPool.Load(n); ok {
		if s, ok := p.(*sync.Pool).Get().(*[]float32); ok {
			return *s
		}
	}
	return make([]float32, n)
}

func putScratch(s []float32) {
	p, ok := scratchPool.Load(len(s))
	if !ok {
		p, _ = scratchPool.LoadOrStore(len(s), &sync.Pool{})
	}
	p.(*sync.Pool).Put(&s)
}

func ptr(s []float32) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(s)) }

// addAll adds the parts, in order, to the first one that is there, and returns it; the others go back to the scratch pool.
func addAll(parts [][]float32) []float32 {
	var total []float32
	for _, s := range parts {
		switch {
		case s == nil:
		case total == nil:
			total = s
		default:
			binaryBlock(opAdd, total, vector{data: total}, vector{data: s})
			putScratch(s)
		}
	}
	return total
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }
