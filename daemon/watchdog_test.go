package daemon

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// The watchdog is fed between two frames and while one is young, and not while one is stuck.
func TestWatchdogIsFedWhileFramesFlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(context.Background())
		var fed atomic.Int64
		p := &Pipeline{}
		d := &daemon{pipeline: p, options: Options{
			Config: Config{StaleAfter: Duration(10 * time.Second)}, Log: slog.New(slog.DiscardHandler),
			Watchdog: &Watchdog{Every: time.Second, Feed: func() { fed.Add(1) }},
		}}
		done := make(chan struct{})
		go func() { d.feedWatchdog(ctx); close(done) }()
		after := func(what string, wait time.Duration, want int64) {
			t.Helper()
			fed.Store(0)
			time.Sleep(wait)
			synctest.Wait()
			if got := fed.Load(); got != want {
				t.Errorf("%s: fed %d times, want %d", what, got, want)
			}
		}
		synctest.Wait()
		after("nothing to do", 100*time.Second, 100)
		p.turn.begin(time.Now())
		after("young", 10*time.Second, 10)
		after("stuck", 100*time.Second, 0)
		p.turn.begin(time.Now()) // another frame is taken, the first was never classified
		after("still stuck", 100*time.Second, 0)
		p.turn.end()
		after("flowing again", 10*time.Second, 10)
		end()
		<-done
	})
}
