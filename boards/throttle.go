package boards

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/fathom-edge/fathom/boards/sysfs"
	"github.com/fathom-edge/fathom/boards/telemetry"
)

// capPrefixes begin the types of the cooling devices that cap a processor's
// clock: ACPI's Processor, cpufreq_cooling's thermal-cpufreq-N (cpufreq-cpuN
// since Linux 5.12), idle injection, and JetPack 4's cpu-balanced. Fans and
// screens are not among them.
var capPrefixes = []string{"processor", "thermal-cpufreq", "cpufreq", "intel_powerclamp", "thermal-idle", "idle-", "cpu-balanced"}

func capsClock(d sysfs.CoolingDevice) bool {
	typ := strings.ToLower(d.Type)
	for _, prefix := range capPrefixes {
		if strings.HasPrefix(typ, prefix) {
			return true
		}
	}
	return false
}

// firmwareAnswer is what a Raspberry Pi's firmware says.
type firmwareAnswer struct {
	word         telemetry.Reading[uint32]
	underVoltage telemetry.Reading[bool]
	throttled    telemetry.Reading[bool]
}

func answerOf(word sysfs.FirmwareWord, at time.Time) firmwareAnswer {
	return firmwareAnswer{
		word:         telemetry.Known(uint32(word), at),
		underVoltage: telemetry.Known(word.UnderVoltage(), at),
		throttled:    telemetry.Known(word.Throttled(), at),
	}
}

// throttleCall is one snapshot's question for what is taken away from the clock.
//
// The firmware's flags are read from get_throttled; where the kernel has only the
// voltage alarm, or neither, vcgencmd is the last resort for the rest.
type throttleCall struct {
	found  sensors
	board  *Board
	isPi   bool
	flags  pending[firmwareAnswer] // where found.hasFlags
	tool   pending[firmwareAnswer] // where askedTool
	caps   []pending[telemetry.Cap]
	alarms []pending[telemetry.Reading[uint64]]
	clocks []pending[telemetry.Clock]

	askedTool bool
}

func (b *Board) beginThrottle(w *waiter, found sensors) throttleCall {
	call := throttleCall{found: found, board: b, isPi: strings.HasPrefix(found.board.ID, "raspberry-pi")}
	if found.hasFlags {
		call.flags = begin(b.ask, w, "firmware flags", func() (firmwareAnswer, error) { return askFlags(found.flags, b.now) })
	}
	if call.isPi && b.vcgencmd != nil && (!found.hasFlags || found.flags.UnderVoltageOnly) {
		call.askedTool = true
		call.tool = begin(b.ask, w, "vcgencmd", func() (firmwareAnswer, error) {
			// It may take longer than this snapshot, but not for ever.
			ctx, cancel := context.WithTimeout(context.Background(), vcgencmdPatience)
			defer cancel()
			text, err := b.vcgencmd(ctx)
			if err != nil {
				return firmwareAnswer{}, err
			}
			word, err := sysfs.ParseVcgencmd(text)
			if err != nil {
				return firmwareAnswer{}, fmt.Errorf("vcgencmd: %w", err)
			}
			return answerOf(word, b.now()), nil
		})
	}
	for _, device := range found.cooling {
		call.caps = append(call.caps, begin(b.ask, w, device.Name, func() (telemetry.Cap, error) {
			state, err := device.State()
			most, mostErr := device.Max()
			at := b.now()
			return telemetry.Cap{Type: device.Type, OfCPU: capsClock(device),
				State: readingOf(at, state, err), Max: readingOf(at, most, mostErr)}, err
		}))
	}
	for _, alarm := range found.alarms {
		call.alarms = append(call.alarms, begin(b.ask, w, fmt.Sprintf("over-current alarm %d", alarm.Number),
			func() (telemetry.Reading[uint64], error) {
				n, err := alarm.Count()
				return readingOf(b.now(), n, err), err
			}))
	}
	for _, policy := range found.clocks {
		call.clocks = append(call.clocks, begin(b.ask, w, "cpufreq "+policy.Name, func() (telemetry.Clock, error) {
			return askClock(policy, b.now()), nil
		}))
	}
	return call
}

func askFlags(flags sysfs.ThrottleFlags, now func() time.Time) (firmwareAnswer, error) {
	if !flags.UnderVoltageOnly {
		word, err := flags.Word()
		if err != nil {
			return firmwareAnswer{}, err
		}
		return answerOf(word, now()), nil
	}
	low, err := flags.UnderVoltage()
	const reason = "this kernel offers only the voltage alarm (rpi_volt), not get_throttled"
	return firmwareAnswer{
		word:         telemetry.Unknown[uint32](reason),
		underVoltage: readingOf(now(), low, err),
		throttled:    telemetry.Unknown[bool](reason),
	}, err
}

