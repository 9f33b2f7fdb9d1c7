package sysfs

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

const cgroupRoot = "sys/fs/cgroup"

// Cgroup is the control group (version 2) of a process, as a container or a
// systemd unit has one. A limit of any group above it holds, too.
type Cgroup struct {
	dirs []string // from the group itself up to the root, below the FS's root
	fs   FS
}

// ErrNoCgroup2 says that the process is in no group of version 2: another kernel,
// version 1 (JetPack 4, older Raspberry Pi OS), or no control groups at all.
var ErrNoCgroup2 = errors.New("no control group of version 2")

// Cgroup finds the group of a process ("self" or its number).
func (f FS) Cgroup(process string) (Cgroup, error) {
	group, err := readParsed(f, "proc/"+process, "cgroup", parseCgroupPath)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: %w", ErrNoCgroup2, err)
	}
	if err != nil {
		return Cgroup{}, err
	}
	if !f.exists(cgroupRoot + "/cgroup.controllers") {
		return Cgroup{}, fmt.Errorf("%w: /%s is not its file system", ErrNoCgroup2, cgroupRoot)
	}
	// A process that looks into a container from outside of its namespace sees a
	// path that its own mount does not have; the root is then all it can see.
	c := Cgroup{fs: f}
	for ; group != "/"; group = path.Dir(group) {
		if dir := cgroupRoot + group; f.exists(dir) {
			c.dirs = append(c.dirs, dir)
		}
	}
	c.dirs = append(c.dirs, cgroupRoot)
	return c, nil
}

// parseCgroupPath takes the line of version 2, "0::/system.slice/fathomd.service".
func parseCgroupPath(s string) (string, error) {
	for line := range strings.Lines(s) {
		if group, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			if !strings.HasPrefix(group, "/") {
				return "", fmt.Errorf("not a control group: %s", quote(line))
			}
			return path.Clean(group), nil
		}
	}
	return "", ErrNoCgroup2
}

// ErrNoLimit says that neither the group nor one above it has such a limit.
var ErrNoLimit = errors.New("no limit is set")

// leastLimit returns the lowest of the limits on the way to the root.
func (c Cgroup) leastLimit(attribute string, parse func(string) (float64, error)) (least float64, dir string, err error) {
	least = math.Inf(1)
	for _, d := range c.dirs {
		limit, err := readParsed(c.fs, d, attribute, parse)
		switch {
		case errors.Is(err, ErrNoLimit), errors.Is(err, fs.ErrNotExist): // the root of the machine has no such files
		case err != nil:
			return 0, "", err
		case limit < least:
			least, dir = limit, d
		}
	}
	if dir == "" {
		return 0, "", ErrNoLimit
	}
	return least, dir, nil
}

// CPUCores returns how much processor time per time the group may use, in cores.
func (c Cgroup) CPUCores() (float64, error) {
	cores, _, err := c.leastLimit("cpu.max", parseCPUMax)
	return cores, err
}

// parseCPUMax parses "50000 100000", quota and period in µs, or "max 100000".
func parseCPUMax(s string) (float64, error) {
	quota, period, _ := strings.Cut(s, " ")
	if quota == "max" {
		return 0, ErrNoLimit
	}
	q, err := strconv.ParseUint(quota, 10, 63)
	p, periodErr := strconv.ParseUint(strings.TrimSpace(period), 10, 63)
	if err != nil || periodErr != nil || q == 0 || p == 0 {
		return 0, fmt.Errorf("not a quota and a period: %s", quote(s))
	}
	return float64(q) / float64(p), nil
}

// CPUPeriods counts the periods of a group with a CPU limit, and those in which it was stopped.
type CPUPeriods struct{ All, Throttled uint64 }

// Periods returns the counts of the group whose CPU limit is the lowest.
func (c Cgroup) Periods() (CPUPeriods, error) {
	_, dir, err := c.leastLimit("cpu.max", parseCPUMax)
	if err != nil {
		return CPUPeriods{}, err
	}
	return readParsed(c.fs, dir, "cpu.stat", parseCPUPeriods)
}

func parseCPUPeriods(s string) (CPUPeriods, error) {
	all, err := keyed(s, "nr_periods")
	if err != nil {
		return CPUPeriods{}, err
	}
	throttled, err := keyed(s, "nr_throttled")
	if err != nil {
		return CPUPeriods{}, err
	}
	return CPUPeriods{all, throttled}, nil
}

// keyed returns the count that stands behind a key on a line of its own.
func keyed(s, key string) (uint64, error) {
	for line := range strings.Lines(s) {
		if text, ok := strings.CutPrefix(line, key+" "); ok {
			return parseCount(strings.TrimSpace(text))
		}
	}
	return 0, fmt.Errorf("no %s: %s", key, quote(s))
}

// CgroupMemory is what the group with the lowest memory limit may use and uses, in bytes.
type CgroupMemory struct{ Limit, Available uint64 }

// Memory returns the lowest memory limit and what is left of it. Files that the
// kernel would drop first (inactive_file) count as available, as in MemAvailable.
func (c Cgroup) Memory() (CgroupMemory, error) {
	limit, dir, err := c.leastLimit("memory.max", parseMemoryMax)
	if err != nil {
		return CgroupMemory{}, err
	}
	used, err := readParsed(c.fs, dir, "memory.current", parseCount)
	if err != nil {
		return CgroupMemory{}, err
	}
	inactive, err := readParsed(c.fs, dir, "memory.stat", func(s string) (uint64, error) { return keyed(s, "inactive_file") })
	if err != nil {
		inactive = 0 // then the files count as used
	}
	used -= min(inactive, used)
	m := CgroupMemory{Limit: uint64(limit)}
	m.Available = m.Limit - min(used, m.Limit)
	return m, nil
}

func parseMemoryMax(s string) (float64, error) {
	if s == "max" {
		return 0, ErrNoLimit
	}
	n, err := parseCount(s)
	if err != nil {
		return 0, err
	}
	if n > 1<<53 { // more than a float64 counts exactly, and than any board has
		return 0, ErrNoLimit
	}
	return float64(n), nil
}

// Pressure returns the share of the last ten seconds in which some task of the
// group waited for a resource, in per cent.
func (c Cgroup) Pressure(resource string) (float64, error) {
	return readParsed(c.fs, c.dirs[0], resource+".pressure", parsePressure)
}
