package boards

import (
	"strings"

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

// throttleCall is one snapshot's question for what is taken away from the clock.
type throttleCall struct {
	found  sensors
	flags  pending[sysfs.ThrottleState]
	caps   []pending[telemetry.Reading[bool]]
	clocks []pending[telemetry.Reading[float64]]
}

func (b *Board) beginThrottle(found sensors) throttleCall {
	call := throttleCall{found: found}
	if found.hasFlags {
		call.flags = begin(b.ask, "firmware flags", func() (sysfs.ThrottleState, error) {
			return found.flags.Read(b.now()), nil
		})
	} else {
		for _, device := range found.cooling {
			if capsClock(device) {
				call.caps = append(call.caps, begin(b.ask, device.Name, func() (telemetry.Reading[bool], error) {
					active, err := device.Active()
					return readingOf(b.now(), active, err), nil
				}))
			}
		}
	}
	for _, policy := range found.clocks {
		call.clocks = append(call.clocks, begin(b.ask, "cpufreq "+policy.Name, func() (telemetry.Reading[float64], error) {
			hertz, err := policy.RequestedHertz()
			return readingOf(b.now(), hertz, err), nil
		}))
	}
	return call
}

func (c throttleCall) finish(w *waiter, probes []telemetry.Probe) (telemetry.Throttle, []telemetry.Probe) {
	var t telemetry.Throttle
	var flags, caps telemetry.Probe
	if c.found.hasFlags {
		flags, caps = c.finishFlags(w, &t), skipped("cooling devices", "not needed: the firmware tells when it throttles")
	} else {
		flags, caps = skipped("firmware flags", "no Raspberry Pi firmware"), c.finishCaps(w, &t)
		t.UnderVoltage = telemetry.Unknown[bool]("nothing watches the supply voltage")
	}
	return t, append(probes, flags, caps, c.finishClocks(w, &t))
}

func (c throttleCall) finishFlags(w *waiter, t *telemetry.Throttle) telemetry.Probe {
	state, err := wait(w, c.flags)
	if err != nil {
		state = sysfs.ThrottleState{
			UnderVoltage: telemetry.Unknown[bool](err.Error()),
			Throttled:    telemetry.Unknown[bool](err.Error()),
		}
	}
	t.UnderVoltage, t.Throttled = state.UnderVoltage, state.Throttled
	if !isKnown(state.UnderVoltage) {
		return failed("firmware flags", state.UnderVoltage.Reason())
	}
	return loaded("firmware flags", "/"+c.found.flags.Path)
}

// finishCaps: one active cap is throttling; none is known only if all answered.
func (c throttleCall) finishCaps(w *waiter, t *telemetry.Throttle) telemetry.Probe {
	const name = "cooling devices"
	if c.found.coolingErr != nil {
		t.Throttled = telemetry.Unknown[bool](c.found.coolingErr.Error())
		return failed(name, c.found.coolingErr.Error())
	}
	if len(c.caps) == 0 {
		t.Throttled = telemetry.Unknown[bool]("no cooling device that caps the processor's clock")
		return skipped(name, t.Throttled.Reason())
	}
	var broken string
	for _, pending := range c.caps {
		r, err := wait(w, pending)
		if err != nil {
			r = telemetry.Unknown[bool](err.Error())
		}
		active, known := r.Get()
		if !known {
			broken = r.Reason()
			continue
		}
		if wasActive, _ := t.Throttled.Get(); !wasActive {
			t.Throttled = telemetry.Known(active, r.At())
		}
	}
	if broken == "" {
		return loaded(name, "")
	}
	if active, _ := t.Throttled.Get(); !active {
		t.Throttled = telemetry.Unknown[bool](broken)
	}
	return failed(name, broken)
}

// finishClocks takes the fastest policy. One without an answer is no fault
// while another has one: its cores may be switched off.
func (c throttleCall) finishClocks(w *waiter, t *telemetry.Throttle) telemetry.Probe {
	const name = "cpufreq"
	if c.found.clocksErr != nil {
		t.ClockHertz = telemetry.Unknown[float64](c.found.clocksErr.Error())
		return failed(name, c.found.clocksErr.Error())
	}
	if len(c.clocks) == 0 {
		t.ClockHertz = telemetry.Unknown[float64]("the kernel has no cpufreq policy")
		return skipped(name, t.ClockHertz.Reason())
	}
	var broken string
	for _, pending := range c.clocks {
		r, err := wait(w, pending)
		if err != nil {
			r = telemetry.Unknown[float64](err.Error())
		}
		hertz, known := r.Get()
		if !known {
			broken = r.Reason()
			continue
		}
		if fastest, ok := t.ClockHertz.Get(); !ok || hertz > fastest {
			t.ClockHertz = r
		}
	}
	if !isKnown(t.ClockHertz) {
		t.ClockHertz = telemetry.Unknown[float64](broken)
		return failed(name, broken)
	}
	return loaded(name, broken)
}
