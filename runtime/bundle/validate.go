package bundle

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/fathom-edge/fathom/runtime/preprocess"
)

const (
	idDigits  = 12
	maxDims   = 8
	maxValues = 1 << 28 // per tensor
)

var variantName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// Validate reports the first contradiction within the manifest. It looks at no file.
func (m *Manifest) Validate() error {
	if m.Format != Format {
		return fmt.Errorf("bundle: manifest format %d: this fathom writes %d", m.Format, Format)
	}
	if err := checkText("name", m.Name); err != nil {
		return err
	}
	if err := m.validateLabels(); err != nil {
		return err
	}
	if err := m.Preprocess.Validate(); err != nil {
		return fmt.Errorf("bundle: manifest.json: %w", err)
	}
	switch m.Precision {
	case Float32, Float16, Int8:
	default:
		return fmt.Errorf("bundle: manifest.json: precision %q: must be %q or %q, or left out for float32", m.Precision, Float16, Int8)
	}
	segments, err := m.validateSegments()
	if err != nil {
		return err
	}
	if err := m.validateVariants(segments); err != nil {
		return err
	}
	return m.validateEscalation()
}

func (m *Manifest) validateLabels() error {
	if len(m.Labels) == 0 {
		return fmt.Errorf("bundle: manifest.json lists no labels")
	}
	seen := make(map[string]bool, len(m.Labels))
	for i, label := range m.Labels {
		if err := checkText(fmt.Sprintf("label %d", i), label); err != nil {
			return err
		}
		if seen[label] {
			return fmt.Errorf("bundle: manifest.json lists the label %q twice", label)
		}
		seen[label] = true
	}
	return nil
}

func (m *Manifest) validateSegments() (map[string]*Segment, error) {
	segments := make(map[string]*Segment, len(m.Segments))
	for i := range m.Segments {
		s := &m.Segments[i]
		if err := s.validate(); err != nil {
			return nil, err
		}
		if segments[s.ID] != nil {
			return nil, fmt.Errorf("bundle: manifest.json lists segment %s twice", s.ID)
		}
		segments[s.ID] = s
	}
	return segments, nil
}

func (s *Segment) validate() error {
	sum, err := hex.DecodeString(s.SHA256)
	if err != nil || len(sum) != 32 || strings.ToLower(s.SHA256) != s.SHA256 {
		return fmt.Errorf("bundle: segment %q: sha256 %q is not 64 lower-case hexadecimal digits", s.ID, s.SHA256)
	}
	if s.ID != s.SHA256[:idDigits] {
		return fmt.Errorf("bundle: segment %q: its ID must be the first %d digits of its sha256, %s", s.ID, idDigits, s.SHA256[:idDigits])
	}
	if want := segmentFile(s.ID); s.File != want {
		return fmt.Errorf("bundle: segment %s: file %q must be %q", s.ID, s.File, want)
	}
	if s.Bytes < 1 || s.MACs < 0 {
		return fmt.Errorf("bundle: segment %s: %d bytes and %d MACs cannot be", s.ID, s.Bytes, s.MACs)
	}
	for _, q := range []*preprocess.Quantization{s.InputQuantization, s.OutputQuantization} {
		if q == nil {
			continue
		}
		if err := q.Validate(); err != nil {
			return fmt.Errorf("bundle: segment %s: %w", s.ID, err)
		}
	}
	if s.FloatLayers < 0 {
		return fmt.Errorf("bundle: segment %s: %d float layers cannot be", s.ID, s.FloatLayers)
	}
	for _, shape := range [][]int{s.Input, s.Output} {
		if err := checkShape(shape); err != nil {
			return fmt.Errorf("bundle: segment %s: %w", s.ID, err)
		}
	}
	return nil
}

