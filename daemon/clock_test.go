package daemon

import (
	"image"
	"io"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/boards/camera"
	"github.com/fathom-edge/fathom/boards/telemetry"
	"github.com/fathom-edge/fathom/daemon/events"
	"github.com/fathom-edge/fathom/daemon/journal"
	"github.com/fathom-edge/fathom/daemon/snapshots"
	"github.com/fathom-edge/fathom/runtime/engine"
)

// wall is a clock that somebody sets: its times carry a monotonic clock, which goes on.
type wall struct {
	began   time.Time
	elapsed time.Duration
	set     time.Duration
}

func (w *wall) Now() time.Time {
	t := w.began.Add(w.elapsed)
	// Package time keeps the wall clock's seconds above 30 bits of nanoseconds, and the monotonic clock apart.
	*(*uint64)(unsafe.Pointer(&t)) += uint64(w.set/time.Second) << 30
	return t
}

func (w *wall) pass(d time.Duration) time.Time {
	w.elapsed += d
	return w.Now()
}

func TestTheClockIsSet(t *testing.T) {
	for name, hours := range map[string]time.Duration{"forward": 7, "back": -7} {
		t.Run(name, func(t *testing.T) {
			w := &wall{began: time.Now()}
			set := func() { w.set += hours * time.Hour }
			set()
			if shift := w.Now().Round(0).Sub(w.began.Round(0)); shift != hours*time.Hour || w.Now().Sub(w.began) != 0 {
				t.Fatalf("the clock of this test is off by %v, %v", shift, w.Now().Sub(w.began))
			}

			t.Run("events", func(t *testing.T) {
				c := events.DefaultConfig()
				c.AppearAfter, c.GoneAfter = 0, 0
				var ids events.IDs
				tracker, err := events.NewTracker(c, []string{"cat"}, "", ids.New)
				if err != nil {
					t.Fatal(err)
				}
				came := tracker.Add(w.Now(), "a", []float64{1})
				set()
				went := tracker.Add(w.pass(20*time.Second), "a", []float64{0})
				if len(came) != 1 || len(went) != 1 || went[0].Kind != events.Gone || went[0].Seconds != 20 || went[0].Cause != "" ||
					!went[0].Time.Equal(w.Now().Round(0)) {
					t.Errorf("%+v, then %+v", came, went)
				}
			})

			t.Run("monitor", func(t *testing.T) {
				m, _ := testMonitor(io.Discard)
				m.config.Now, m.state.Started = w.Now, w.Now()
				show := func(label int) {
					scores := []float32{0.2, 0.2}
					scores[label] = 0.8
					picture := image.NewGray(image.Rect(0, 0, 64, 48))
					m.Classified(camera.Frame{Sequence: uint64(w.elapsed), Captured: w.Now(), Truth: "cat", Image: picture}, "", picture.Rect,
						engine.Result{Variant: "a-1", Scores: scores, Best: label}, []float64{float64(scores[0]), float64(scores[1])})
					m.Sensed(snapshot(telemetry.Known(50., w.Now())))
				}
				show(0)
				set()
				w.pass(5 * time.Second)
				show(1)
				if h := m.Health(); h.Status != HealthOK {
					t.Errorf("%+v", h)
				}
				w.pass(3 * time.Second)
				h, _ := m.History("minutes")
				if diff := cmp.Diff([]number{8, 3}, h.Age); diff != "" {
					t.Errorf("ages of the history (-want +got)\n%s", diff)
				}
				s := dated(m.State())
				now := w.Now().Round(0)
				got := []time.Duration{now.Sub(s.Started), now.Sub(s.Recent[1].Since), now.Sub(s.Recent[0].Since)}
				for i, want := range []time.Duration{8 * time.Second, 8 * time.Second, 3 * time.Second} {
					if (got[i] - want).Abs() > time.Second {
						t.Errorf("time %d of the state is %v ago, want %v", i, got[i], want)
					}
				}
				if s.Accuracy == nil || s.Accuracy.Of != 2 {
					t.Errorf("accuracy of %+v, want of both frames", s.Accuracy)
				}
				if again := dated(m.State()); !again.Started.Equal(s.Started) {
					t.Errorf("started %v, and then %v", s.Started, again.Started)
				}
				w.pass(time.Minute)
				if h := m.Health(); !h.Stale || h.Reasons[0] != "no frame classified for 1m3s" {
					t.Errorf("%+v", h)
				}
			})

			t.Run("noticed", func(t *testing.T) {
				var c setClock
				for i, want := range []time.Duration{0, 0, hours * time.Hour, 0} {
					if got := c.by(w.pass(time.Second)); got != want {
						t.Errorf("%d: set by %v, want %v", i, got, want)
					}
					if i == 1 {
						set()
					}
				}
			})

			t.Run("bounds of an hour", func(t *testing.T) {
				c := snapshots.DefaultConfig()
				c.Folder, c.PerHour = t.TempDir(), 1
				folder, err := snapshots.Open(c)
				if err != nil {
					t.Fatal(err)
				}
				limits := journal.DefaultConfig()
				limits.BytesPerHour = 1 << 20
				log, err := journal.OpenAt(t.TempDir()+"/log", limits, nil, w.Now)
				if err != nil {
					t.Fatal(err)
				}
				line := append(make([]byte, 600<<10), '\n')
				for i, want := range []struct {
					picture bool
					dropped uint64
				}{{true, 0}, {false, 1}, {true, 1}} {
					picture := folder.Reserve(w.Now())
					_, _ = log.Write(line)
					_ = log.Flush()
					if dropped := log.Stats().Dropped; picture != want.picture || dropped != want.dropped {
						t.Errorf("%d: %v, %d dropped, want %+v", i, picture, dropped, want)
					}
					set()
					if w.pass(time.Second); i > 0 {
						w.pass(time.Hour)
					}
				}
			})
		})
	}
}
