package snapshots

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/fathom-edge/fathom/daemon/events"
)

// Whatever a class is called, its pictures stay in the folder, and are known again as ours.
func FuzzName(f *testing.F) {
	f.Add("great tit")
	f.Add("../../etc/passwd")
	f.Add("\x00\xff")
	f.Fuzz(func(t *testing.T, class string) {
		var ids events.IDs
		name := Name(ids.New(time.Unix(1_800_000_000, 0)), class)
		if !ours.MatchString(name) || filepath.Base(name) != name {
			t.Errorf("%q", name)
		}
	})
}
