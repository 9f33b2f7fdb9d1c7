package v4l2

import (
	"cmp"
	"slices"
)

// FourCC is a pixel format as V4L2 names it.
type FourCC uint32

func code(s string) FourCC {
	return FourCC(s[0]) | FourCC(s[1])<<8 | FourCC(s[2])<<16 | FourCC(s[3])<<24
}

func (f FourCC) String() string {
	return string([]byte{byte(f), byte(f >> 8), byte(f >> 16), byte(f >> 24)})
}

// The formats that are taken.
var (
	YUYV  = code("YUYV")
	UYVY  = code("UYVY")
	NV12  = code("NV12")
	I420  = code("YU12")
	MJPEG = code("MJPG")
	JPEG  = code("JPEG")
)

// cost is what a pixel takes to become part of a tensor, relative to each other: raw
// formats are converted and resized (about 5 ns on a 2.5 GHz x86-64 core), JPEG is
// decoded first (image/jpeg: 14 ns more).
var cost = map[FourCC]float64{NV12: 1, I420: 1, YUYV: 1.1, UYVY: 1.1, MJPEG: 4, JPEG: 4}

// Mode is a way in which a camera can deliver frames.
type Mode struct {
	FourCC        FourCC
	Width, Height int
	FPS           float64 // the fastest; 0 where the camera does not say
	Emulated      bool    // converted by a library, not by the camera
}

// Wish says what frames are for.
type Wish struct {
	Width, Height int     // of the network's input, pixels
	FPS           float64 // frames that are wanted in a second
}

// Choose returns the mode in which the wish costs least. In this order it
//   - delivers the wanted rate, or comes closest to it;
//   - is as large as the network's input on both sides, or has the most pixels;
//   - takes the least work per frame.
//
// It is not ok where the camera knows none of our formats.
func Choose(modes []Mode, w Wish) (best Mode, ok bool) {
	usable := slices.DeleteFunc(slices.Clone(modes), func(m Mode) bool { return cost[m.FourCC] == 0 || m.Width < 1 || m.Height < 1 })
	if len(usable) == 0 {
		return Mode{}, false
	}
	return slices.MinFunc(usable, func(a, b Mode) int {
		return cmp.Or(
			-cmp.Compare(w.rate(a), w.rate(b)),
			-cmp.Compare(w.cover(a), w.cover(b)),
			cmp.Compare(a.work(), b.work()),
			cmp.Compare(a.FourCC, b.FourCC),
		)
	}), true
}

func (w Wish) rate(m Mode) float64 {
	if m.FPS == 0 {
		return w.FPS
	}
	return min(m.FPS, w.FPS)
}

// cover is the number of pixels up to those that the input needs.
func (w Wish) cover(m Mode) int { return min(m.Width, w.Width) * min(m.Height, w.Height) }

func (m Mode) work() float64 {
	work := cost[m.FourCC] * float64(m.Width*m.Height)
	if m.Emulated {
		work *= 2
	}
	return work
}

// steps lists the sizes within a range that are worth looking at: its ends and the
// usual ones between them.
func (r sizeRange) steps() [][2]int {
	if r.kind == discrete {
		return [][2]int{{int(r.minWidth), int(r.maxWidth)}}
	}
	fit := func(v, low, high, step uint32) int {
		v = max(low, min(v, high))
		if step > 1 {
			v = low + (v-low)/step*step
		}
		return int(v)
	}
	var out [][2]int
	for _, s := range [][2]uint32{{0, 0}, {320, 240}, {640, 480}, {800, 600}, {1024, 768}, {1280, 720}, {1280, 960}, {1920, 1080}, {16384, 16384}} {
		size := [2]int{fit(s[0], r.minWidth, r.maxWidth, r.stepWidth), fit(s[1], r.minHeight, r.maxHeight, r.step)}
		if !slices.Contains(out, size) {
			out = append(out, size)
		}
	}
	return out
}
