package events

import (
	"fmt"
	"sync/atomic"
	"time"
)

// IDs makes identifiers that sort by time and are safe in file names, e.g.
// 20261123T204501.123Z-7. Safe for concurrent use.
type IDs struct{ count atomic.Uint64 }

// New returns the next one. The count keeps two apart that share a millisecond.
func (n *IDs) New(at time.Time) string {
	return fmt.Sprintf("%s-%d", at.UTC().Format("20060102T150405.000Z"), n.count.Add(1))
}
