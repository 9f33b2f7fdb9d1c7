package dataset

import (
	"image"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fathom-edge/fathom/runtime/preprocess"
)

// noise is a picture without two equal pixels nearby, its values inside [low, high).
func noise(width, height, low, high int) *image.RGBA {
	rng := rand.New(rand.NewPCG(uint64(width), uint64(height)))
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = byte(low + rng.IntN(high-low))
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	return img
}

// views returns the picture's view of evaluation and n views of training.
func views(t *testing.T, spec preprocess.Spec, a Augment, img *image.RGBA, n int) (plain []float32, varied [][]float32) {
	t.Helper()
	v, err := newViewer(spec, a)
	if err != nil {
		t.Fatal(err)
	}
	plain = make([]float32, spec.Len())
	if err := v.as(plain, img); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		varied = append(varied, make([]float32, spec.Len()))
		if err := v.varied(varied[i], img, 1, i); err != nil {
			t.Fatal(err)
		}
	}
	return plain, varied
}

func folderSpec(size int) preprocess.Spec { return Config{Kind: KindFolder, Size: size}.spec() }

func TestWithoutAugmentationTrainingSeesWhatTheBoardSees(t *testing.T) {
	for _, img := range []*image.RGBA{noise(16, 16, 0, 256), noise(50, 31, 0, 256), noise(9, 12, 0, 256)} {
		spec := folderSpec(16)
		p, err := preprocess.New(spec)
		if err != nil {
			t.Fatal(err)
		}
		want := make([]float32, spec.Len())
		if err := p.Apply(want, img); err != nil {
			t.Fatal(err)
		}
		plain, varied := views(t, spec, Augment{}, img, 2)
		for _, got := range append(varied, plain) {
			if !slices.Equal(got, want) {
				t.Errorf("%v: the view differs from preprocess", img.Rect)
			}
		}
	}
}

// at is pixel (x, y) of a square tensor, and 0 outside of it.
func at(t []float32, x, y int) [3]float32 {
	side := int(math.Sqrt(float64(len(t) / 3)))
	if x < 0 || y < 0 || x >= side || y >= side {
		return [3]float32{}
	}
	return [3]float32(t[3*(y*side+x):])
}

// made reports whether every pixel (x, y) of a view of side n is what from says.
func made(view []float32, n int, from func(x, y int) [3]float32) bool {
	for y := range n {
		for x := range n {
			if at(view, x, y) != from(x, y) {
				return false
			}
		}
	}
	return true
}

func TestFlipMirrorsHalfOfTheImages(t *testing.T) {
	const n, count = 8, 400
	plain, varied := views(t, folderSpec(n), Augment{Flip: true}, noise(n, n, 0, 256), count)
	mirrored := 0
	for i, view := range varied {
		if made(view, n, func(x, y int) [3]float32 { return at(plain, n-1-x, y) }) {
			mirrored++
		} else if !slices.Equal(view, plain) {
			t.Fatalf("view %d is neither the image nor its mirror image", i)
		}
	}
	if mirrored < count*4/10 || mirrored > count*6/10 {
		t.Errorf("%d of %d images are mirrored", mirrored, count)
	}
}

func TestPadShiftsEveryWay(t *testing.T) {
	const n, pad = 8, 2
	plain, varied := views(t, folderSpec(n), Augment{Pad: pad}, noise(n, n, 0, 256), 400)
	seen := map[image.Point]int{}
	for i, view := range varied {
		found := false
		for dy := -pad; dy <= pad; dy++ {
			for dx := -pad; dx <= pad; dx++ {
				if made(view, n, func(x, y int) [3]float32 { return at(plain, x-dx, y-dy) }) {
					seen[image.Pt(dx, dy)]++
					found = true
				}
			}
		}
		if !found {
			t.Fatalf("view %d is no shift of the image", i)
		}
	}
	if len(seen) != (2*pad+1)*(2*pad+1) {
		t.Errorf("only %d of %d shifts: %v", len(seen), (2*pad+1)*(2*pad+1), seen)
	}
}

func TestCutoutClearsOneSquare(t *testing.T) {
	const n, side = 12, 5
	plain, varied := views(t, folderSpec(n), Augment{Cutout: side}, noise(n, n, 0, 256), 300)
	whole := 0
	for i, view := range varied {
		hole := image.Rectangle{}
		for y := range n {
			for x := range n {
				if at(view, x, y) == [3]float32{} {
					hole = hole.Union(image.Rect(x, y, x+1, y+1))
				}
			}
		}
		if !made(view, n, func(x, y int) [3]float32 {
			if image.Pt(x, y).In(hole) {
				return [3]float32{}
			}
			return at(plain, x, y)
		}) {
			t.Fatalf("view %d: not just a hole at %v", i, hole)
		}
		clippedX, clippedY := hole.Min.X == 0 || hole.Max.X == n, hole.Min.Y == 0 || hole.Max.Y == n
		if hole.Empty() || hole.Dx() > side || hole.Dy() > side || hole.Dx() < side && !clippedX || hole.Dy() < side && !clippedY {
			t.Fatalf("view %d: a hole of %v", i, hole)
		}
		if hole.Dx() == side && hole.Dy() == side {
			whole++
		}
	}
	if whole == 0 {
		t.Error("no square is whole")
	}
}

