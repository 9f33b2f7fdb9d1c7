// Package bundle is the on-disk format of a converted family: a folder with
// manifest.json and segments/. A segment is a TFLite file that holds a run of
// layers with one input and one output tensor; a variant is a path, a list of
// segments that are run one after the other. A path of length one is an
// ordinary monolithic model.
//
// The package reads, verifies and writes bundles. It is pure Go and knows
// nothing about how a segment is run.
package bundle

import (
	"github.com/fathom-edge/fathom/runtime/preprocess"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// Format is the newest version of manifest.json that this package reads, and
// the one that it writes.
const Format = 1

// Manifest is the content of manifest.json.
type Manifest struct {
	Format     int             `json:"format"`
	Name       string          `json:"name"`
	Labels     []string        `json:"labels"`
	Preprocess preprocess.Spec `json:"preprocess"`
	// Precision is how weights and activations are stored; empty means float32.
	Precision Precision `json:"precision,omitempty"`
	Segments  []Segment `json:"segments"`
	// Variants stand from the cheapest to the dearest (MACs).
	Variants []Variant `json:"variants"`
	// Escalation is nil until it was calibrated.
	Escalation *Escalation `json:"escalation,omitempty"`
}

// Variant is the one of that name; nil if there is none.
func (m *Manifest) Variant(name string) *Variant {
	for i := range m.Variants {
		if m.Variants[i].Name == name {
			return &m.Variants[i]
		}
	}
	return nil
}

// Segment is one TFLite file.
type Segment struct {
	// ID names the segment within the bundle: the first 12 hexadecimal digits of its SHA-256.
	ID string `json:"id"`
	// File is relative to the bundle folder, with forward slashes: "segments/ID.tflite".
	File   string `json:"file"`
	SHA256 string `json:"sha256"` // 64 hexadecimal digits
	Bytes  int64  `json:"bytes"`
	MACs   int64  `json:"macs"`
	// Input and Output are tensor shapes, NHWC where they have four dimensions.
	Input  []int `json:"input"`
	Output []int `json:"output"`
	// InputQuantization and OutputQuantization are nil where the tensor is
	// float32, and the scale of an int8 one otherwise.
	InputQuantization  *preprocess.Quantization `json:"input_quantization,omitempty"`
	OutputQuantization *preprocess.Quantization `json:"output_quantization,omitempty"`
	// FloatLayers counts the layers with weights that an int8 bundle keeps in float32.
	FloatLayers int `json:"float_layers,omitempty"`
}

// Precision of a bundle.
type Precision string

const (
	// Float32 weights and activations.
	Float32 Precision = ""
	// Float16 weights, which become float32 when they are loaded.
	Float16 Precision = "float16"
	// Int8 weights and activations, but for layers that are kept in float32.
	Int8 Precision = "int8"
)

// String is never empty.
func (p Precision) String() string {
	if p == Float32 {
		return "float32"
	}
	return string(p)
}

// Variant is one network that can be made active.
type Variant struct {
	Name  string `json:"name"`
	Net   string `json:"net"`
	Depth []int  `json:"depth"`
	// Path lists segment IDs in the order in which they run.
	Path     []string           `json:"path"`
	MACs     int64              `json:"macs"`
	Accuracy []profile.Accuracy `json:"accuracy,omitempty"`
}

// ValidationTop1 is the accuracy that choices may use, in [0, 1]; nil if it was not measured.
func (v Variant) ValidationTop1() *float64 {
	for i := range v.Accuracy {
		if v.Accuracy[i].Split == "validation" {
			return &v.Accuracy[i].Top1
		}
	}
	return nil
}
