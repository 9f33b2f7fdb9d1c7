package battery

import "fmt"

// ip5xxx drives the power-bank chips of Injoinic on the PiSugar 2 (IP5209) and
// the PiSugar 2 Plus and Pro (IP5312). Their converters give 14 bits:
// 2.6 V + 0.26855 mV, and a current in 0.745985 mA (IP5209) or 2.68554 mA
// (IP5312), after PiSugar's ip5209.rs and ip5312.rs. That the numbers are two's
// complement and a current into the battery positive is how Linux'
// ip5xxx_power.c reads the same family; ip5209.rs mirrors a voltage below 2.6 V
// to above it, which is not followed.
//
// The chip answers only while it is awake, so one that shut itself down under
// light load looks like one that is not there.
type ip5xxx struct {
	chip
	spec ip5xxxSpec
}

type ip5xxxSpec struct {
	volts, amps byte // the low bytes; the high ones follow
	ampUnit     float64
}

var (
	ip5209 = ip5xxxSpec{volts: 0xA2, amps: 0xA4, ampUnit: 0.745985e-3}
	ip5312 = ip5xxxSpec{volts: 0xD0, amps: 0xD2, ampUnit: 2.68554e-3}
)

func openIP5xxx(spec ip5xxxSpec) func(chip, Config) sensor {
	return func(c chip, _ Config) sensor { return ip5xxx{c, spec} }
}

func (s ip5xxx) identify() error { return nil } // the chip has no identification

// word reads two bytes. The low one comes first: reading it holds the high one.
func (s ip5xxx) word(reg byte) (uint16, error) {
	low, err := s.byteAt(reg)
	if err != nil {
		return 0, err
	}
	high, err := s.byteAt(reg + 1)
	return uint16(high)<<8 | uint16(low), err
}

func (s ip5xxx) measure() (measurement, error) {
	volts, err := s.word(s.spec.volts)
	if err != nil {
		return nothing(), err
	}
	amps, err := s.word(s.spec.amps)
	if err != nil {
		return nothing(), err
	}
	m, err := s.spec.decode(volts, amps)
	if err != nil {
		return nothing(), fmt.Errorf("%s: %w", s.chip, err)
	}
	return m, nil
}

// decode turns register contents into units.
func (s ip5xxxSpec) decode(volts, amps uint16) (measurement, error) {
	if volts == 0 && amps == 0 {
		return nothing(), fmt.Errorf("registers %#02x to %#02x hold nothing (the other model of the PiSugar 2?)", s.volts, s.amps+1)
	}
	m := nothing()
	m.volts = 2.6 + float64(signed14(volts))*0.26855e-3
	m.amps = float64(signed14(amps)) * s.ampUnit
	return m, nil
}

// signed14 extends the sign of the lower 14 bits.
func signed14(v uint16) int16 { return int16(v<<2) >> 2 }
