package daemon

import (
	"log/slog"
	"slices"
	"strings"
	"time"
)

// The parts that can fail while the daemon runs.
const (
	partCamera        = "camera"
	partInference     = "inference"
	partSensors       = "temperature"
	partConfiguration = "configuration"
	partSettings      = "settings"
)

// faults remembers what is wrong now and logs each change once. Its owner locks.
type faults struct {
	log *slog.Logger
	now map[string]string // part → reason
	// failed is when each part last did.
	failed map[string]time.Time
	// total counts how often each part has failed since the start.
	total map[string]uint64
}

// settle is for how long a part that fails now and then must work before it counts as working, so that a camera which
// damages every tenth picture is told once and not with every picture.
const settle = 2 * time.Second

// set notes that a part is broken; the reason may change without being logged again.
func (f *faults) set(part, reason string, at time.Time) {
	f.failed[part] = at
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

// works notes that a part has just worked, as others of its kind do many times a minute.
func (f *faults) works(part string, at time.Time) {
	if at.Sub(f.failed[part]) >= settle {
		f.clear(part)
	}
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
