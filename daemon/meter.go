package daemon

import (
	"image"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/fathom-edge/fathom/runtime/engine"
)

// inferMetered infers and tells how long that kept the processor busy: the
// latency, but never more than the processor time of the frame, so that waiting
// for another program does not heat a simulated board.
func inferMetered(e Engine, picture image.Image) (engine.Result, time.Duration, error) {
	runtime.LockOSThread() // the processor time is that of the thread
	defer runtime.UnlockOSThread()
	before, ok := threadTime()
	r, err := e.Infer(picture)
	busy := r.Latency
	if after, stillOK := threadTime(); ok && stillOK {
		busy = min(busy, after-before)
	}
	return r, busy, err
}

// threadTime is the processor time of this thread so far.
func threadTime() (time.Duration, bool) {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return 0, false
	}
	return time.Duration(t.Nano()), true
}
