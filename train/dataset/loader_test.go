package dataset

import (
	"context"
	"errors"
	"fmt"
	"image"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/fathom-edge/fathom/runtime/preprocess"
)

// numbered is a data set whose sample i is a grey picture of brightness i and class i % classes.
type numbered struct {
	size, n, classes int
	broken           int // sample that cannot be read, or -1
}

var errBroken = errors.New("picture 3.jpg: unexpected EOF")

func (d numbered) Name() string { return "numbered" }
func (d numbered) Len(s Split) int {
	return map[Split]int{Train: d.n, Validation: d.n, Test: Absent}[s]
}
func (d numbered) Labels() []string { return make([]string, d.classes) }
func (d numbered) Spec() preprocess.Spec {
	return preprocess.Spec{Width: d.size, Height: d.size, Channels: "RGB", Fit: preprocess.FitCrop, Std: [3]float32{1, 1, 1}}
}

func (d numbered) Sample(_ Split, index int, dst *image.RGBA) (int, error) {
	if index == d.broken {
		return 0, errBroken
	}
	setSize(dst, d.size, d.size)
	for i := range dst.Pix {
		dst.Pix[i] = byte(index)
	}
	return index % d.classes, nil
}

func newLoader(t testing.TB, d Dataset, o Options) *Loader {
	t.Helper()
	l, err := NewLoader(d, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// take copies n batches of a run.
func take(t testing.TB, l *Loader, first, n int) []Batch {
	t.Helper()
	var got []Batch
	for b, err := range l.Train(t.Context(), first) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, Batch{slices.Clone(b.Images), slices.Clone(b.Targets), slices.Clone(b.Labels), b.Number, b.Count})
		if len(got) == n {
			break
		}
	}
	return got
}

// differ is the first batch in which two runs differ, or -1.
func differ(a, b []Batch) int {
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i].Number != b[i].Number || a[i].Count != b[i].Count || !slices.Equal(a[i].Images, b[i].Images) ||
			!slices.Equal(a[i].Targets, b[i].Targets) || !slices.Equal(a[i].Labels, b[i].Labels) {
			return i
		}
	}
	return -1
}

// samples are the numbers of the samples in batches of numbered without augmentation.
func samples(batches []Batch, size int) []int {
	var got []int
	for _, b := range batches {
		for i := range b.Labels {
			got = append(got, int(255*b.Images[i*size*size*3]+0.5))
		}
	}
	return got
}

func everything() Augment {
	return Augment{ResizedCrop: &ResizedCrop{}, Flip: true, Brightness: 0.4, Contrast: 0.4, Saturation: 0.4, Cutout: 4, Mixup: 0.4}
}

func TestTrainingDoesNotDependOnWorkersOrResume(t *testing.T) {
	defer goleak.VerifyNone(t)
	shifted := everything()
	shifted.ResizedCrop, shifted.Pad = nil, 2
	for name, o := range map[string]Options{
		"resized crop": {Batch: 7, Seed: 3, Augment: everything()},
		"shift":        {Batch: 7, Seed: 3, Augment: shifted},
		"plain":        {Batch: 7, Seed: 3},
	} {
		for _, data := range []Dataset{numbered{8, 25, 5, -1}, newGlyphs(Config{Kind: KindGlyphs, Size: 16}.spec())} {
			t.Run(name+" "+data.Name(), func(t *testing.T) {
				o.Workers = 1
				want := take(t, newLoader(t, data, o), 0, 12)
				for _, workers := range []int{2, 5} {
					o.Workers = workers
					if at := differ(want, take(t, newLoader(t, data, o), 0, 12)); at >= 0 {
						t.Errorf("batch %d of %d workers differs from that of one", at, workers)
					}
				}
				if at := differ(want[5:], take(t, newLoader(t, data, o), 5, 7)); at >= 0 {
					t.Errorf("batch %d after a resume at batch 5 differs", at)
				}
				o.Seed++
				if data.Len(Train) != Endless && differ(want, take(t, newLoader(t, data, o), 0, 12)) < 0 {
					t.Error("another seed gives the same batches")
				}
			})
		}
	}
}

func TestEveryEpochHoldsEverySampleOnce(t *testing.T) {
	const n = 25
	got := samples(take(t, newLoader(t, numbered{8, n, 5, -1}, Options{Batch: 10, Seed: 1}), 0, 10), 8)
	var epochs [][]int
	for epoch := range slices.Chunk(got, n) {
		epochs = append(epochs, slices.Clone(epoch))
		slices.Sort(epoch)
		for i, sample := range epoch {
			if sample != i {
				t.Fatalf("epoch %d holds %v", len(epochs)-1, epoch)
			}
		}
	}
	for i := range epochs {
		for j := range i {
			if slices.Equal(epochs[i], epochs[j]) {
				t.Errorf("epochs %d and %d have the same order", i, j)
			}
		}
	}
}

