package convert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/fathom-edge/fathom/convert/quant"
)

// EvidenceFile stands in the bundle's folder beside manifest.json.
const EvidenceFile = "evidence.json"

// Evidence is the content of evidence.json: what was measured at conversion,
// and with what. Unlike manifest and segments it may differ between machines.
type Evidence struct {
	Tools map[string]string `json:"tools,omitempty"`
	// MaxError is the limit of the self-proof, as a share of the outputs' range.
	MaxError float64 `json:"max_error"`
	// Proof is empty if the self-proof was skipped for want of a runner.
	Proof []Proof `json:"proof,omitempty"`
	// Quantization says how int8 was chosen and what it cost; nil otherwise.
	Quantization *quant.Report `json:"quantization,omitempty"`
	// NotShared lists what variants have in common and yet do not share.
	NotShared []NotShared `json:"not_shared,omitempty"`
}

// Proof compares TFLite with the reference evaluator of the original ONNX.
type Proof struct {
	Variant     string  `json:"variant"`
	Samples     int     `json:"samples"`
	MaxAbsError float64 `json:"max_abs_error"`
	// Range of the reference's outputs, the largest minus the smallest.
	Range float64 `json:"range,omitempty"`
	// Kernels is nil for float32.
	Kernels *KernelProof `json:"kernels,omitempty"`
}

func (e *Evidence) encode() ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(e)
	return buffer.Bytes(), err
}

// ReadEvidence reads evidence.json of a bundle; nil and no error if it has none.
func ReadEvidence(dir string) (*Evidence, error) {
	data, err := os.ReadFile(filepath.Join(dir, EvidenceFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("convert: %w", err)
	}
	var e Evidence
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, fmt.Errorf("convert: %s: %w (convert the family again)", filepath.Join(dir, EvidenceFile), err)
	}
	return &e, nil
}
