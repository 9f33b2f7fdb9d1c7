package dataset

import (
	"errors"
	"fmt"

	"github.com/fathom-edge/fathom/runtime/preprocess"
)

// Kinds of data sets.
const (
	KindGlyphs   = "glyphs"
	KindCIFAR10  = "cifar10"
	KindCIFAR100 = "cifar100"
	KindFolder   = "folder"
)

// Config is the data section of a run's configuration.
type Config struct {
	// Kind is "glyphs", "cifar10", "cifar100" or "folder".
	Kind string `yaml:"kind"`
	// Path is the folder of the files; glyphs have none.
	Path string `yaml:"path"`
	// Size is the side of the network's input; 0 is 32 for glyphs and CIFAR.
	Size int `yaml:"size"`
	// Mean and Std normalize each channel, red, green and blue, of values from 0 to 1. Both empty are those of the kind.
	Mean []float32 `yaml:"mean"`
	Std  []float32 `yaml:"std"`
	// Augment is how training images are varied.
	Augment Augment `yaml:"augment"`
}

const (
	minSize     = 8
	maxSize     = 1024
	defaultSize = 32
)

// Check returns the first field that is wrong, below the data section, e.g. "augment.mixup".
func (c Config) Check() (field string, err error) {
	type rule struct {
		field string
		ok    bool
		want  string
	}
	known := c.Kind == KindGlyphs || c.Kind == KindCIFAR10 || c.Kind == KindCIFAR100 || c.Kind == KindFolder
	for _, r := range []rule{
		{"kind", known, fmt.Sprintf("must be %s, %s, %s or %s", KindGlyphs, KindCIFAR10, KindCIFAR100, KindFolder)},
		{"path", c.Kind != KindGlyphs || c.Path == "", "glyphs are drawn, not read: leave path out"},
		{"path", c.Kind == KindGlyphs || c.Path != "", "must name the folder of the data set"},
		{"size", c.Kind != KindFolder || c.Size != 0, "must be given for a folder of images, e.g. 224"},
		{"size", c.Size == 0 || c.Size >= minSize && c.Size <= maxSize, fmt.Sprintf("must be %d to %d", minSize, maxSize)},
		{"mean", len(c.Mean) == 0 || len(c.Mean) == 3 && inside(c.Mean, -10, 10), "must be three numbers: red, green, blue"},
		{"std", len(c.Std) == 0 || len(c.Std) == 3 && inside(c.Std, 1e-6, 1e6), "must be three positive numbers: red, green, blue"},
		{"mean", len(c.Mean) == 0 || len(c.Std) != 0, "is given without std: give both or neither"},
		{"std", len(c.Std) == 0 || len(c.Mean) != 0, "is given without mean: give both or neither"},
	} {
		if !r.ok {
			return r.field, errors.New(r.want)
		}
	}
	if field, err := c.Augment.check(c.spec().Width); err != nil {
		return "augment." + field, err
	}
	return "", nil
}

func inside(values []float32, low, high float32) bool {
	for _, v := range values {
		if !(low <= v && v <= high) {
			return false
		}
	}
	return true
}

// spec is how the images become tensors. Means and deviations of CIFAR are those of its training images, those of a
// folder are the ones of ImageNet, as is usual.
func (c Config) spec() preprocess.Spec {
	s := preprocess.Spec{Width: defaultSize, Height: defaultSize, Channels: "RGB", Fit: preprocess.FitCrop}
	if c.Size != 0 {
		s.Width, s.Height = c.Size, c.Size
	}
	switch c.Kind {
	case KindGlyphs:
		s.Mean, s.Std = [3]float32{0.5, 0.5, 0.5}, [3]float32{0.25, 0.25, 0.25}
	case KindCIFAR10:
		s.Mean, s.Std = [3]float32{0.4914, 0.4822, 0.4465}, [3]float32{0.2470, 0.2435, 0.2616}
	case KindCIFAR100:
		s.Mean, s.Std = [3]float32{0.5071, 0.4865, 0.4409}, [3]float32{0.2673, 0.2564, 0.2762}
	case KindFolder:
		s.Mean, s.Std = [3]float32{0.485, 0.456, 0.406}, [3]float32{0.229, 0.224, 0.225}
	}
	if len(c.Mean) == 3 && len(c.Std) == 3 {
		s.Mean, s.Std = [3]float32(c.Mean), [3]float32(c.Std)
	}
	return s
}

// Open opens the data set and checks its files.
func Open(c Config) (Dataset, error) {
	if field, err := c.Check(); err != nil {
		return nil, fmt.Errorf("dataset: %s: %w", field, err)
	}
	switch c.Kind {
	case KindCIFAR10:
		return openCIFAR(c.Path, cifar10, c.spec())
	case KindCIFAR100:
		return openCIFAR(c.Path, cifar100, c.spec())
	case KindFolder:
		return openFolder(c.Path, c.spec())
	}
	return newGlyphs(c.spec()), nil
}
