package glyphs

import (
	"math"
	"strings"
	"testing"
)

func TestNewRefusesABadDifficulty(t *testing.T) {
	for name, change := range map[string]func(*Difficulty){
		"Height":   func(d *Difficulty) { d.Height = Range{} },
		"Contrast": func(d *Difficulty) { d.Contrast = Range{0.5, 0.4} },
		"Noise":    func(d *Difficulty) { d.Noise.Max = math.NaN() },
		"Blur":     func(d *Difficulty) { d.Blur.Min = -0.1 },
		"Lines":    func(d *Difficulty) { d.Lines = -1 },
		"MotionP":  func(d *Difficulty) { d.MotionP = 1.5 },
	} {
		d := Frozen()
		change(&d)
		g, err := NewWithDifficulty(d)
		if err == nil || g != nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: NewWithDifficulty = %v, %v", name, g, err)
		}
	}
}
