package engine

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/fathom-edge/fathom/runtime/bundle"
)

// TFLite ends the process when it gets no memory. So what a bundle needs is
// compared beforehand with what the system, the control group and the limits of
// the process leave.

// ErrMemory is returned for a bundle that is refused since it needs more memory
// than is left.
var ErrMemory = errors.New("too little memory")

// reserve is what must be left beyond what a bundle needs: for tensors within its
// segments, which only TFLite knows, and for the program.
const reserve = 16 << 20

// need is a lower bound of what loading segments takes, in bytes: the copy of
// each, its weights as XNNPACK packs them, and the tensors at its ends.
func need(segments []bundle.Segment, precision bundle.Precision) int64 {
	var sum int64
	for _, s := range segments {
		packed := s.Bytes
		if precision == bundle.Float16 {
			packed = 4 * s.Bytes // float32, and packed again
		}
		sum += s.Bytes + packed + 4*(size(s.Input)+size(s.Output))
	}
	return sum
}

func size(shape []int) int64 {
	n := int64(1)
	for _, d := range shape {
		n *= int64(d)
	}
	return n
}

// enoughMemory refuses to go on where the segments from the given one on cannot
// be loaded. It is asked before each of them, so that what TFLite takes beyond
// the lower bound is seen in time.
func enoughMemory(m *bundle.Manifest, from int) error {
	left, whose := memoryLeft("/", limits())
	if n := need(m.Segments[from:], m.Precision) + reserve; n > left {
		return fmt.Errorf("engine: %w: %s needs %d MiB more, and %s leaves %d MiB: offer fewer variants, store it as int8, or free memory",
			ErrMemory, m.Name, n>>20+1, whose, left>>20)
	}
	return nil
}

// limit is a resource limit of the process; unlimited is math.MaxInt64.
type limit struct {
	name  string
	field string // of /proc/self/status: what counts towards it
	bytes int64
}

// memoryLeft is the least of what the files of the kernel under root and the
// limits tell, and which of them that is. What cannot be read limits nothing.
func memoryLeft(root string, limits []limit) (left int64, whose string) {
	left = math.MaxInt64
	least := func(bytes int64, name string) {
		if bytes < left {
			left, whose = max(bytes, 0), name
		}
	}
	info := fields(read(root, "proc/meminfo"))
	if available, ok := info["MemAvailable"]; ok {
		least(available+info["SwapFree"], "the system")
	}
	groupsLeft(root, least)
	status := fields(read(root, "proc/self/status"))
	for _, l := range limits {
		if used, ok := status[l.field]; ok && l.bytes < math.MaxInt64 {
			least(l.bytes-used, l.name)
		}
	}
	return left, whose
}

// groupsLeft looks at the control group of the process and those around it (version 2).
func groupsLeft(root string, least func(int64, string)) {
	group, ok := strings.CutPrefix(strings.TrimSpace(lastLine(read(root, "proc/self/cgroup"))), "0::")
	if !ok {
		return
	}
	for ; ; group = path.Dir(group) {
		dir := path.Join("sys/fs/cgroup", group)
		most, err := strconv.ParseInt(strings.TrimSpace(read(root, dir+"/memory.max")), 10, 64)
		used, err2 := strconv.ParseInt(strings.TrimSpace(read(root, dir+"/memory.current")), 10, 64)
		if err == nil && err2 == nil {
			cache := fields(read(root, dir+"/memory.stat"))["inactive_file"]
			least(most-used+cache, "the control group "+group)
		}
		if group == "/" || group == "." {
			return
		}
	}
}

func read(root, name string) string {
	data, err := os.ReadFile(path.Join(root, name))
	if err != nil {
		return ""
	}
	return string(data)
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndexByte(s, '\n')+1:]
}

// fields reads lines of a name and a number, in bytes unless they say kB.
func fields(s string) map[string]int64 {
	values := map[string]int64{}
	for line := range strings.Lines(s) {
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		n, err := strconv.ParseInt(words[1], 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64>>10 {
			continue
		}
		if len(words) > 2 && words[2] == "kB" {
			n <<= 10
		}
		values[strings.TrimSuffix(words[0], ":")] = n
	}
	return values
}
