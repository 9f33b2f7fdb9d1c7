package battery

import "fmt"

// pisugar3 drives the microcontroller of the PiSugar 3, 3 Plus and S Plus, after
// PiSugar's pisugar3.rs and "PiSugar3 I2C Datasheet". Its percentage (0x2A) is
// left alone: PiSugar's own daemon takes the voltage instead. The output current
// is what the vendor shows as the battery's; that it leaves the battery, and not
// the 5 V output, is not verified.
type pisugar3 struct{ chip }

const (
	pisugarControl  = 0x02 // bit 7: external power
	pisugarVoltage  = 0x22 // mV, high byte first
	pisugarCurrent  = 0x26 // mA out of the battery, high byte first
	pisugarVersion  = 0xE2 // firmware version, in letters
	pisugarExternal = 1 << 7
)

func openPiSugar3(c chip, _ Config) sensor { return pisugar3{c} }

func (s pisugar3) identify() error {
	first, err := s.byteAt(pisugarVersion)
	if err != nil {
		return err
	}
	// Old firmware may not tell its version.
	if (first < '0' || first > '9') && first != 0x00 && first != 0xFF {
		return fmt.Errorf("%s: register %#02x holds %#02x and not the digit with which a firmware version begins (another device?)",
			s.chip, pisugarVersion, first)
	}
	return nil
}

// word reads a number whose bytes the firmware updates one by one, so the high
// byte is read again after the low one.
func (s pisugar3) word(reg byte) (uint16, error) {
	high, err := s.byteAt(reg)
	if err != nil {
		return 0, err
	}
	for range 3 {
		low, err := s.byteAt(reg + 1)
		if err != nil {
			return 0, err
		}
		again, err := s.byteAt(reg)
		if err != nil {
			return 0, err
		}
		if again == high {
			return uint16(high)<<8 | uint16(low), nil
		}
		high = again
	}
	return 0, fmt.Errorf("%s: register %#02x changes faster than it can be read", s.chip, reg)
}

func (s pisugar3) measure() (measurement, error) {
	control, err := s.byteAt(pisugarControl)
	if err != nil {
		return nothing(), err
	}
	millivolts, err := s.word(pisugarVoltage)
	if err != nil {
		return nothing(), err
	}
	milliamps, err := s.word(pisugarCurrent)
	if err != nil {
		return nothing(), err
	}
	return decodePiSugar3(control, millivolts, milliamps), nil
}

// decodePiSugar3 turns register contents into units. On external power nobody
// says how much flows into the battery.
func decodePiSugar3(control byte, millivolts, milliamps uint16) measurement {
	m := nothing()
	m.volts = float64(millivolts) / 1000
	external := control&pisugarExternal != 0
	m.externalPower = truthOf(external)
	if !external {
		m.amps = 0 - float64(milliamps)/1000
	}
	return m
}