// askClock: a policy without an answer is no fault, its cores may be switched off.
func askClock(policy sysfs.CPUFreqPolicy, at time.Time) telemetry.Clock {
	requested, requestedErr := policy.RequestedHertz()
	allowed, allowedErr := policy.AllowedHertz()
	governor, governorErr := policy.Governor()
	return telemetry.Clock{
		Policy:    policy.Name,
		Requested: readingOf(at, requested, requestedErr),
		Allowed:   readingOf(at, allowed, allowedErr),
		Governor:  readingOf(at, governor, governorErr),
	}
}

// The sums of telemetry.Throttle, for telemetry.Probe.Feeds.
const (
	sumUnderVoltage = "throttle.under_voltage"
	sumThrottled    = "throttle.throttled"
	sumClock        = "throttle.clock_hertz"
)

func (c throttleCall) finish(w *waiter, probes []telemetry.Probe) (telemetry.Throttle, []telemetry.Probe) {
	t := telemetry.Throttle{
		UnderVoltage:  telemetry.Unknown[bool]("nothing watches the supply voltage"),
		Throttled:     telemetry.Unknown[bool]("nothing tells whether the clock is held back"),
		FirmwareFlags: telemetry.Unknown[uint32]("no Raspberry Pi firmware"),
	}
	probes = append(probes, c.finishFlags(w, &t), c.finishTool(w, &t))
	caps := c.finishCaps(w, &t)
	return t, append(probes, caps, c.finishAlarms(w, &t), c.finishClocks(w, &t))
}

// loseFlags makes unknown what the firmware would have told.
func loseFlags(t *telemetry.Throttle, reason string) {
	t.UnderVoltage, t.Throttled = telemetry.Unknown[bool](reason), telemetry.Unknown[bool](reason)
	t.FirmwareFlags = telemetry.Unknown[uint32](reason)
}

func (c throttleCall) finishFlags(w *waiter, t *telemetry.Throttle) telemetry.Probe {
	const name = "firmware flags"
	if !c.found.hasFlags {
		if c.found.flagsErr != nil {
			loseFlags(t, c.found.flagsErr.Error())
			return failed(name, c.found.flagsErr.Error(), sumUnderVoltage, sumThrottled)
		}
		if c.isPi {
			const reason = "this kernel offers neither get_throttled nor rpi_volt"
			loseFlags(t, reason)
			return skipped(name, reason)
		}
		return skipped(name, "no Raspberry Pi firmware")
	}
	feeds := []string{sumUnderVoltage, sumThrottled}
	if c.found.flags.UnderVoltageOnly {
		feeds = feeds[:1]
	}
	a, err := wait(w, c.flags)
	if err != nil {
		loseFlags(t, err.Error())
		return failed(name, err.Error(), feeds...)
	}
	t.UnderVoltage, t.Throttled, t.FirmwareFlags = a.underVoltage, a.throttled, a.word
	return loaded(name, "/"+c.found.flags.Path, feeds...)
}

// finishTool fills in what the kernel did not tell.
func (c throttleCall) finishTool(w *waiter, t *telemetry.Throttle) telemetry.Probe {
	const name = "vcgencmd"
	switch {
	case !c.isPi:
		return skipped(name, "no Raspberry Pi")
	case c.found.hasFlags && !c.found.flags.UnderVoltageOnly:
		return skipped(name, "not needed: the kernel tells the firmware's flags")
	case !c.askedTool:
		return skipped(name, "it would ask the running machine, not the given root")
	}
	feeds := []string{sumUnderVoltage, sumThrottled}
	if c.found.hasFlags {
		feeds = feeds[1:]
	}
	a, err := wait(w, c.tool)
	if err != nil {
		if !c.found.hasFlags && c.found.flagsErr == nil {
			loseFlags(t, err.Error())
		}
		if isMissing(err) {
			return skipped(name, err.Error())
		}
		return failed(name, err.Error(), feeds...)
	}
	t.Throttled, t.FirmwareFlags = a.throttled, a.word
	if !isKnown(t.UnderVoltage) {
		t.UnderVoltage = a.underVoltage
	}
	return loaded(name, "", feeds...)
}

// finishCaps: one active cap is throttling; that none is, is known only if all
// answered. A Raspberry Pi's firmware knows better than its caps.
func (c throttleCall) finishCaps(w *waiter, t *telemetry.Throttle) telemetry.Probe {
	const name = "cooling devices"
	var throttled telemetry.Reading[bool]
	var broken []string
	ofCPU := 0
	for i, pending := range c.caps {
		cooler, err := wait(w, pending)
		if err != nil && cooler.Type == "" { // no answer
			device := c.found.cooling[i]
			unknown := telemetry.Unknown[float64](err.Error())
			cooler = telemetry.Cap{Type: device.Type, OfCPU: capsClock(device), State: unknown, Max: unknown}
		}
		t.Caps = append(t.Caps, cooler)
		if !cooler.OfCPU {
			continue
		}
		ofCPU++
		state, known := cooler.State.Get()
		if !known {
			broken = append(broken, cooler.State.Reason())
		} else if active, _ := throttled.Get(); !active {
			throttled = telemetry.Known(state > 0, cooler.State.At())
		}
	}
	if c.found.coolingErr != nil {
		broken = append(broken, c.found.coolingErr.Error())
	}
	if active, _ := throttled.Get(); !active && len(broken) > 0 {
		throttled = telemetry.Unknown[bool](strings.Join(broken, "; "))
	}
	switch {
	case c.isPi:
		if len(broken) > 0 {
			return failed(name, strings.Join(broken, "; "))
		}
		return loaded(name, "shown only: the firmware decides")
	case ofCPU == 0 && len(broken) == 0:
		t.Throttled = telemetry.Unknown[bool]("no cooling device that caps the processor's clock")
		return skipped(name, t.Throttled.Reason())
	}
	t.Throttled = throttled
	if len(broken) > 0 {
		return failed(name, strings.Join(broken, "; "), sumThrottled)
	}
	return loaded(name, "", sumThrottled)
}

