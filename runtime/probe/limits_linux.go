package probe

import (
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// apply holds this process to the limits: writable memory beyond what it has
// now, processor time as a second barrier behind the parent's clock, no core
// dump, and no growing file. The kernel's OOM killer takes it before others.
func (l Limits) apply() error {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	seconds := uint64(l.Time.Seconds()+1) * uint64(l.Threads)
	for _, limit := range []struct {
		resource int
		value    uint64
	}{
		{unix.RLIMIT_DATA, dataBytes(string(status)) + uint64(l.Memory)},
		{unix.RLIMIT_CPU, seconds},
		{unix.RLIMIT_CORE, 0},
		{unix.RLIMIT_FSIZE, 0},
	} {
		// What is lower already stays.
		var old unix.Rlimit
		if err := unix.Getrlimit(limit.resource, &old); err != nil {
			return os.NewSyscallError("getrlimit", err)
		}
		value := min(limit.value, uint64(old.Max))
		if err := unix.Setrlimit(limit.resource, &unix.Rlimit{Cur: value, Max: value}); err != nil {
			return os.NewSyscallError("setrlimit", err)
		}
	}
	// It may always offer itself; where /proc is read-only the kernel chooses by size.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0)
	return nil
}

// dataBytes is VmData of /proc/self/status: private writable memory, which
// RLIMIT_DATA counts. 0 if the kernel does not tell.
func dataBytes(status string) uint64 {
	for line := range strings.Lines(status) {
		if rest, ok := strings.CutPrefix(line, "VmData:"); ok {
			kib, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 54)
			if err != nil {
				return 0
			}
			return kib << 10
		}
	}
	return 0
}

// deathSignal names the signal that killed the child; empty if none did.
func deathSignal(state *os.ProcessState) string {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return unix.SignalName(status.Signal())
	}
	return ""
}

func peakBytes(state *os.ProcessState) int64 {
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		return int64(usage.Maxrss) << 10
	}
	return 0
}
