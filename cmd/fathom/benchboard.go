package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
)

// conditions are what the board was like at one instant of a benchmark.
type conditions struct {
	Time           time.Time                  `json:"time"`
	Board          string                     `json:"board"`
	Kernel         string                     `json:"kernel"`
	ClockGovernors telemetry.Reading[string]  `json:"clock_governors"`
	ClockHertz     telemetry.Reading[float64] `json:"clock_hertz"`
	HottestCelsius telemetry.Reading[float64] `json:"hottest_celsius"`
	OthersPercent  telemetry.Reading[float64] `json:"others_cpu_percent"`
	Watts          telemetry.Reading[float64] `json:"watts"`
}

const (
	busyOthers  = 10.             // per cent of all cores, from which a warning is due
	watchPeriod = 2 * time.Second // at most so often the board is asked during a run
	watchLimit  = time.Second     // for one look at it
)

// boardWatch looks at the board before, during and after a benchmark, always
// between two blocks. One goroutine may use it.
type boardWatch struct {
	source   telemetry.Source
	begin    conditions
	last     time.Time
	troubles []string
	others   []float64
	cores    telemetry.Reading[float64] // that the control group allows
}

// newBoardWatch looks for a second, so that shares of time are known.
func newBoardWatch(ctx context.Context, source telemetry.Source) *boardWatch {
	w := &boardWatch{source: source}
	w.look(ctx)
	sleep(ctx, time.Second)
	w.others = nil
	w.begin = w.look(ctx)
	return w
}

func (w *boardWatch) look(ctx context.Context) conditions {
	limited, cancel := context.WithTimeout(ctx, watchLimit)
	defer cancel()
	s := w.source.Read(limited)
	w.last = time.Now()
	if v, ok := s.Load.OthersCPUPercent.Get(); ok {
		w.others = append(w.others, v)
	}
	w.cores = s.Load.Limits.CPUCores
	w.note(s.Throttle)
	return conditions{
		Time: s.Time, Board: s.Board, Kernel: kernel(), ClockGovernors: clockGovernors(s.Throttle), ClockHertz: s.Throttle.ClockHertz,
		HottestCelsius: s.Heat.HottestCelsius, OthersPercent: s.Load.OthersCPUPercent, Watts: s.Power.Watts,
	}
}

// between looks if the last look is long enough ago.
func (w *boardWatch) between(ctx context.Context) {
	if time.Since(w.last) >= watchPeriod {
		w.look(ctx)
	}
}

func (w *boardWatch) end(ctx context.Context) conditions { return w.look(ctx) }

// note keeps what took away from the clock, each kind once.
func (w *boardWatch) note(t telemetry.Throttle) {
	add := func(what string) {
		if !slices.Contains(w.troubles, what) {
			w.troubles = append(w.troubles, what)
		}
	}
	if on, _ := t.Throttled.Get(); on {
		add("the board throttled")
	}
	if on, _ := t.UnderVoltage.Get(); on {
		add("the supply's voltage was low")
	}
	for _, c := range t.Caps {
		if state, _ := c.State.Get(); c.OfCPU && state > 0 {
			add("the kernel capped the clock (" + c.Type + ")")
		}
	}
}

// warnings say why the figures may not be those of the board at its best.
func (w *boardWatch) warnings(threads int) []string {
	var list []string
	for _, t := range w.troubles {
		list = append(list, t+" during the run: cool it, or take the figures for those of a hot board")
	}
	if g, ok := w.begin.ClockGovernors.Get(); ok && g != "performance" {
		list = append(list, "the clocks' governor is "+g+": set it to performance to measure, or figures vary with the clock")
	}
	if len(w.others) > 0 {
		var sum float64
		for _, v := range w.others {
			sum += v
		}
		if mean := sum / float64(len(w.others)); mean > busyOthers {
			list = append(list, fmt.Sprintf("other programs took %.0f %% of all cores: stop them and measure again", mean))
		}
	}
	if cores, ok := w.cores.Get(); ok && cores < float64(threads) {
		list = append(list, fmt.Sprintf("this process may use %.1f cores: %d threads get in each other's way", cores, threads))
	}
	return list
}

// clockGovernors are those of all groups of cores.
func clockGovernors(t telemetry.Throttle) telemetry.Reading[string] {
	var names []string
	reading := telemetry.Unknown[string]("no cpufreq: the clock is fixed, or the host of a virtual machine sets it")
	for _, c := range t.Clocks {
		name, ok := c.Governor.Get()
		if !ok {
			return c.Governor
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		reading = telemetry.Known(strings.Join(names, ", "), c.Governor.At())
	}
	return reading
}

func kernel() string {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(release))
}
