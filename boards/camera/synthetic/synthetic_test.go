package synthetic

import (
	"context"
	"errors"
	"image"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fathom-edge/fathom/glyphs"
)

func small(t testing.TB) *Camera {
	c, err := New(Options{Width: 64, Height: 48, FPS: 10, Hold: time.Second, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestNewestFrameWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := small(t)
		start := time.Now()
		for _, step := range []struct {
			pause time.Duration
			want  uint64
			at    time.Duration // since the start, when Next returns
		}{
			{0, 0, 0},
			{0, 1, 100 * time.Millisecond},
			{350 * time.Millisecond, 4, 450 * time.Millisecond}, // 2 and 3 are dropped, 4 is the newest
			{0, 5, 500 * time.Millisecond},
		} {
			time.Sleep(step.pause)
			f, err := c.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if f.Sequence != step.want || time.Since(start) != step.at {
				t.Fatalf("after %v: frame %d at %v, want %d at %v", step.pause, f.Sequence, time.Since(start), step.want, step.at)
			}
			if want := start.Add(time.Duration(f.Sequence) * 100 * time.Millisecond); !f.Captured.Equal(want) {
				t.Fatalf("frame %d captured at %v, want %v", f.Sequence, f.Captured, want)
			}
		}
	})
}

func TestTruthChangesAndIsALabel(t *testing.T) {
	c := small(t)
	var labels []string
	for second := range uint64(12) {
		first, last := c.render(10*second), c.render(10*second+9)
		if first != last {
			t.Errorf("second %d: truth changes from %s to %s within its hold", second, first, last)
		}
		if !slices.Contains(glyphs.Labels, first) {
			t.Errorf("truth %q is not a label", first)
		}
		labels = append(labels, first)
	}
	slices.Sort(labels)
	if n := len(slices.Compact(labels)); n < 6 {
		t.Errorf("only %d labels in 12 scenes", n)
	}
}

func TestFramesDependOnSeedAndNumberAlone(t *testing.T) {
	paint := func(seed, number uint64) *image.RGBA {
		c, err := New(Options{Width: 64, Height: 48, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		c.render(number + 50) // what was painted before leaves no trace
		c.render(number)
		return c.picture
	}
	if !slices.Equal(paint(1, 7).Pix, paint(1, 7).Pix) {
		t.Error("the same frame differs between two cameras")
	}
	if slices.Equal(paint(1, 7).Pix, paint(2, 7).Pix) {
		t.Error("two seeds show the same frame")
	}
	if slices.Equal(paint(1, 7).Pix, paint(1, 8).Pix) {
		t.Error("two frames are the same")
	}
}

func TestMotionIsSmooth(t *testing.T) {
	c := small(t)
	before := c.sceneAt(0, 0)
	for n := uint64(1); n < 10; n++ {
		s := c.sceneAt(c.timeOf(n), n)
		dx, dy := s.Pose.X-before.Pose.X, s.Pose.Y-before.Pose.Y
		if step := max(dx, -dx, dy, -dy); step == 0 || step > 0.01 {
			t.Errorf("frame %d: the glyph jumps by %v frames", n, step)
		}
		before = s
	}
}

func TestEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := small(t)
		ctx, cancel := context.WithCancel(t.Context())
		if _, err := c.Next(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
		if _, err := c.Next(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled Next: %v", err)
		}
		time.AfterFunc(10*time.Millisecond, func() { c.Close() })
		if _, err := c.Next(t.Context()); !errors.Is(err, io.EOF) {
			t.Errorf("Next on a closed camera: %v", err)
		}
		if err := c.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
	})
}

func TestNewRefuses(t *testing.T) {
	for _, o := range []Options{{Width: 8, Height: 8}, {Width: 640}, {Width: 9000, Height: 480}, {FPS: -1}, {FPS: 1e9}, {Hold: -1}} {
		if c, err := New(o); err == nil || c != nil {
			t.Errorf("%+v: camera %v, error %v", o, c != nil, err)
		}
	}
}

func BenchmarkFrame(b *testing.B) {
	c, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	for n := uint64(0); b.Loop(); n++ {
		c.render(n * 45)
	}
}
