package bundle

import (
	"fmt"
	"path/filepath"

	"github.com/fathom-edge/fathom/internal/atomicfile"
)

// Escalation says from which doubt on a frame is worth a deeper variant. The
// margins were calibrated on one split of a data set, never the test split.
type Escalation struct {
	Dataset string `json:"dataset"`
	Split   string `json:"split"`
	Samples int    `json:"samples"`
	// Steps name each From once.
	Steps []EscalationStep `json:"steps"`
}

// EscalationStep is what follows a doubtful answer of one variant.
type EscalationStep struct {
	From string `json:"from"`
	// To stands after From among the variants of the manifest.
	To string `json:"to"`
	// Margin is in (0, 1]: a frame whose two highest probabilities (softmax) differ by less goes on to To.
	Margin float64 `json:"margin"`
	// Share of the calibration frames goes on, in [0, 1], and Top1 is the accuracy of the two together.
	Share float64 `json:"share"`
	Top1  float64 `json:"top1"`
}

// Step is what follows doubt of the named variant; nil if nothing does.
func (e *Escalation) Step(from string) *EscalationStep {
	if e == nil {
		return nil
	}
	for i := range e.Steps {
		if e.Steps[i].From == from {
			return &e.Steps[i]
		}
	}
	return nil
}

// Beyond are the segments of the path of variant second that need not run again
// after variant first on the same frame: those after the common beginning.
func (m *Manifest) Beyond(first, second string) []string {
	a, b := m.Variant(first).Path, m.Variant(second).Path
	shared := 0
	for shared < min(len(a), len(b)) && a[shared] == b[shared] {
		shared++
	}
	return b[shared:]
}

// SetEscalation replaces the escalation in the manifest of the bundle in folder
// dir, and leaves its segments alone; nil takes it out. A signature of the old
// manifest does not fit the new one.
func SetEscalation(dir string, e *Escalation) error {
	data, err := readManifest(dir)
	if err != nil {
		return err
	}
	m, err := DecodeManifest(data)
	if err != nil {
		return fmt.Errorf("%w (in %s)", err, dir)
	}
	m.Escalation = e
	if err := m.Validate(); err != nil {
		return err
	}
	if data, err = EncodeManifest(m); err != nil {
		return err
	}
	if err := atomicfile.Write(filepath.Join(dir, manifestFile), data); err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	return nil
}

func (m *Manifest) validateEscalation() error {
	e := m.Escalation
	if e == nil {
		return nil
	}
	if err := checkText("the dataset of the escalation", e.Dataset); err != nil {
		return err
	}
	if err := checkText("the split of the escalation", e.Split); err != nil {
		return err
	}
	if e.Split == "test" {
		return fmt.Errorf("bundle: manifest.json: the escalation was calibrated on the test split: calibrate it on the validation split with fathom eval --escalation")
	}
	if e.Samples < 1 || len(e.Steps) == 0 {
		return fmt.Errorf("bundle: manifest.json: an escalation of %d steps on %d samples: both must be at least 1", len(e.Steps), e.Samples)
	}
	place := make(map[string]int, len(m.Variants))
	for i, v := range m.Variants {
		place[v.Name] = i
	}
	seen := make(map[string]bool, len(e.Steps))
	for _, s := range e.Steps {
		from, known := place[s.From]
		to, found := place[s.To]
		switch {
		case !known || !found:
			return fmt.Errorf("bundle: manifest.json: escalation from %q to %q: both must be variants", s.From, s.To)
		case from >= to:
			return fmt.Errorf("bundle: manifest.json: escalation from %s to %s: it must lead to a variant further down the list", s.From, s.To)
		case seen[s.From]:
			return fmt.Errorf("bundle: manifest.json: two escalations from %s", s.From)
		case !(s.Margin > 0 && s.Margin <= 1):
			return fmt.Errorf("bundle: manifest.json: escalation from %s: margin %v must be above 0 and at most 1", s.From, s.Margin)
		case !(s.Share >= 0 && s.Share <= 1) || !(s.Top1 >= 0 && s.Top1 <= 1):
			return fmt.Errorf("bundle: manifest.json: escalation from %s: share %v and top1 %v must be in [0, 1]", s.From, s.Share, s.Top1)
		}
		seen[s.From] = true
	}
	return nil
}
