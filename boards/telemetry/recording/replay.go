package recording

import (
	"context"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
)

// Replay is a telemetry.Source that plays a recording: each Read returns the next
// snapshot, and the last one again and again after the end. For one goroutine.
type Replay struct {
	snapshots []telemetry.Snapshot
	next      int
}

var _ telemetry.Source = (*Replay)(nil)

// NewReplay plays the recording's snapshots.
func NewReplay(r Recording) *Replay { return &Replay{snapshots: r.Snapshots} }

// Read implements telemetry.Source. Of an empty recording everything is unknown.
func (r *Replay) Read(context.Context) telemetry.Snapshot {
	if len(r.snapshots) == 0 {
		return telemetry.Snapshot{}
	}
	s := r.snapshots[min(r.next, len(r.snapshots)-1)]
	r.next++
	return s
}

// Now is the time of the snapshot that Read returned last, or will return first:
// the clock to run a replay by.
func (r *Replay) Now() time.Time {
	if len(r.snapshots) == 0 {
		return time.Time{}
	}
	return r.snapshots[max(min(r.next, len(r.snapshots))-1, 0)].Time
}

// Done tells whether every snapshot was read.
func (r *Replay) Done() bool { return r.next >= len(r.snapshots) }
