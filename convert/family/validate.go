package family

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"unicode"

	"github.com/fathom-edge/fathom/runtime/profile"
)

// fileSafe is what names may look like that become parts of file names.
var fileSafe = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

const nameRule = "letters, digits, '.', '_' and '-' only, at most 100, the first a letter or digit"

// Validate checks everything that can be checked without looking at files.
func (f *Family) Validate() error {
	if err := f.validate(); err != nil {
		return fmt.Errorf("family: %w", err)
	}
	return nil
}

func (f *Family) validate() error {
	if f.Format != Format {
		return fmt.Errorf("format %d does not exist (write \"format\": %d)", f.Format, Format)
	}
	if !fileSafe.MatchString(f.Name) {
		return fmt.Errorf("name %q: %s", f.Name, nameRule)
	}
	if err := validateLabels(f.Labels); err != nil {
		return err
	}
	if err := f.Preprocess.Validate(); err != nil {
		return err
	}
	if len(f.Variants) == 0 {
		return errors.New("no variants (list at least one ONNX file)")
	}
	seen := map[string]int{}
	for i, v := range f.Variants {
		if err := v.validate(); err != nil {
			return fmt.Errorf("variants[%d] %q: %w", i, v.Name, err)
		}
		// Names become files, and some file systems ignore case.
		if first, ok := seen[strings.ToLower(v.Name)]; ok {
			return fmt.Errorf("variants[%d] %q: variants[%d] has this name too (rename one)", i, v.Name, first)
		}
		seen[strings.ToLower(v.Name)] = i
	}
	return nil
}

func validateLabels(labels []string) error {
	if len(labels) == 0 {
		return errors.New("no labels (list one per output of the networks, in their order)")
	}
	seen := map[string]int{}
	for i, label := range labels {
		if !plainText(label) {
			return fmt.Errorf("labels[%d] %q: want 1 to 200 bytes of printable text", i, label)
		}
		if first, ok := seen[label]; ok {
			return fmt.Errorf("labels[%d] %q: labels[%d] is the same (labels are unique)", i, label, first)
		}
		seen[label] = i
	}
	return nil
}

func (v Variant) validate() error {
	if !fileSafe.MatchString(v.Name) {
		return fmt.Errorf("name: %s", nameRule)
	}
	if !plainText(v.Net) {
		return fmt.Errorf("net %q: want the net that it was trained in, e.g. \"A\", \"B\" or \"L\"", v.Net)
	}
	if len(v.Depth) == 0 {
		return errors.New("no depth (list the residual blocks that take part, per stage, e.g. [3, 3, 3])")
	}
	for _, blocks := range v.Depth {
		if blocks < 0 {
			return fmt.Errorf("depth %v: blocks per stage are 0 or more", v.Depth)
		}
	}
	if !fs.ValidPath(v.Model) || v.Model == "." || strings.ContainsAny(v.Model, "\\\x00") {
		return fmt.Errorf("model %q: want a file inside the family folder, with '/' between folders and no '..'", v.Model)
	}
	return validateAccuracy(v.Accuracy)
}

func validateAccuracy(accuracy []profile.Accuracy) error {
	type split struct{ dataset, split string }
	seen := map[split]bool{}
	for i, a := range accuracy {
		s := split{a.Dataset, a.Split}
		switch {
		case !plainText(a.Dataset) || !plainText(a.Split):
			return fmt.Errorf("accuracy[%d]: dataset %q, split %q: say on what it was measured, e.g. \"glyphs\", \"test\"", i, a.Dataset, a.Split)
		case !(a.Top1 >= 0 && a.Top1 <= 1):
			return fmt.Errorf("accuracy[%d]: top1 %v: want a share between 0 and 1 (not per cent)", i, a.Top1)
		case a.Samples < 1:
			return fmt.Errorf("accuracy[%d]: samples %d: say on how many samples it was measured", i, a.Samples)
		case seen[s]:
			return fmt.Errorf("accuracy[%d]: dataset %q, split %q is there twice", i, a.Dataset, a.Split)
		}
		seen[s] = true
	}
	return nil
}

func plainText(s string) bool {
	return s != "" && len(s) <= 200 && !strings.ContainsFunc(s, func(r rune) bool {
		return r == unicode.ReplacementChar || unicode.IsControl(r)
	})
}
