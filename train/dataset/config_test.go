package dataset

import (
	"fmt"
	"image"
	"math"
	"slices"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/glyphs"
	"github.com/fathom-edge/fathom/runtime/preprocess"
)

const everyField = `
kind: folder
path: pictures
size: 224
mean: [0.5, 0.4, 0.3]
std: [0.3, 0.2, 0.1]
augment:
  resized_crop: {scale: [0.3, 1]}
  flip: true
  brightness: 0.4
  contrast: 0.3
  saturation: 0.2
  cutout: 16
  mixup: 0.2
`

func TestConfigFromYAML(t *testing.T) {
	var got Config
	if err := yaml.UnmarshalWithOptions([]byte(everyField), &got, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	want := Config{Kind: KindFolder, Path: "pictures", Size: 224, Mean: []float32{0.5, 0.4, 0.3}, Std: []float32{0.3, 0.2, 0.1},
		Augment: Augment{ResizedCrop: &ResizedCrop{Scale: []float64{0.3, 1}}, Flip: true, Brightness: 0.4, Contrast: 0.3,
			Saturation: 0.2, Cutout: 16, Mixup: 0.2}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if field, err := got.Check(); err != nil {
		t.Errorf("%s: %v", field, err)
	}
	wantSpec := preprocess.Spec{Width: 224, Height: 224, Channels: "RGB", Fit: preprocess.FitCrop,
		Mean: [3]float32{0.5, 0.4, 0.3}, Std: [3]float32{0.3, 0.2, 0.1}}
	if diff := cmp.Diff(wantSpec, got.spec()); diff != "" {
		t.Error(diff)
	}
}

func TestConfigRefuses(t *testing.T) {
	nan := float32(math.NaN())
	for _, tt := range []struct {
		config Config
		want   string
	}{
		{Config{}, "kind: must be glyphs, cifar10, cifar100 or folder"},
		{Config{Kind: "mnist"}, "kind: must be glyphs, cifar10, cifar100 or folder"},
		{Config{Kind: KindGlyphs, Path: "x"}, "path: glyphs are drawn, not read: leave path out"},
		{Config{Kind: KindCIFAR10}, "path: must name the folder of the data set"},
		{Config{Kind: KindFolder, Path: "x"}, "size: must be given for a folder of images, e.g. 224"},
		{Config{Kind: KindGlyphs, Size: 7}, "size: must be 8 to 1024"},
		{Config{Kind: KindGlyphs, Size: -1}, "size: must be 8 to 1024"},
		{Config{Kind: KindGlyphs, Mean: []float32{0.5}}, "mean: must be three numbers: red, green, blue"},
		{Config{Kind: KindGlyphs, Mean: []float32{nan, 0, 0}}, "mean: must be three numbers: red, green, blue"},
		{Config{Kind: KindGlyphs, Std: []float32{1, 1, 0}}, "std: must be three positive numbers: red, green, blue"},
		{Config{Kind: KindGlyphs, Mean: []float32{0, 0, 0}}, "mean: is given without std: give both or neither"},
		{Config{Kind: KindGlyphs, Std: []float32{1, 1, 1}}, "std: is given without mean: give both or neither"},
		{Config{Kind: KindGlyphs, Augment: Augment{Pad: 32}}, "augment.pad: must be 0 to 31, less than the image's size"},
		{Config{Kind: KindGlyphs, Augment: Augment{Pad: 4, ResizedCrop: &ResizedCrop{}}},
			"augment.pad: and resized_crop both choose the part of the image: leave one out"},
		{Config{Kind: KindGlyphs, Augment: Augment{Brightness: 1.1}}, "augment.brightness: must be 0 to 1"},
		{Config{Kind: KindGlyphs, Augment: Augment{Contrast: -0.1}}, "augment.contrast: must be 0 to 1"},
		{Config{Kind: KindGlyphs, Augment: Augment{Saturation: math.NaN()}}, "augment.saturation: must be 0 to 1"},
		{Config{Kind: KindGlyphs, Augment: Augment{Cutout: 33}}, "augment.cutout: must be 0 to 32, the image's size"},
		{Config{Kind: KindGlyphs, Augment: Augment{Mixup: 5}}, "augment.mixup: must be 0 (off) or 0.01 to 4"},
		{Config{Kind: KindGlyphs, Augment: Augment{ResizedCrop: &ResizedCrop{Scale: []float64{0.5, 0.2}}}},
			"augment.resized_crop.scale: must be two shares of the area, the smaller first, from 0.001 to 1"},
		{Config{Kind: KindGlyphs, Augment: Augment{ResizedCrop: &ResizedCrop{Ratio: []float64{1}}}},
			"augment.resized_crop.ratio: must be two ratios of width to height, the smaller first, from 0.1 to 10"},
	} {
		d, err := Open(tt.config)
		if want := "dataset: " + tt.want; d != nil || fmt.Sprint(err) != want {
			t.Errorf("%+v:\ngot:  %v\nwant: %s", tt.config, err, want)
		}
	}
	var c Config
	if err := yaml.UnmarshalWithOptions([]byte("kind: glyphs\naugment:\n  flipp: true\n"), &c, yaml.Strict()); err == nil {
		t.Error("an unknown field passes")
	}
}

func TestGlyphs(t *testing.T) {
	d, err := Open(Config{Kind: KindGlyphs})
	if err != nil {
		t.Fatal(err)
	}
	g, err := glyphs.New()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(glyphs.Labels, d.Labels()); diff != "" || d.Name() != "glyphs" {
		t.Errorf("%s: %s", d.Name(), diff)
	}
	var img image.RGBA
	rgb := make([]byte, glyphs.SampleBytes)
	for split, from := range map[Split]glyphs.Split{Train: glyphs.Train, Validation: glyphs.Validation, Test: glyphs.Test} {
		if d.Len(split) != Endless || split.String() != from.String() {
			t.Errorf("%s: %d samples", split, d.Len(split))
		}
		for i := range 40 {
			label, err := d.Sample(split, i, &img)
			if err != nil {
				t.Fatal(err)
			}
			want := g.Sample(from, uint64(i), rgb)
			var got []byte
			for p := 0; p < len(img.Pix); p += 4 {
				got = append(got, img.Pix[p:p+3]...)
			}
			if label != want || !slices.Equal(got, rgb) {
				t.Fatalf("sample %d of %s is not the generator's", i, split)
			}
		}
	}
	large, err := Open(Config{Kind: KindGlyphs, Size: 64})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := large.Sample(Train, 0, &img); err != nil || img.Rect.Size() != image.Pt(64, 64) {
		t.Errorf("%v, %v", img.Rect, err)
	}
}