func TestResizedCropStaysInItsRanges(t *testing.T) {
	crop := ResizedCrop{Scale: []float64{0.2, 0.6}, Ratio: []float64{0.5, 2}}
	v, err := newViewer(folderSpec(8), Augment{ResizedCrop: &crop})
	if err != nil {
		t.Fatal(err)
	}
	b := image.Rect(3, 5, 203, 155)
	var least, most float64 = 1, 0
	for i := range 500 {
		reseed(&v.pcg, 1, streamView, uint64(i))
		part, ok := v.window(b)
		if !ok {
			t.Fatal("no part of a common picture fits")
		}
		share := float64(part.Dx()*part.Dy()) / float64(b.Dx()*b.Dy())
		ratio := float64(part.Dx()) / float64(part.Dy())
		if !part.In(b) || share < 0.19 || share > 0.61 || ratio < 0.48 || ratio > 2.05 {
			t.Fatalf("part %v of %v: %.2f of the area, ratio %.2f", part, b, share, ratio)
		}
		least, most = min(least, share), max(most, share)
	}
	if least > 0.22 || most < 0.58 {
		t.Errorf("areas are from %.2f to %.2f", least, most)
	}
	if part, ok := v.window(image.Rect(0, 0, 2000, 1)); ok {
		t.Errorf("part %v of a line", part)
	}
}

// A picture whose red is x and whose green is y shows which part was taken, and that it fills the whole input.
func TestResizedCropResizesThePart(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 200, 100))
	for y := range 100 {
		for x := range 200 {
			copy(img.Pix[img.PixOffset(x, y):], []byte{byte(x), byte(y), 7, 255})
		}
	}
	const n = 10
	spec := numbered{size: n}.Spec()
	v, err := newViewer(spec, Augment{ResizedCrop: &ResizedCrop{}})
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, spec.Len())
	for i := range 50 {
		reseed(&v.pcg, 1, streamView, uint64(i))
		part, ok := v.window(img.Rect)
		if !ok || part.Dx() < n || part.Dy() < n {
			continue
		}
		if err := v.varied(got, img, 1, i); err != nil {
			t.Fatal(err)
		}
		for y := range n {
			for x := range n {
				// The mean of x over a column of the part; pixels that are cut in two leave some hundredths.
				wantX := float64(part.Min.X) + float64(part.Dx())*(float64(x)+0.5)/n - 0.5
				wantY := float64(part.Min.Y) + float64(part.Dy())*(float64(y)+0.5)/n - 0.5
				p := at(got, x, y)
				if math.Abs(255*float64(p[0])-wantX) > 0.1 || math.Abs(255*float64(p[1])-wantY) > 0.1 {
					t.Fatalf("part %v: pixel (%d, %d) is of (%.2f, %.2f), want (%.2f, %.2f)", part, x, y, 255*p[0], 255*p[1], wantX, wantY)
				}
			}
		}
	}
}

// Each kind of jitter multiplies the distance from something by one factor: from black, from the image's mean luma, or from the
// pixel's luma.
func TestColourJitterIsOneFactor(t *testing.T) {
	const n, strength = 8, 0.3
	spec := folderSpec(n)
	value := func(t []float32, i int) float64 {
		return float64(t[i])*float64(spec.Std[i%3]) + float64(spec.Mean[i%3])
	}
	grey := func(t []float32, i int) float64 {
		i -= i % 3
		return 0.299*value(t, i) + 0.587*value(t, i+1) + 0.114*value(t, i+2)
	}
	mean := func(t []float32, _ int) (sum float64) {
		for i := 0; i < len(t); i += 3 {
			sum += grey(t, i)
		}
		return sum / float64(len(t)/3)
	}
	for name, tt := range map[string]struct {
		augment Augment
		from    func(t []float32, i int) float64
	}{
		"brightness": {Augment{Brightness: strength}, func([]float32, int) float64 { return 0 }},
		"contrast":   {Augment{Contrast: strength}, mean},
		"saturation": {Augment{Saturation: strength}, grey},
	} {
		t.Run(name, func(t *testing.T) {
			plain, varied := views(t, spec, tt.augment, noise(n, n, 60, 140), 200)
			least, most := 2., 0.
			for v, view := range varied {
				// The largest distance tells the factor best.
				best := 0
				for i := range plain {
					if math.Abs(value(plain, i)-tt.from(plain, i)) > math.Abs(value(plain, best)-tt.from(plain, best)) {
						best = i
					}
				}
				factor := (value(view, best) - tt.from(plain, best)) / (value(plain, best) - tt.from(plain, best))
				for i := range plain {
					want := tt.from(plain, i) + factor*(value(plain, i)-tt.from(plain, i))
					if math.Abs(value(view, i)-want) > 1e-5 {
						t.Fatalf("view %d: value %d is %v, want %v (factor %v)", v, i, value(view, i), want, factor)
					}
				}
				least, most = min(least, factor), max(most, factor)
			}
			if least < 1-strength-1e-4 || most > 1+strength+1e-4 || least > 1-0.9*strength || most < 1+0.9*strength {
				t.Errorf("factors are from %.3f to %.3f", least, most)
			}
		})
	}
}

func TestColourStaysWithinAPicture(t *testing.T) {
	spec := numbered{size: 8}.Spec()
	_, varied := views(t, spec, Augment{Brightness: 1, Contrast: 1, Saturation: 1}, noise(8, 8, 0, 256), 50)
	for _, view := range varied {
		if slices.Min(view) < 0 || slices.Max(view) > 1 {
			t.Fatalf("values from %v to %v", slices.Min(view), slices.Max(view))
		}
	}
}
