// Package family reads and writes families: the trained depth variants of one
// cooperative run before conversion. A family is a folder with family.json and
// one ONNX file per variant, whose weights may be kept once as ONNX external
// data. Our trainer writes it, and so may any PyTorch user; docs/family.md
// documents the schema.
package family

import (
	"github.com/fathom-edge/fathom/runtime/preprocess"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// Format is the version of family.json that this package reads and writes.
const Format = 1

// Family is the content of family.json.
type Family struct {
	Format     int             `json:"format"`
	Name       string          `json:"name"`
	Labels     []string        `json:"labels"`
	Preprocess preprocess.Spec `json:"preprocess"`
	Variants   []Variant       `json:"variants"`
}

// Variant is one network of the family that can be made active.
type Variant struct {
	// Name identifies the variant, e.g. "a-3-3-3".
	Name string `json:"name"`
	// Net is the trained net that the variant belongs to: "A", "B" (Teammates) or "L" (Leader).
	Net string `json:"net"`
	// Depth is the number of residual blocks that take part, per stage.
	Depth []int `json:"depth"`
	// Model is the ONNX file, relative to the family folder.
	Model string `json:"model"`
	// Accuracy holds what was measured, each entry on one split.
	Accuracy []profile.Accuracy `json:"accuracy,omitempty"`
}
