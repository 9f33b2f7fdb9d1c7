package battery

import "fmt"

// max1704x drives Maxim's ModelGauge fuel gauges, which estimate the charge from
// the voltage alone. They are only read: one command of theirs resets the chip.
//
//	               voltage                             version   source
//	MAX17040, 43   bits 15 to 4, 1.25 mV, one cell     not 001x  19-5210 and the MAX17043/44 data sheet
//	MAX17041, 44   bits 15 to 4, 2.5 mV, two cells     not 001x  the same
//	MAX17048       78.125 µV, one cell                 001x      data sheet 19-6171, register summary
//	MAX17049       78.125 µV a cell, two cells         001x      the same
//
// The charge is 1/256 %, and the MAX17048 and 49 also tell its rate.
type max1704x struct {
	chip
	spec max1704xSpec
}

type max1704xSpec struct {
	shift uint
	unit  float64 // V of the whole pack
	rate  bool    // the generation with version 0x001x, which has the rate
}

const (
	max1704xVCell   = 0x02
	max1704xSOC     = 0x04
	max1704xVersion = 0x08
	max1704xCRate   = 0x16 // signed, 0.208 % per hour
)

var (
	max17040 = max1704xSpec{shift: 4, unit: 1.25e-3}
	max17041 = max1704xSpec{shift: 4, unit: 2.5e-3}
	max17048 = max1704xSpec{unit: 78.125e-6, rate: true}
	max17049 = max1704xSpec{unit: 2 * 78.125e-6, rate: true}
)

func openMAX1704x(spec max1704xSpec) func(chip, Config) sensor {
	return func(c chip, _ Config) sensor { return max1704x{c, spec} }
}

func isMAX17048(version uint16) bool { return version&0xFFF0 == 0x0010 }

func (s max1704x) identify() error {
	version, err := s.be16(max1704xVersion)
	if err != nil {
		return err
	}
	if isMAX17048(version) == s.spec.rate {
		return nil
	}
	wants := "0x001x"
	if !s.spec.rate {
		wants = "one below 0x0010"
	}
	return fmt.Errorf("%s: the chip there says version %#04x, not %s (another gauge? check which chip the board has)", s.chip, version, wants)
}

func (s max1704x) measure() (measurement, error) {
	var raw [3]uint16
	registers := []byte{max1704xVCell, max1704xSOC, max1704xCRate}
	if !s.spec.rate {
		registers = registers[:2]
	}
	for i, reg := range registers {
		var err error
		if raw[i], err = s.be16(reg); err != nil {
			return nothing(), err
		}
	}
	return s.spec.decode(raw[0], raw[1], raw[2]), nil
}

// decode turns register contents into units.
func (s max1704xSpec) decode(vcell, soc, crate uint16) measurement {
	m := nothing()
	m.volts = float64(vcell>>s.shift) * s.unit
	m.percent = float64(soc) / 256
	if s.rate {
		m.percentPerHour = float64(int16(crate)) * 0.208
	}
	return m
}