// alarmNames tell what a Jetson Orin's over-current alarms are about, by number.
var alarmNames = map[int]string{1: "under-voltage", 2: "average current", 3: "instantaneous current"}

// count is a counter at the time of a snapshot.
type count struct {
	value uint64
	at    time.Time
}

// finishAlarms turns counters into rates. The first alarm is the supply's
// voltage, the second takes clock away; the third comes with normal load, and is
// only shown.
func (c throttleCall) finishAlarms(w *waiter, t *telemetry.Throttle) telemetry.Probe {
	const name = "over-current alarms"
	if len(c.alarms) == 0 {
		if c.found.alarmsErr != nil {
			return failed(name, c.found.alarmsErr.Error())
		}
		return skipped(name, "no soctherm_oc monitor")
	}
	var broken []string
	for i, pending := range c.alarms {
		number := c.found.alarms[i].Number
		counted, err := wait(w, pending)
		if err != nil {
			counted = telemetry.Unknown[uint64](err.Error())
			broken = append(broken, err.Error())
		}
		events := telemetry.Events{Name: alarmNames[number], Count: counted, PerMinute: c.board.rate(number, counted)}
		t.Events = append(t.Events, events)
		perMinute, known := events.PerMinute.Get()
		rising := telemetry.Known(perMinute > 0, events.PerMinute.At())
		if !known {
			rising = telemetry.Unknown[bool](events.PerMinute.Reason())
		}
		switch number {
		case 1:
			t.UnderVoltage = rising
		case 2:
			if perMinute > 0 { // or the caps decide
				t.Throttled = rising
			}
		}
	}
	feeds := []string{sumUnderVoltage, sumThrottled}
	if len(broken) > 0 {
		return failed(name, strings.Join(broken, "; "), feeds...)
	}
	return loaded(name, "", feeds...)
}

// rate is how fast a counter rises since the last snapshot in which it was read.
func (b *Board) rate(number int, counted telemetry.Reading[uint64]) telemetry.Reading[float64] {
	value, known := counted.Get()
	if !known {
		return telemetry.Unknown[float64](counted.Reason())
	}
	last, had := b.counts[number]
	b.counts[number] = count{value, counted.At()}
	passed := counted.At().Sub(last.at)
	switch {
	case !had:
		return telemetry.Unknown[float64]("counted from the second snapshot on")
	case passed <= 0:
		return telemetry.Unknown[float64]("no time passed since the last snapshot")
	case value < last.value:
		return telemetry.Unknown[float64]("the counter went back")
	}
	return telemetry.Known(float64(value-last.value)/passed.Minutes(), counted.At())
}

// finishClocks takes the fastest policy. One without an answer is no fault
// while another has one: its cores may be switched off.
func (c throttleCall) finishClocks(w *waiter, t *telemetry.Throttle) telemetry.Probe {
	const name = "cpufreq"
	if c.found.clocksErr != nil {
		t.ClockHertz = telemetry.Unknown[float64](c.found.clocksErr.Error())
		return failed(name, c.found.clocksErr.Error(), sumClock)
	}
	if len(c.clocks) == 0 {
		t.ClockHertz = telemetry.Unknown[float64]("the kernel has no cpufreq policy")
		return skipped(name, t.ClockHertz.Reason())
	}
	var broken string
	for i, pending := range c.clocks {
		clock, err := wait(w, pending)
		if err != nil {
			unknown := telemetry.Unknown[float64](err.Error())
			clock = telemetry.Clock{Policy: c.found.clocks[i].Name, Requested: unknown, Allowed: unknown,
				Governor: telemetry.Unknown[string](err.Error())}
		}
		t.Clocks = append(t.Clocks, clock)
		hertz, known := clock.Requested.Get()
		if !known {
			broken = clock.Requested.Reason()
			continue
		}
		if fastest, ok := t.ClockHertz.Get(); !ok || hertz > fastest {
			t.ClockHertz = clock.Requested
		}
	}
	if !isKnown(t.ClockHertz) {
		t.ClockHertz = telemetry.Unknown[float64](broken)
		return failed(name, broken, sumClock)
	}
	return loaded(name, "the requested clock"+joined("; ", broken), sumClock)
}

// joined puts a separator before a text that is not empty.
func joined(separator, s string) string {
	if s == "" {
		return ""
	}
	return separator + s
}
