package daemon

import (
	"context"
	"image"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fathom-edge/fathom/boards/camera"
	"github.com/fathom-edge/fathom/daemon/events"
	"github.com/fathom-edge/fathom/governor"
	"github.com/fathom-edge/fathom/runtime/engine"
)

// metronome is a camera whose frames come at their own pace, each a little early or late.
type metronome struct {
	began   time.Time
	period  time.Duration
	jitter  []time.Duration
	stopped uint64 // no frame comes after this one; 0 for never
	shown   uint64
	ages    []time.Duration
}

func (m *metronome) at(number uint64) time.Time {
	at := m.began.Add(time.Duration(number) * m.period)
	if len(m.jitter) > 0 {
		at = at.Add(m.jitter[number%uint64(len(m.jitter))])
	}
	return at
}

func (m *metronome) newest() uint64 {
	number := m.shown
	for m.stopped != number && !m.at(number+1).After(time.Now()) {
		number++
	}
	return number
}

func (m *metronome) Leave(stale func(age, period time.Duration) bool) {
	if n := m.newest(); n > m.shown && stale(time.Since(m.at(n)), m.period) {
		m.shown = n
	}
}

func (m *metronome) Next(ctx context.Context) (camera.Frame, error) {
	n := m.newest()
	if n == m.shown {
		if n++; n-1 == m.stopped && n > 1 {
			<-ctx.Done()
			return camera.Frame{}, ctx.Err()
		}
		select {
		case <-ctx.Done():
			return camera.Frame{}, ctx.Err()
		case <-time.After(time.Until(m.at(n))):
		}
	}
	m.shown = n
	m.ages = append(m.ages, time.Since(m.at(n)))
	return camera.Frame{Image: image.NewGray(image.Rect(0, 0, 8, 8)), Sequence: n, Captured: m.at(n)}, nil
}

func (m *metronome) Name() string { return "metronome" }
func (m *metronome) Close() error { return nil }

// busy is an engine that takes so long.
type busy struct {
	Engine
	work time.Duration
}

func (b busy) Infer(image.Image) (engine.Result, error) {
	time.Sleep(b.work)
	return engine.Result{Variant: "a-1", Scores: []float32{0.5, 0.5}}, nil
}

// A daemon with a rate of its own takes frames as they come, without classifying fewer of them; one that is as fast as its
// model takes the newest at once.
func TestPipelinePace(t *testing.T) {
	const ms = time.Millisecond
	shaky := []time.Duration{0, 4 * ms, -3 * ms, 5 * ms, -5 * ms, 2 * ms, 0, -4 * ms}
	for name, tt := range map[string]struct {
		camera       metronome
		period, work time.Duration
		least, most  int           // frames in 20 s
		oldest       time.Duration // of the frames after the first second
		stale        int           // frames that may be older
		others       time.Duration // how old those are at most
	}{
		"as fast as the camera":                 {metronome{period: 50 * ms}, 50 * ms, 5 * ms, 398, 401, fresh, 0, 0},
		"as fast as the camera, with much work": {metronome{period: 50 * ms}, 50 * ms, 35 * ms, 398, 401, fresh, 0, 0},
		"a camera that shakes":                  {metronome{period: 50 * ms, jitter: shaky}, 50 * ms, 5 * ms, 395, 401, fresh, 0, 0},
		"a camera a little faster":              {metronome{period: 49700 * time.Microsecond}, 50 * ms, 5 * ms, 394, 401, fresh, 0, 0},
		"a camera a little slower":              {metronome{period: 50300 * time.Microsecond}, 50 * ms, 5 * ms, 394, 401, fresh, 0, 0},
		"five a second of thirty":               {metronome{period: 33333 * time.Microsecond, jitter: shaky}, 200 * ms, 60 * ms, 99, 101, fresh, 0, 0},
		"fifteen a second of twenty":            {metronome{period: 50 * ms}, 66667 * time.Microsecond, 20 * ms, 299, 301, fresh, 0, 0},
		"no time to wait":                       {metronome{period: 50 * ms}, 83333 * time.Microsecond, 60 * ms, 239, 241, fresh, 160, 50 * ms},
		"as fast as the model":                  {metronome{period: 50 * ms}, ms, 60 * ms, 333, 334, fresh, 334, 50 * ms},
		"a fast camera, as fast as the model":   {metronome{period: 11 * ms}, ms, 60 * ms, 333, 334, fresh, 334, 11 * ms},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := tt.camera
				m.began = time.Now().Add(13 * ms)
				runPipeline(t, &m, busy{work: tt.work}, tt.period, 20*time.Second)
				if n := len(m.ages); n < tt.least || n > tt.most {
					t.Errorf("%d frames, want %d to %d", n, tt.least, tt.most)
				}
				stale := 0
				for i, age := range m.ages[int(time.Second/max(tt.period, tt.work)):] {
					if age > tt.oldest {
						stale++
					}
					if age > max(tt.oldest, tt.others) {
						t.Fatalf("frame %d is %v old", i, age)
					}
				}
				if stale > tt.stale {
					t.Errorf("%d of %d frames older than %v", stale, len(m.ages), tt.oldest)
				}
				t.Logf("%d frames, %d of them older than %v", len(m.ages), stale, tt.oldest)
			})
		})
	}
}

// A frame of a camera that hangs is looked at in the end.
func TestPipelineTakesTheLastFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &metronome{began: time.Now(), period: 50 * time.Millisecond, stopped: 7}
		runPipeline(t, m, busy{work: time.Millisecond}, 500*time.Millisecond, 10*time.Second)
		if m.shown != 7 || m.ages[len(m.ages)-1] == 0 {
			t.Errorf("frame %d of 7, %v", m.shown, m.ages)
		}
	})
}

func runPipeline(t *testing.T, source camera.Source, e Engine, period, length time.Duration) {
	t.Helper()
	monitor, _ := testMonitor(io.Discard)
	watches, err := NewWatches(DefaultConfig(), []string{"cat", "dog"})
	if err != nil {
		t.Fatal(err)
	}
	p := NewPipeline(PipelineConfig{Source: source, Engine: e, Watches: watches, Monitor: monitor, Viewfinder: NewViewfinder(time.Now),
		FramePeriod: period, Observe: func(governor.Observation) {}, Happened: func(events.Event, *camera.Frame) {}})
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	if err := p.Run(ctx); err != nil {
		t.Fatal(err)
	}
}
