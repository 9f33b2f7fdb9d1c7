package engine

import (
	"math"

	"golang.org/x/sys/unix"
)

// limits of this process on memory.
func limits() []limit {
	all := []limit{{name: "the limit of its address space (ulimit -v)", field: "VmSize"}, {name: "the limit of its data (ulimit -d)", field: "VmData"}}
	for i, resource := range []int{unix.RLIMIT_AS, unix.RLIMIT_DATA} {
		all[i].bytes = math.MaxInt64
		var r unix.Rlimit
		if err := unix.Getrlimit(resource, &r); err == nil && r.Cur < math.MaxInt64 {
			all[i].bytes = int64(r.Cur)
		}
	}
	return all
}
