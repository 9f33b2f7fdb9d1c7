package boards

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/shirou/gopsutil/v3/common"
	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/mem"
	"github.com/shirou/gopsutil/v3/process"

	"github.com/fathom-edge/fathom/boards/telemetry"
)

// loadState is what the shares of the next snapshot are counted from.
type loadState struct {
	cpu, own counter
}

// counter holds processor seconds since boot, of all cores together.
type counter struct {
	known       bool
	busy, total float64
}

// memory is in bytes.
type memory struct {
	total, available telemetry.Reading[uint64]
}

// loadCall is one snapshot's question for load.
type loadCall struct {
	cpu     pending[cpuAnswer]
	memory  pending[memory]
	average pending[telemetry.Reading[float64]]
}

type cpuAnswer struct {
	times  cpu.TimesStat
	own    float64 // processor seconds of this process
	ownErr error
}

func (b *Board) beginLoad() loadCall {
	root := string(b.fs)
	// The context form leaves the environment alone, which is global.
	tree := context.WithValue(context.Background(), common.EnvKey, common.EnvMap{
		common.HostProcEnvKey: filepath.Join(root, "proc"),
		common.HostSysEnvKey:  filepath.Join(root, "sys"),
		common.HostEtcEnvKey:  filepath.Join(root, "etc"),
	})
	return loadCall{
		cpu: begin(b.ask, "cpu times", func() (cpuAnswer, error) { return readCPU(tree, b.sameMachine) }),
		memory: begin(b.ask, "memory", func() (memory, error) {
			m, err := readMemory(tree)
			at := b.now()
			if err != nil {
				return memory{}, err
			}
			return memory{telemetry.Known(m.Total, at), telemetry.Known(m.Available, at)}, nil
		}),
		average: begin(b.ask, "load average", func() (telemetry.Reading[float64], error) {
			average, err := b.fs.LoadAverage1()
			return readingOf(b.now(), average, err), nil
		}),
	}
}

func readCPU(tree context.Context, sameMachine bool) (cpuAnswer, error) {
	all, err := cpu.TimesWithContext(tree, false)
	if err != nil {
		return cpuAnswer{}, fmt.Errorf("/proc/stat: %w", err)
	}
	if len(all) != 1 { // gopsutil leaves out what it cannot parse
		return cpuAnswer{}, errors.New("/proc/stat: missing, or its first line is not of all processors")
	}
	a := cpuAnswer{times: all[0]}
	if !sameMachine {
		a.ownErr = errors.New("this process does not run in the given root")
		return a, nil
	}
	self := process.Process{Pid: int32(os.Getpid())}
	own, err := self.TimesWithContext(tree)
	if err != nil {
		a.ownErr = fmt.Errorf("/proc/self/stat: %w", err)
		return a, nil
	}
	a.own = own.User + own.System
	return a, nil
}

func readMemory(tree context.Context) (*mem.VirtualMemoryStat, error) {
	m, err := mem.VirtualMemoryWithContext(tree)
	if err != nil {
		return nil, fmt.Errorf("/proc/meminfo: %w", err)
	}
	if m.Total == 0 || m.Available == 0 || m.Available > m.Total { // gopsutil's way to say that lines are missing
		return nil, errors.New("/proc/meminfo: missing, or it does not tell how much memory there is and is available")
	}
	return m, nil
}

func (b *Board) finishLoad(w *waiter, call loadCall, probes []telemetry.Probe) (telemetry.Load, []telemetry.Probe) {
	var l telemetry.Load
	times, err := wait(w, call.cpu)
	if err != nil {
		times.ownErr = err
	}
	l.CPUPercent, l.OwnCPUPercent = b.shares(times, err)
	probes = append(probes, probe("cpu times", err))
	own := probe("own cpu time", times.ownErr)
	if !b.sameMachine {
		own = skipped("own cpu time", times.ownErr.Error())
	}
	probes = append(probes, own)

	average, err := wait(w, call.average)
	if err != nil {
		average = telemetry.Unknown[float64](err.Error())
	}
	l.LoadAverage1 = average
	probes = append(probes, readingProbe("load average", average))

	memory, err := wait(w, call.memory)
	if err != nil {
		memory.total, memory.available = telemetry.Unknown[uint64](err.Error()), telemetry.Unknown[uint64](err.Error())
	}
	l.MemoryTotalBytes, l.MemoryAvailableBytes = memory.total, memory.available
	return l, append(probes, readingProbe("memory", memory.total))
}

func readingProbe[T any](name string, r telemetry.Reading[T]) telemetry.Probe {
	if isKnown(r) {
		return loaded(name, "")
	}
	return failed(name, r.Reason())
}

// shares counts from the last snapshot that had times.
func (b *Board) shares(times cpuAnswer, err error) (all, own telemetry.Reading[float64]) {
	if err != nil {
		return telemetry.Unknown[float64](err.Error()), telemetry.Unknown[float64](err.Error())
	}
	last := b.load
	now := counterOf(times.times)
	b.load.cpu = now
	all = share(last.cpu, now, b)
	if times.ownErr != nil {
		b.load.own = counter{}
		return all, telemetry.Unknown[float64](times.ownErr.Error())
	}
	ownNow := counter{known: true, busy: times.own, total: now.total}
	b.load.own = ownNow
	return all, share(last.own, ownNow, b)
}

// counterOf: guest time is part of user time already.
func counterOf(t cpu.TimesStat) counter {
	busy := t.User + t.Nice + t.System + t.Irq + t.Softirq + t.Steal
	return counter{known: true, busy: busy, total: busy + t.Idle + t.Iowait}
}

// share is the busy part of the time between two counters, in per cent.
func share(last, now counter, b *Board) telemetry.Reading[float64] {
	if !last.known {
		return telemetry.Unknown[float64]("counted from the second snapshot on")
	}
	busy, total := now.busy-last.busy, now.total-last.total
	switch {
	case total == 0:
		return telemetry.Unknown[float64]("no processor time passed since the last snapshot")
	case total < 0 || busy < 0 || busy > total:
		// The kernel's idle counters step back when a core is switched off.
		return telemetry.Unknown[float64]("the processor time counters went back (a core was switched off or on)")
	}
	return telemetry.Known(100*busy/total, b.now())
}
