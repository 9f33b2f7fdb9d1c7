package train

import (
	"context"
	"fmt"

	"github.com/fathom-edge/fathom/glyphs"
	"github.com/fathom-edge/fathom/runtime/preprocess"
)

// Source draws labelled images; [glyphs.Generator] is one. Sample writes glyphs.Size x glyphs.Size RGB pixels to dst and
// may be called from several goroutines.
type Source interface {
	Sample(split glyphs.Split, index uint64, dst []byte) (label int)
}

// Spec is how training images become tensors, and so must frames on the board.
func Spec() preprocess.Spec {
	return preprocess.Spec{Width: glyphs.Size, Height: glyphs.Size, Channels: "RGB", Fit: preprocess.FitCrop,
		Mean: [3]float32{0.5, 0.5, 0.5}, Std: [3]float32{0.25, 0.25, 0.25}}
}

// batch is images [n, height, width, 3] and labels [n].
type batch struct {
	images []float32
	labels []int32
}

// loader turns samples into batches. One goroutine at a time.
type loader struct {
	source Source
	pre    *preprocess.Preprocessor
	rgb    []byte
}

func newLoader(source Source) (*loader, error) {
	pre, err := preprocess.New(Spec())
	if err != nil {
		return nil, err
	}
	return &loader{source: source, pre: pre, rgb: make([]byte, glyphs.Size*glyphs.Size*3)}, nil
}

func (l *loader) load(split glyphs.Split, first uint64, n int) (*batch, error) {
	size := l.pre.Spec().Len()
	b := &batch{images: make([]float32, n*size), labels: make([]int32, n)}
	for i := range n {
		b.labels[i] = int32(l.source.Sample(split, first+uint64(i), l.rgb))
		if err := l.pre.ApplyRGB(b.images[i*size:(i+1)*size], l.rgb, glyphs.Size, glyphs.Size); err != nil {
			return nil, fmt.Errorf("train: sample %d of %s: %w", first+uint64(i), split, err)
		}
	}
	return b, nil
}

type loaded struct {
	batch *batch
	err   error
}

// prefetch draws the batches of consecutive training samples from first on, until ctx ends.
func prefetch(ctx context.Context, source Source, first uint64, n int) (<-chan loaded, error) {
	l, err := newLoader(source)
	if err != nil {
		return nil, err
	}
	out := make(chan loaded, 4)
	go func() {
		defer close(out)
		for ; ; first += uint64(n) {
			b, err := l.load(glyphs.Train, first, n)
			select {
			case out <- loaded{b, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return out, nil
}
