package engine

import goruntime "runtime"

// onOwnThread runs f on a thread of the system that ends with it. malloc gives each
// thread an arena of its own and keeps what that thread freed in a cache: bundles
// loaded and freed by whatever threads Go has leave pieces in all of them, and
// those add up over hundreds of swaps. The arena of a thread that ended goes to
// the next, and its cache is emptied.
func onOwnThread(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		goruntime.LockOSThread() // and never unlocked: so the thread ends
		f()
	}()
	<-done
}
