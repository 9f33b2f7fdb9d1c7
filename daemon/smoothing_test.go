package daemon

import (
	"image"
	"image/color"
	"math"
	"testing"
	"time"
)

// bars is a picture of vertical bars; a shift moves them, a gain dims them.
func bars(shift int, gain float64) image.Image {
	m := image.NewGray(image.Rect(0, 0, 96, 72))
	for y := range 72 {
		for x := range 96 {
			if (x+shift)/18%2 == 0 {
				m.SetGray(x, y, color.Gray{uint8(200 * gain)})
			}
		}
	}
	return m
}

func TestSmootherFollowsExponentially(t *testing.T) {
	s := NewSmoother(time.Second)
	at := time.Unix(0, 0)
	scene := bars(0, 1)
	s.Add(at, scene, []float32{1, 0})
	got := s.Add(at.Add(time.Second), scene, []float32{0, 1})
	if want := 1 / math.E; math.Abs(got[0]-want) > 1e-9 || math.Abs(got[0]+got[1]-1) > 1e-9 {
		t.Errorf("after one time constant: %v, want %v of the old answer", got, want)
	}
	got = s.Add(at.Add(time.Second), scene, []float32{1, 0})
	if want := 1 / math.E; math.Abs(got[0]-want) > 1e-9 {
		t.Errorf("a second frame of the same instant moved the answer to %v", got)
	}
}

func TestSmootherOutvotesASingleFrame(t *testing.T) {
	s := NewSmoother(600 * time.Millisecond)
	at := time.Unix(0, 0)
	var got []float64
	for i := range 10 {
		p := []float32{0.9, 0.1}
		if i == 9 {
			p = []float32{0.05, 0.95} // sure and wrong
		}
		got = s.Add(at.Add(time.Duration(i)*200*time.Millisecond), bars(i/4, 1-float64(i)/20), p)
	}
	if got[0] < got[1] {
		t.Errorf("one frame of ten turned the answer: %v", got)
	}
}

func TestSmootherForgetsWithTheScene(t *testing.T) {
	for name, next := range map[string]image.Image{"moved by a bar": bars(18, 1), "nothing": bars(0, 0)} {
		s := NewSmoother(time.Hour)
		at := time.Unix(0, 0)
		s.Add(at, bars(0, 1), []float32{1, 0})
		if got := s.Add(at.Add(time.Millisecond), next, []float32{0, 1}); got[1] != 1 {
			t.Errorf("%s: still %v of the old scene", name, got[0])
		}
	}
	s := NewSmoother(time.Hour)
	s.Add(time.Unix(0, 0), bars(0, 1), []float32{1, 0})
	if got := s.Add(time.Unix(1, 0), bars(0, 0.3), []float32{0, 1}); got[0] < 0.9 {
		t.Errorf("dimmer light counted as another scene: %v", got)
	}
}

func TestSmootherOff(t *testing.T) {
	s := NewSmoother(0)
	s.Add(time.Unix(0, 0), bars(0, 1), []float32{1, 0})
	if got := s.Add(time.Unix(0, 1), bars(0, 1), []float32{0, 1}); got[1] != 1 {
		t.Errorf("smoothed with a time constant of 0: %v", got)
	}
}
