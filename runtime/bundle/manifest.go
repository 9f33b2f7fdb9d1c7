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
	Segments   []Segment       `json:"segments"`
	// Variants stand from the cheapest to the dearest (MACs).
	Variants []Variant `json:"variants"`
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
