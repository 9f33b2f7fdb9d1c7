// Package results is how measurements are kept. A benchmark writes NAME.json, a
// list of rows, one per number; Render turns it into NAME.md and plots, and
// computes there whether each row holds. Nobody edits either by hand.
package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/fathom-edge/fathom/internal/atomicfile"
)

// Row is one measured number.
type Row struct {
	// ID is unique in the file; rows that share what stands before a "/" are plotted together.
	ID    string  `json:"id"`
	What  string  `json:"what"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	// Op is "<=", ">=" or empty for a number without a bar.
	Op    string  `json:"op"`
	Limit float64 `json:"limit"`
	// Samples are the single measurements that Value is the median (or the worst) of.
	Samples []float64 `json:"samples"`
	Command string    `json:"command"`
	Machine string    `json:"machine"`
}

// Verdict is "holds", "does not hold", or empty for a row without a bar.
func (r Row) Verdict() string {
	switch {
	case r.Op == "":
		return ""
	case r.Op == "<=" && r.Value <= r.Limit, r.Op == ">=" && r.Value >= r.Limit:
		return "holds"
	default:
		return "does not hold"
	}
}

func (r Row) check() error {
	switch {
	case r.ID == "" || r.What == "" || r.Command == "" || r.Machine == "":
		return fmt.Errorf("row %q: id, what, command and machine must be given", r.ID)
	case r.Op != "" && r.Op != "<=" && r.Op != ">=":
		return fmt.Errorf("row %q: op is %q, want \"<=\", \">=\" or nothing", r.ID, r.Op)
	case math.IsNaN(r.Value) || math.IsInf(r.Value, 0):
		return fmt.Errorf("row %q: value is %v", r.ID, r.Value)
	case len(r.Samples) == 0:
		return fmt.Errorf("row %q: no samples", r.ID)
	}
	return nil
}

// Read reads a file of rows.
func Read(file string) ([]Row, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("results: %w", err)
	}
	var rows []Row
	if err := json.Unmarshal(data, &rows); err != nil {
		return nil, fmt.Errorf("results: %s: %w", file, err)
	}
	seen := map[string]bool{}
	for _, r := range rows {
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("results: %s: %w", file, err)
		}
		if seen[r.ID] {
			return nil, fmt.Errorf("results: %s: row %q stands twice", file, r.ID)
		}
		seen[r.ID] = true
	}
	return rows, nil
}

// Merge replaces the rows of equal ID in file and appends the others, so that
// the parts of a benchmark can be run one at a time.
func Merge(file string, rows []Row) error {
	old, err := Read(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	at := map[string]int{}
	for i, r := range old {
		at[r.ID] = i
	}
	for _, r := range rows {
		if err := r.check(); err != nil {
			return fmt.Errorf("results: %w", err)
		}
		if i, ok := at[r.ID]; ok {
			old[i] = r
			continue
		}
		at[r.ID] = len(old)
		old = append(old, r)
	}
	return write(file, old)
}

// Remove takes rows out of a file, such as those of cases that are measured no longer.
func Remove(file string, gone func(Row) bool) error {
	rows, err := Read(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return write(file, slices.DeleteFunc(rows, gone))
}

func write(file string, rows []Row) error {
	data, err := json.MarshalIndent(rows, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(file, append(data, '\n'))
}

// Machine describes the computer that this runs on: processor, cores, platform.
func Machine() string {
	model := "unknown processor"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d cores, %s/%s", model, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)
}
