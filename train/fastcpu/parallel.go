package fastcpu

import (
	"runtime"
	"sync/atomic"
)

// chunksPerProcessor is how many chunks of work a processor gets on average: with more than one, a processor that is
// busy with another program is waited for less.
const chunksPerProcessor = 4

// maxParts bounds the part numbers of parallel.
func maxParts() int { return chunksPerProcessor * runtime.GOMAXPROCS(0) }

// parallel splits [0, n) into at most maxParts ranges and runs f on all of them, on all processors; part numbers the
// ranges from 0. The ranges depend on n, align and GOMAXPROCS alone, and are multiples of align (but for the last). Fewer
// than minimum items are one range.
func parallel(n, align, minimum int, f func(part, lo, hi int)) {
	procs := runtime.GOMAXPROCS(0)
	if n < minimum || procs == 1 {
		f(0, 0, n)
		return
	}
	size := (n + maxParts() - 1) / maxParts()
	size = (size + align - 1) / align * align
	parts := int64((n + size - 1) / size)
	var next, finished atomic.Int64
	done := make(chan struct{})
	work := func() {
		for {
			part := int(next.Add(1)) - 1
			if part >= int(parts) {
				return
			}
			f(part, part*size, min(n, (part+1)*size))
			if finished.Add(1) == parts {
				close(done)
			}
		}
	}
	for range min(procs, int(parts)) - 1 {
		go work()
	}
	work()
	<-done
}
