package daemon

import (
	"log/slog"
	"slices"
	"strings"
)

// The parts that can fail while the daemon runs.
const (
	partCamera        = "camera"
	partInference     = "inference"
	partSensors       = "temperature"
	partConfiguration = "configuration"
)

// faults remembers what is wrong now and logs each change once. Its owner locks.
type faults struct {
	log *slog.Logger
	now map[string]string // part → reason
	// total counts how often each part has failed since the start.
	total map[string]uint64
}

// set notes that a part is broken; the reason may change without being logged again.
func (f *faults) set(part, reason string) {
	reason = strings.TrimPrefix(reason, part+": ") // errors name their package
	if _, known := f.now[part]; !known {
		f.log.Warn("degraded", "part", part, "reason", reason)
		if f.total == nil {
			f.total = map[string]uint64{}
		}
		f.total[part]++
	}
	f.now[part] = reason
}

// clear notes that a part works.
func (f *faults) clear(part string) {
	if _, known := f.now[part]; known {
		f.log.Info("recovered", "part", part)
		delete(f.now, part)
	}
}

// reasons lists what is wrong, sorted by part.
func (f *faults) reasons() []string {
	list := []string{}
	for part, reason := range f.now {
		list = append(list, part+": "+reason)
	}
	slices.Sort(list)
	return list
}
