package camera

import (
	"context"
	"image"
	"testing"
	"testing/synctest"
	"time"
)

// ticking is a camera that gives a picture of one pixel every period, from 1 on, until it has given so many.
type ticking struct {
	period time.Duration
	left   int
}

func (f *ticking) next(ctx context.Context, buf []byte) ([]byte, error) {
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

func (f *ticking) picture([]byte, image.Point) (image.Image, error) {
	return image.NewGray(image.Rect(0, 0, 1, 1)), nil
}

func (f *ticking) close() {}

// A reader that is slower than the camera gets pictures that have just come; where none comes any more, or only after long, the one
// that is there.
func TestNextIsFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			camera ticking
			pause  time.Duration
			want   time.Duration // greatest age
		}{
			{ticking{50 * time.Millisecond, 1000}, 70 * time.Millisecond, fresh},
			{ticking{50 * time.Millisecond, 1000}, 333 * time.Millisecond, fresh},
			{ticking{time.Second, 1000}, 1700 * time.Millisecond, time.Second},
		} {
			s, err := newStream(link{"ticking", func(context.Context) (feed, error) { return &tt.camera, nil }, error.Error}, StreamOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for i := range 20 {
				f, err := s.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if age := time.Since(f.Captured); age > tt.want && i > 1 {
					t.Errorf("every %v, asked every %v: picture %d is %v old", tt.camera.period, tt.pause, i, age)
				}
				time.Sleep(tt.pause)
			}
			s.Close()
		}
		last := ticking{50 * time.Millisecond, 4}
		s, err := newStream(link{"ending", func(context.Context) (feed, error) { return &last, nil }, error.Error}, StreamOptions{})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(210 * time.Millisecond)
		if f, err := s.Next(t.Context()); err != nil || f.Sequence != 4 || time.Since(f.Captured) > 80*time.Millisecond {
			t.Errorf("the last picture of a camera that hangs: %d, %v", f.Sequence, err)
		}
		s.Close()
	})
}
