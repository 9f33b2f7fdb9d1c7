package fastcpu

import (
	"runtime"
	"sync/atomic"
)

// maxParts bounds the part numbers of parallel. It is the same on every machine, so that sums over parts are too.
const maxParts = 16

// parallel splits [0, n) into at most maxParts ranges and runs f on all of them, on all processors; part numbers the
// ranges from 0. The ranges depend on n, align and minimum alone, and are multiples of align (but for the last). Fewer
// than minimum items are one range.
func parallel(n, align, minimum int, f func(part, lo, hi int)) {
	if n < minimum {
		f(0, 0, n)
		return
	}
	size := (n + maxParts - 1) / maxParts
	size = max(1, (size+align-1)/align) * align
	parts := (n + size - 1) / size
	var next, finished atomic.Int64
	done := make(chan struct{})
	work := func() {
		for {
			part := int(next.Add(1)) - 1
			if part >= parts {
				return
			}
			f(part, part*size, min(n, (part+1)*size))
			if int(finished.Add(1)) == parts {
				close(done)
			}
		}
	}
	if parts == 0 {
		return
	}
	for range min(runtime.GOMAXPROCS(0), parts) - 1 {
		go work()
	}
	work()
	<-done
}