func (m *Manifest) validateVariants(segments map[string]*Segment) error {
	if len(m.Variants) == 0 {
		return fmt.Errorf("bundle: manifest.json lists no variants")
	}
	used := make(map[string]bool, len(segments))
	seen := make(map[string]bool, len(m.Variants))
	for i := range m.Variants {
		v := &m.Variants[i]
		if err := v.validate(); err != nil {
			return err
		}
		if seen[v.Name] {
			return fmt.Errorf("bundle: manifest.json lists variant %s twice", v.Name)
		}
		seen[v.Name] = true
		if i > 0 && v.MACs < m.Variants[i-1].MACs {
			return fmt.Errorf("bundle: variant %s is cheaper than %s before it: variants stand from the cheapest to the dearest", v.Name, m.Variants[i-1].Name)
		}
		if err := m.validatePath(v, segments); err != nil {
			return err
		}
		for _, id := range v.Path {
			used[id] = true
		}
	}
	for _, s := range m.Segments {
		if !used[s.ID] {
			return fmt.Errorf("bundle: segment %s is on no variant's path", s.ID)
		}
	}
	return nil
}

func (v *Variant) validate() error {
	if !variantName.MatchString(v.Name) {
		return fmt.Errorf("bundle: variant name %q: letters, digits, '.', '_' and '-' only, at most 100", v.Name)
	}
	if err := checkText("the net of variant "+v.Name, v.Net); err != nil {
		return err
	}
	for _, blocks := range v.Depth {
		if blocks < 0 {
			return fmt.Errorf("bundle: variant %s: a depth of %d blocks cannot be", v.Name, blocks)
		}
	}
	if v.MACs < 0 {
		return fmt.Errorf("bundle: variant %s: %d MACs cannot be", v.Name, v.MACs)
	}
	for _, a := range v.Accuracy {
		if a.Top1 < 0 || a.Top1 > 1 || a.Samples < 1 {
			return fmt.Errorf("bundle: variant %s: accuracy %v on %d samples cannot be", v.Name, a.Top1, a.Samples)
		}
	}
	return nil
}

// validatePath follows the tensors from the preprocessed frame to the labels.
func (m *Manifest) validatePath(v *Variant, segments map[string]*Segment) error {
	if len(v.Path) == 0 {
		return fmt.Errorf("bundle: variant %s has an empty path", v.Name)
	}
	at := []int{1, m.Preprocess.Height, m.Preprocess.Width, 3}
	from := "preprocessing"
	var scale *preprocess.Quantization // of at; unknown before the first segment
	for i, id := range v.Path {
		s := segments[id]
		if s == nil {
			return fmt.Errorf("bundle: variant %s: its path names segment %q, which is not listed", v.Name, id)
		}
		if !slices.Equal(s.Input, at) {
			return fmt.Errorf("bundle: variant %s: %s gives %v but segment %s takes %v", v.Name, from, at, id, s.Input)
		}
		if i > 0 && !sameScale(scale, s.InputQuantization) {
			return fmt.Errorf("bundle: variant %s: %s gives %s but segment %s takes %s", v.Name, from, scaleText(scale), id, scaleText(s.InputQuantization))
		}
		at, scale, from = s.Output, s.OutputQuantization, "segment "+id
	}
	if len(at) != 2 || at[0] != 1 {
		return fmt.Errorf("bundle: variant %s: its output %v must be [1 classes]", v.Name, at)
	}
	if at[1] != len(m.Labels) {
		return fmt.Errorf("bundle: variant %s has %d outputs but the manifest lists %d labels: convert the family again with the labels that it was trained on", v.Name, at[1], len(m.Labels))
	}
	return nil
}

func sameScale(a, b *preprocess.Quantization) bool {
	return a == b || a != nil && b != nil && *a == *b
}

func scaleText(q *preprocess.Quantization) string {
	if q == nil {
		return "float32"
	}
	return fmt.Sprintf("int8 with scale %g and zero point %d", q.Scale, q.ZeroPoint)
}

func checkShape(shape []int) error {
	if len(shape) == 0 || len(shape) > maxDims {
		return fmt.Errorf("a tensor of %d dimensions: must be 1 to %d", len(shape), maxDims)
	}
	values := 1
	for _, d := range shape {
		if d < 1 || d > maxValues/values {
			return fmt.Errorf("tensor shape %v: each dimension must be at least 1, the product at most %d", shape, maxValues)
		}
		values *= d
	}
	return nil
}

func checkText(what, s string) error {
	if s == "" || len(s) > 200 {
		return fmt.Errorf("bundle: manifest.json: %s must have 1 to 200 bytes", what)
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r == unicode.ReplacementChar || unicode.IsControl(r) }) {
		return fmt.Errorf("bundle: manifest.json: %s %q holds control characters", what, s)
	}
	return nil
}
