package fastcpu

import (
	"runtime"
	"sync"
)

// parallel splits [0, n) into one range for each processor and runs f on all of them; part numbers the ranges from 0.
// Ranges are multiples of align (but for the last). Fewer than minimum items run on the caller alone.
func parallel(n, align, minimum int, f func(part, lo, hi int)) {
	parts := runtime.GOMAXPROCS(0)
	if n < minimum || parts == 1 {
		f(0, 0, n)
		return
	}
	size := (n + parts - 1) / parts
	size = (size + align - 1) / align * align
	var wg sync.WaitGroup
	for part := 1; part*size < n; part++ {
		wg.Go(func() { f(part, part*size, min(n, (part+1)*size)) })
	}
	f(0, 0, min(n, size))
	wg.Wait()
}
