package train

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/fathom-edge/fathom/internal/atomicfile"
)

// TrimMetrics removes what a metrics file says of steps after the given one, and half a last line: a run that goes on from
// a checkpoint says it again. A missing file is as good as an empty one.
func TrimMetrics(path string, step int) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("train: metrics: %w", err)
	}
	kept, err := trim(data, step)
	if err != nil {
		return fmt.Errorf("train: metrics: %s: %w", path, err)
	}
	if err := atomicfile.Write(path, kept); err != nil {
		return fmt.Errorf("train: metrics: %w", err)
	}
	return nil
}

// trim keeps the whole lines up to the step, except for those of the end of a run.
func trim(data []byte, step int) (kept []byte, err error) {
	for n := 1; len(data) > 0; n++ {
		line, rest, whole := bytes.Cut(data, []byte{'\n'})
		data = rest
		if !whole {
			break
		}
		var m Metric
		if err := json.Unmarshal(line, &m); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if m.Step <= step && m.Kind != kindFinal {
			kept = append(append(kept, line...), '\n')
		}
	}
	return kept, nil
}