// The order is part of what a seed means: a resumed run may have been begun with another Go.
func TestOrderStaysAsItIs(t *testing.T) {
	got := samples(take(t, newLoader(t, numbered{8, 10, 5, -1}, Options{Batch: 5, Seed: 42}), 0, 4), 8)
	want := []int{8, 6, 3, 4, 1, 7, 0, 9, 5, 2, 2, 8, 1, 5, 3, 7, 6, 9, 0, 4}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEndlessSplitIsReadInOrder(t *testing.T) {
	got := samples(take(t, newLoader(t, numbered{8, Endless, 5, -1}, Options{Batch: 5, Seed: 42}), 2, 2), 8)
	if diff := cmp.Diff([]int{10, 11, 12, 13, 14, 15, 16, 17, 18, 19}, got); diff != "" {
		t.Error(diff)
	}
}

func TestEvaluateCountsEachSampleOnce(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, tt := range []struct {
		n, samples int
		counts     []int
	}{
		{25, 0, []int{10, 10, 5}}, {25, 12, []int{10, 2}}, {25, 99, []int{10, 10, 5}}, {20, 20, []int{10, 10}},
		{3, 0, []int{3}}, {Endless, 11, []int{10, 1}},
	} {
		l := newLoader(t, numbered{8, tt.n, 5, -1}, Options{Batch: 10, Augment: everything()})
		var counts []int
		next := 0
		for b, err := range l.Evaluate(t.Context(), Validation, tt.samples) {
			if err != nil {
				t.Fatal(err)
			}
			counts = append(counts, b.Count)
			for i, sample := range samples([]Batch{*b}, 8)[:b.Count] {
				if sample != next || int(b.Labels[i]) != next%5 {
					t.Errorf("%+v: sample %d where %d belongs, label %d", tt, sample, next, b.Labels[i])
				}
				next++
			}
		}
		if diff := cmp.Diff(tt.counts, counts); diff != "" {
			t.Errorf("%+v: counts (-want +got):\n%s", tt, diff)
		}
	}
}

func TestTargetsAreOneHot(t *testing.T) {
	b := take(t, newLoader(t, numbered{8, 6, 3, -1}, Options{Batch: 6}), 0, 1)[0]
	for i, label := range b.Labels {
		want := make([]float32, 3)
		want[label] = 1
		if diff := cmp.Diff(want, b.Targets[3*i:3*i+3]); diff != "" {
			t.Errorf("image %d of class %d: %s", i, label, diff)
		}
	}
}

func TestLoaderReportsTheFirstBrokenImage(t *testing.T) {
	defer goleak.VerifyNone(t)
	l := newLoader(t, numbered{8, 20, 5, 13}, Options{Batch: 4, Workers: 3})
	batches := 0
	var got error
	for _, err := range l.Evaluate(t.Context(), Validation, 0) {
		if err != nil {
			got = err
			break
		}
		batches++
	}
	if !errors.Is(got, errBroken) || batches != 3 {
		t.Errorf("%d batches, then %v", batches, got)
	}
}

func TestLoaderEndsWithItsContext(t *testing.T) {
	defer goleak.VerifyNone(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	l := newLoader(t, numbered{8, 20, 5, -1}, Options{Batch: 4})
	batches := 0
	var got error
	for _, err := range l.Train(ctx, 0) {
		if got = err; err != nil {
			continue
		}
		if batches++; batches == 5 {
			cancel()
		}
	}
	if !errors.Is(got, context.Canceled) || batches != 5 {
		t.Errorf("%d batches, then %v", batches, got)
	}
}

func TestLoaderRefuses(t *testing.T) {
	data := numbered{8, Endless, 5, -1}
	for want, o := range map[string]Options{
		"dataset: batches of 0 images: must be at least 1":                                       {},
		"dataset: augment.pad must be 0 to 7, less than the image's size":                        {Batch: 1, Augment: Augment{Pad: 8}},
		"dataset: augment.mixup must be 0 (off) or 0.01 to 4":                                    {Batch: 1, Augment: Augment{Mixup: -1}},
		"dataset: augment.cutout must be 0 to 8, the image's size":                               {Batch: 1, Augment: Augment{Cutout: 9}},
		"dataset: augment.saturation must be 0 to 1":                                             {Batch: 1, Augment: Augment{Saturation: 1.5}},
		"dataset: augment.pad and resized_crop both choose the part of the image: leave one out": {Batch: 1, Augment: Augment{Pad: 1, ResizedCrop: &ResizedCrop{}}},
	} {
		if l, err := NewLoader(data, o); l != nil || fmt.Sprint(err) != want {
			t.Errorf("%+v: %v\nwant %s", o, err, want)
		}
	}
	l := newLoader(t, data, Options{Batch: 2})
	for _, err := range l.Evaluate(t.Context(), Test, 0) {
		if want := "dataset: numbered has no test split"; fmt.Sprint(err) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	for _, err := range l.Evaluate(t.Context(), Validation, 0) {
		if want := "dataset: the validation split of numbered has no end: say how many samples to evaluate"; fmt.Sprint(err) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
