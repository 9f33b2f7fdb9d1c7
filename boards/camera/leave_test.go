package camera

import (
	"context"
	"image"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// ticking is a camera that gives so many pictures of one pixel, one every period, and then ends or hangs.
type ticking struct {
	period time.Duration
	left   int
	ends   bool
}

func (f *ticking) next(ctx context.Context, buf []byte) ([]byte, error) {
	if f.left == 0 && f.ends {
		return nil, errFinished
	}
	if f.left == 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	f.left--
	select {
	case <-time.After(f.period):
		return append(buf[:0], 1), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (f *ticking) picture([]byte, image.Point, image.Image) (image.Image, error) {
	return image.NewGray(image.Rect(0, 0, 1, 1)), nil
}

func (f *ticking) close() {}

func TestLeave(t *testing.T) {
	open := func(t *testing.T, f *ticking) *Stream {
		s, err := newStream(link{"ticking", func(context.Context) (feed, error) { return f, nil }, error.Error}, StreamOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	next := func(t *testing.T, s *Stream, number uint64, age time.Duration) {
		t.Helper()
		f, err := s.Next(t.Context())
		if err != nil || f.Sequence != number || time.Since(f.Captured) != age {
			t.Fatalf("picture %d, %v old, %v, want %d, %v old", f.Sequence, time.Since(f.Captured), err, number, age)
		}
	}
	const ms = time.Millisecond
	yes := func(age, period time.Duration) bool { return true }
	synctest.Test(t, func(t *testing.T) {
		s := open(t, &ticking{period: 50 * ms, left: 1000})
		defer s.Close()
		s.Leave(func(age, period time.Duration) bool { t.Error("there is no picture yet"); return true })
		next(t, s, 1, 0)
		s.Leave(func(age, period time.Duration) bool { t.Error("it was shown"); return true })
		time.Sleep(170 * ms)
		s.Leave(func(age, period time.Duration) bool {
			if age != 20*ms || period != 50*ms {
				t.Errorf("%v old, every %v", age, period)
			}
			return false
		})
		next(t, s, 4, 20*ms)
		time.Sleep(50 * ms)
		s.Leave(yes)
		next(t, s, 6, 0)
	})
	synctest.Test(t, func(t *testing.T) {
		s := open(t, &ticking{period: 50 * ms, left: 3, ends: true})
		defer s.Close()
		time.Sleep(time.Second)
		s.Leave(yes)
		next(t, s, 3, 850*ms)
		if _, err := s.Next(t.Context()); err != io.EOF {
			t.Error(err)
		}
	})
}

func TestRhythm(t *testing.T) {
	var r rhythm
	now := time.Unix(1000, 0)
	for i, tt := range []struct{ after, want time.Duration }{{0, 0}, {40, 40}, {40, 40}, {120, 50}, {50, 50}} {
		now = now.Add(tt.after)
		if got := r.beat(now); got != tt.want {
			t.Errorf("beat %d: %v, want %v", i, got, tt.want)
		}
	}
}
