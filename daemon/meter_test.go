package daemon

import (
	"image"
	"testing"
	"time"

	"github.com/fathom-edge/fathom/runtime/engine"
)

// sleeper is an engine that waits for somebody else, and says that it was an inference.
type sleeper struct{ Engine }

func (sleeper) Infer(image.Image) (engine.Result, error) {
	time.Sleep(50 * time.Millisecond)
	return engine.Result{Latency: 50 * time.Millisecond}, nil
}

// spinner is an engine that works.
type spinner struct{ Engine }

func (spinner) Infer(image.Image) (engine.Result, error) {
	began, _ := threadTime()
	for {
		if now, _ := threadTime(); now-began >= 5*time.Millisecond {
			return engine.Result{Latency: 4 * time.Millisecond}, nil
		}
	}
}

func TestWaitingIsNotBusy(t *testing.T) {
	if _, busy, err := inferMetered(sleeper{}, nil); err != nil || busy > 10*time.Millisecond {
		t.Errorf("50 ms of sleep count as %v busy (%v)", busy, err)
	}
	if _, busy, err := inferMetered(spinner{}, nil); err != nil || busy != 4*time.Millisecond {
		t.Errorf("an inference of 4 ms counts as %v busy (%v)", busy, err)
	}
}
