package boards

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/shirou/gopsutil/v3/common"
	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/mem"
	"github.com/shirou/gopsutil/v3/process"

	"github.com/fathom-edge/fathom/boards/sysfs"
	"github.com/fathom-edge/fathom/boards/telemetry"
)

// Processor times and memory come through gopsutil. What it does not do right, or
// not at all, is read here: shares of time (its Percent keeps one state for the
// whole program and fails once a core was switched on or off), load averages
// (it answers with the running machine's where the given tree has none), pressure
// and the limits of control groups (it knows neither).

// loadState is what the shares of the next snapshot are counted from.
type loadState struct {
	cpu, own counter
	cores    map[int]counter
	periods  sysfs.CPUPeriods
	counted  bool // periods holds something
}

// counter holds processor seconds since boot, of all cores together.
type counter struct {
	known       bool
	busy, total float64
}

// memory is in bytes.
type memory struct {
	total, available, own telemetry.Reading[uint64]
}

// loadCall is one snapshot's question for load.
type loadCall struct {
	cpu      pending[cpuAnswer]
	memory   pending[memory]
	averages pending[[3]telemetry.Reading[float64]]
	pressure pending[telemetry.Pressure]
	group    pending[groupAnswer]
}

type cpuAnswer struct {
	times  cpu.TimesStat
	cores  []cpu.TimesStat
	own    float64 // processor seconds of this process
	ownErr error
}

// groupAnswer is what the control group says.
type groupAnswer struct {
	limits     telemetry.Limits
	periods    sysfs.CPUPeriods
	periodsErr error
}

const elsewhere = "this process does not run in the given root"

func (b *Board) beginLoad(w *waiter) loadCall {
	root := string(b.fs)
	// The context form leaves the environment alone, which is global.
	tree := context.WithValue(context.Background(), common.EnvKey, common.EnvMap{
		common.HostProcEnvKey: filepath.Join(root, "proc"),
		common.HostSysEnvKey:  filepath.Join(root, "sys"),
		common.HostEtcEnvKey:  filepath.Join(root, "etc"),
	})
	return loadCall{
		cpu: begin(b.ask, w, "cpu times", func() (cpuAnswer, error) { return readCPU(tree, b.sameMachine) }),
		memory: begin(b.ask, w, "memory", func() (memory, error) {
			return b.readMemory(tree)
		}),
		averages: begin(b.ask, w, "load average", func() ([3]telemetry.Reading[float64], error) {
			averages, err := b.fs.LoadAverages()
			var readings [3]telemetry.Reading[float64]
			for i := range readings {
				readings[i] = telemetry.Known(averages[i], b.now())
			}
			return readings, err
		}),
		pressure: begin(b.ask, w, "pressure", func() (telemetry.Pressure, error) {
			return pressureOf(b, b.fs.Pressure), nil
		}),
		group: begin(b.ask, w, "control group", func() (groupAnswer, error) { return b.readGroup() }),
	}
}

// pressureOf asks for all three resources.
func pressureOf(b *Board, ask func(string) (float64, error)) telemetry.Pressure {
	one := func(resource string) telemetry.Reading[float64] {
		v, err := ask(resource)
		return readingOf(b.now(), v, err)
	}
	return telemetry.Pressure{CPUPercent: one("cpu"), MemoryPercent: one("memory"), IOPercent: one("io")}
}

// readGroup reads the control group of this process; in another root that of its
// first process, which is the root group as a rule.
func (b *Board) readGroup() (groupAnswer, error) {
	member := "self"
	if !b.sameMachine {
		member = "1"
	}
	group, err := b.fs.Cgroup(member)
	if err != nil {
		return groupAnswer{}, err
	}
	cores, coresErr := group.CPUCores()
	m, memoryErr := group.Memory()
	at := b.now()
	a := groupAnswer{limits: telemetry.Limits{
		CPUCores:             readingOf(at, cores, coresErr),
		MemoryBytes:          readingOf(at, m.Limit, memoryErr),
		MemoryAvailableBytes: readingOf(at, m.Available, memoryErr),
		Pressure:             pressureOf(b, group.Pressure),
	}}
	a.periods, a.periodsErr = group.Periods()
	return a, nil
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
	if a.cores, err = cpu.TimesWithContext(tree, true); err != nil {
		return cpuAnswer{}, fmt.Errorf("/proc/stat: %w", err)
	}
	if !sameMachine {
		a.ownErr = errors.New(elsewhere)
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

func (b *Board) readMemory(tree context.Context) (memory, error) {
	m, err := mem.VirtualMemoryWithContext(tree)
	if err != nil {
		return memory{}, fmt.Errorf("/proc/meminfo: %w", err)
	}
	if m.Total == 0 || m.Available == 0 || m.Available > m.Total { // gopsutil's way to say that lines are missing
		return memory{}, errors.New("/proc/meminfo: missing, or it does not tell how much memory there is and is available")
	}
	at := b.now()
	a := memory{telemetry.Known(m.Total, at), telemetry.Known(m.Available, at), telemetry.Unknown[uint64](elsewhere)}
	if b.sameMachine {
		self := process.Process{Pid: int32(os.Getpid())}
		own, err := self.MemoryInfoWithContext(tree)
		if err != nil {
			a.own = telemetry.Unknown[uint64](fmt.Sprintf("/proc/self/statm: %v", err))
		} else {
			a.own = telemetry.Known(own.RSS, at)
		}
	}
	return a, nil
}

// The sums of telemetry.Load, for telemetry.Probe.Feeds.
const (
	sumCPU     = "load.cpu_percent"
	sumOwnCPU  = "load.own_cpu_percent"
	sumOthers  = "load.others_cpu_percent"
	sumAverage = "load.load_average_1"
	sumMemory  = "load.memory_available_bytes"
	sumLimits  = "load.limits"
)

func (b *Board) finishLoad(w *waiter, call loadCall, probes []telemetry.Probe) (telemetry.Load, []telemetry.Probe) {
	var l telemetry.Load
	times, err := wait(w, call.cpu)
	if err != nil {
		times.ownErr = err
	}
	b.shares(&l, times, err)
	own := probe("own cpu time", times.ownErr, "", sumOwnCPU, sumOthers)
	if !b.sameMachine {
		own = skipped("own cpu time", elsewhere)
	}
	probes = append(probes, probe("cpu times", err, "", sumCPU), own)

	averages, err := wait(w, call.averages)
	if err != nil {
		for i := range averages {
			averages[i] = telemetry.Unknown[float64](err.Error())
		}
	}
	l.LoadAverage1, l.LoadAverage5, l.LoadAverage15 = averages[0], averages[1], averages[2]
	probes = append(probes, readingProbe("load average", l.LoadAverage1, sumAverage))

	memory, err := wait(w, call.memory)
	if err != nil {
		unknown := telemetry.Unknown[uint64](err.Error())
		memory.total, memory.available, memory.own = unknown, unknown, unknown
	}
	l.MemoryTotalBytes, l.MemoryAvailableBytes, l.OwnMemoryBytes = memory.total, memory.available, memory.own
	probes = append(probes, readingProbe("memory", memory.total, sumMemory))

	return l, append(probes, finishPressure(w, call, &l), b.finishGroup(w, call, &l))
}

func finishPressure(w *waiter, call loadCall, l *telemetry.Load) telemetry.Probe {
	const name = "pressure"
	pressure, err := wait(w, call.pressure)
	if err != nil {
		unknown := telemetry.Unknown[float64](err.Error())
		l.Pressure = telemetry.Pressure{CPUPercent: unknown, MemoryPercent: unknown, IOPercent: unknown}
		return failed(name, err.Error())
	}
	l.Pressure = pressure
	if !isKnown(pressure.CPUPercent) {
		return skipped(name, "the kernel tells none (CONFIG_PSI; psi=1 on its command line): "+pressure.CPUPercent.Reason())
	}
	return loaded(name, "")
}

func (b *Board) finishGroup(w *waiter, call loadCall, l *telemetry.Load) telemetry.Probe {
	const name = "control group"
	group, err := wait(w, call.group)
	if err != nil {
		number, bytes := telemetry.Unknown[float64](err.Error()), telemetry.Unknown[uint64](err.Error())
		l.Limits = telemetry.Limits{CPUCores: number, CPUThrottledPercent: number, MemoryBytes: bytes, MemoryAvailableBytes: bytes,
			Pressure: telemetry.Pressure{CPUPercent: number, MemoryPercent: number, IOPercent: number}}
		if errors.Is(err, sysfs.ErrNoCgroup2) {
			return skipped(name, err.Error())
		}
		return failed(name, err.Error())
	}
	l.Limits = group.limits
	l.Limits.CPUThrottledPercent = b.throttledShare(group)
	var limited []string
	if cores, ok := l.Limits.CPUCores.Get(); ok {
		limited = append(limited, fmt.Sprintf("at most %.3g cores", cores))
	}
	if bytes, ok := l.Limits.MemoryBytes.Get(); ok {
		limited = append(limited, fmt.Sprintf("at most %d MiB", bytes>>20))
	}
	if len(limited) == 0 {
		return loaded(name, "without limits")
	}
	return loaded(name, strings.Join(limited, ", "), sumLimits)
}

// throttledShare is the share of the group's periods since the last snapshot in
// which it was stopped.
func (b *Board) throttledShare(group groupAnswer) telemetry.Reading[float64] {
	if group.periodsErr != nil {
		b.load.counted = false
		return telemetry.Unknown[float64](group.periodsErr.Error())
	}
	last, counted := b.load.periods, b.load.counted
	b.load.periods, b.load.counted = group.periods, true
	if !counted {
		return telemetry.Unknown[float64](fromSecond)
	}
	all, stopped := group.periods.All-last.All, group.periods.Throttled-last.Throttled
	if all == 0 || stopped > all {
		return telemetry.Unknown[float64]("no period passed since the last snapshot")
	}
	return telemetry.Known(100*float64(stopped)/float64(all), b.now())
}

func readingProbe[T any](name string, r telemetry.Reading[T], feeds ...string) telemetry.Probe {
	if isKnown(r) {
		return loaded(name, "", feeds...)
	}
	return failed(name, r.Reason(), feeds...)
}

const fromSecond = "counted from the second snapshot on"

// shares counts from the last snapshot that had times. All cores together are the
// sum of those that were on at both times, so that one that is switched on or off
// between them takes nothing away; the kernel's own sum steps back then.
func (b *Board) shares(l *telemetry.Load, times cpuAnswer, err error) {
	if err != nil {
		unknown := telemetry.Unknown[float64](err.Error())
		l.CPUPercent, l.OwnCPUPercent, l.OthersCPUPercent = unknown, unknown, unknown
		return
	}
	last := b.load
	b.load.cpu = counterOf(times.times)
	cores, passed := b.coreShares(last.cores, times.cores)
	l.Cores = cores
	if len(cores) == 0 { // a kernel for one processor
		passed = counter{last.cpu.known, b.load.cpu.busy - last.cpu.busy, b.load.cpu.total - last.cpu.total}
	}
	l.CPUPercent = share(passed, b)
	if times.ownErr != nil {
		b.load.own = counter{}
		l.OwnCPUPercent = telemetry.Unknown[float64](times.ownErr.Error())
		l.OthersCPUPercent = l.OwnCPUPercent
		return
	}
	b.load.own = counter{known: true, busy: times.own}
	l.OwnCPUPercent = share(counter{last.own.known && passed.known, times.own - last.own.busy, passed.total}, b)
	l.OthersCPUPercent = others(l.CPUPercent, l.OwnCPUPercent)
}

// others is what the whole machine did without this process. The kernel counts
// both in ticks, so a small negative difference is nothing.
func others(all, own telemetry.Reading[float64]) telemetry.Reading[float64] {
	a, ok := all.Get()
	if !ok {
		return telemetry.Unknown[float64](all.Reason())
	}
	o, ok := own.Get()
	if !ok {
		return telemetry.Unknown[float64](own.Reason())
	}
	return telemetry.Known(max(a-o, 0), all.At())
}

// coreShares counts each core by its number, and all that were on at both times
// together: one that was switched on begins anew, one that was switched off is
// not there.
func (b *Board) coreShares(last map[int]counter, times []cpu.TimesStat) (cores []telemetry.Core, all counter) {
	b.load.cores = make(map[int]counter, len(times))
	for _, t := range times {
		number, err := strconv.Atoi(strings.TrimPrefix(t.CPU, "cpu"))
		if err != nil {
			continue
		}
		now, before := counterOf(t), last[number]
		b.load.cores[number] = now
		passed := counter{before.known, now.busy - before.busy, now.total - before.total}
		percent := share(passed, b)
		cores = append(cores, telemetry.Core{Number: number, CPUPercent: percent})
		if isKnown(percent) {
			all = counter{true, all.busy + passed.busy, all.total + passed.total}
		}
	}
	all.known = all.known || len(last) > 0
	slices.SortFunc(cores, func(x, y telemetry.Core) int { return x.Number - y.Number })
	return cores, all
}

// counterOf: guest time is part of user time already.
func counterOf(t cpu.TimesStat) counter {
	busy := t.User + t.Nice + t.System + t.Irq + t.Softirq + t.Steal
	return counter{known: true, busy: busy, total: busy + t.Idle + t.Iowait}
}

// share is the busy part of the time that passed, in per cent.
func share(passed counter, b *Board) telemetry.Reading[float64] {
	switch {
	case !passed.known:
		return telemetry.Unknown[float64](fromSecond)
	case passed.total == 0:
		return telemetry.Unknown[float64]("no processor time passed since the last snapshot")
	case passed.total < 0 || passed.busy < 0 || passed.busy > passed.total:
		// The kernel's idle counters step back when a core is switched off.
		return telemetry.Unknown[float64]("the processor time counters went back (a core was switched off or on)")
	}
	return telemetry.Known(100*passed.busy/passed.total, b.now())
}
