package battery

import (
	"fmt"
	"math"
	"time"
)

// ina drives Texas Instruments' current monitors. They differ in registers and
// units only:
//
//	         configuration  shunt    bus     unit of shunt  unit of bus  data sheet
//	INA219   0x27FF | PGA   1        2 >> 3  10 µV          4 mV         SBOS448G 8.6
//	INA226   0x4727         1        2       2.5 µV         1.25 mV      SBOS547B 7.1
//	INA260   0x6727         1        2       1.25 mA        1.25 mV      SBOS656 8.6
//	INA3221  0x7527         1, 3, 5  2, 4, 6 40 µV, >> 3    8 mV, >> 3   SBOS576C 7.6
//
// The current is the shunt's voltage over its resistance, computed here and not
// by the chip, as "Simple Current Shunt Monitor Usage" (SBOS448G, 8.5.3) has it.
// So the calibration register is not used: the chip forgets it in a brown-out and
// then says 0 A, and other programs set it as they like. A brown-out also resets
// the configuration, and ours is never the one after a reset: every measurement
// looks for that, sets it again, and waits for new conversions.
//
// periph's devices/v3/ina219 (v3.7.4) is not used: it computes with the
// calibration register and writes it once, so that a brown-out turns the current
// into 0 A; it takes the 16 V range, which clips a pack of four cells; its errors
// hide the cause; and the first reading after it opens is a stale one.
type ina struct {
	chip
	spec   inaSpec
	config Config
	// want is the content of the configuration register while ours is in force.
	want uint16
	// limit is the raw shunt value at which the converter clips.
	limit int
	owned bool
	lost  int
}

// inaSpec is what one chip of the family has of its own.
type inaSpec struct {
	configuration uint16
	// settle is how long the first averages take after a new configuration.
	settle           time.Duration
	manufacturer     uint16 // of register 0xFE; 0 where there is none
	die              uint16 // upper 12 bits of register 0xFF
	shuntUnit        float64
	shuntShift       uint
	busUnit          float64
	busShift         uint
	clip             int  // raw value of the largest current
	gains            bool // has the INA219's choice of ranges
	ampsDirect       bool // register 1 is a current: the shunt is in the chip
	channelRegisters bool
}

const (
	inaConfiguration = 0x00
	inaManufacturer  = 0xFE
	inaDie           = 0xFF
	texasInstruments = 0x5449
)

var (
	// 32 V range, 128 samples of 532 µs averaged for each of the two.
	ina219 = inaSpec{configuration: 0x27FF, settle: 150 * time.Millisecond, shuntUnit: 10e-6, busUnit: 4e-3, busShift: 3, gains: true}
	// 64 samples of 1.1 ms averaged for each of the two.
	ina226 = inaSpec{configuration: 0x4727, settle: 155 * time.Millisecond, manufacturer: texasInstruments, die: 0x2260,
		shuntUnit: 2.5e-6, busUnit: 1.25e-3, clip: math.MaxInt16}
	ina260 = inaSpec{configuration: 0x6727, settle: 155 * time.Millisecond, manufacturer: texasInstruments, die: 0x2270,
		shuntUnit: 1.25e-3, busUnit: 1.25e-3, clip: math.MaxInt16, ampsDirect: true}
	// All channels, 16 samples of 1.1 ms averaged for each of the six.
	ina3221 = inaSpec{configuration: 0x7527, settle: 120 * time.Millisecond, manufacturer: texasInstruments, die: 0x3220,
		shuntUnit: 40e-6, shuntShift: 3, busUnit: 8e-3, busShift: 3, clip: math.MaxInt16 >> 3, channelRegisters: true}
)

// ina219Ranges are the full scales of the shunt's voltage, for the gain bits 0 to 3.
var ina219Ranges = [...]float64{0.040, 0.080, 0.160, 0.320}

func openINA(spec inaSpec) func(chip, Config) sensor {
	return func(c chip, config Config) sensor {
		s := &ina{chip: c, spec: spec, config: config, want: spec.configuration, limit: spec.clip}
		if spec.gains {
			gain := ina219Gain(config.MaxAmps * config.ShuntOhms)
			s.want |= uint16(gain) << 11
			s.limit = int(math.Round(ina219Ranges[gain] / spec.shuntUnit))
		}
		return s
	}
}

// ina219Gain returns the gain bits of the smallest range that holds a voltage; 0
// volts stands for not known, and takes the largest.
func ina219Gain(volts float64) int {
	const rounding = 1e-9
	for i, full := range ina219Ranges {
		if volts > 0 && volts <= full*(1+rounding) {
			return i
		}
	}
	return len(ina219Ranges) - 1
}

func (s *ina) identify() error {
	if s.spec.manufacturer == 0 {
		return nil // an INA219 has no identification
	}
	maker, err := s.be16(inaManufacturer)
	if err != nil {
		return err
	}
	die, err := s.be16(inaDie)
	if err != nil {
		return err
	}
	if maker != s.spec.manufacturer || die&0xFFF0 != s.spec.die {
		return fmt.Errorf("%s: the chip there says manufacturer %#04x and die %#04x, not %#04x and %#04x (another chip? check which one the board has)",
			s.chip, maker, die, s.spec.manufacturer, s.spec.die)
	}
	return nil
}

// ownSettings sees to it that our configuration is in force.
func (s *ina) ownSettings() error {
	is, err := s.be16(inaConfiguration)
	if err != nil || is == s.want {
		s.owned = s.owned || err == nil
		return err
	}
	if s.owned {
		s.lost++
	}
	if err := s.writeBE16(inaConfiguration, s.want); err != nil {
		return err
	}
	is, err = s.be16(inaConfiguration)
	if err != nil {
		return err
	}
	if is != s.want {
		return fmt.Errorf("%s: the chip does not keep its settings: %#04x written, %#04x read (another chip at this address?)", s.chip, s.want, is)
	}
	s.owned = true
	time.Sleep(s.spec.settle)
	return nil
}

func (s *ina) measure() (measurement, error) {
	if err := s.ownSettings(); err != nil {
		return nothing(), err
	}
	shuntRegister, busRegister := byte(1), byte(2)
	if s.spec.channelRegisters {
		shuntRegister = byte(2*s.config.Channel - 1)
		busRegister = shuntRegister + 1
	}
	shunt, err := s.be16(shuntRegister)
	if err != nil {
		return nothing(), err
	}
	bus, err := s.be16(busRegister)
	if err != nil {
		return nothing(), err
	}
	m, err := s.decode(shunt, bus)
	if err != nil {
		return nothing(), fmt.Errorf("%s: %w", s.chip, err)
	}
	if s.lost > 0 {
		m.remark = fmt.Sprintf("the chip lost its settings %d times (a brown-out, or another program sets it)", s.lost)
	}
	return m, nil
}

// decode turns register contents into units.
func (s *ina) decode(shunt, bus uint16) (measurement, error) {
	raw := int(int16(shunt)) >> s.spec.shuntShift
	if raw >= s.limit || raw <= -s.limit {
		return nothing(), fmt.Errorf("the current is beyond what the range can tell (raw %d of %d: is the shunt %g Ω, and max_amps enough?)",
			raw, s.limit, s.config.ShuntOhms)
	}
	m := nothing()
	m.volts = float64(bus>>s.spec.busShift) * s.spec.busUnit
	m.amps = float64(raw) * s.spec.shuntUnit
	if !s.spec.ampsDirect {
		m.amps /= s.config.ShuntOhms
	}
	if s.config.ReverseCurrent != nil && *s.config.ReverseCurrent {
		m.amps = 0 - m.amps // and not negative zero
	}
	if s.config.Measures == MeasuresLoad {
		m.loadWatts, m.amps = m.volts*m.amps, math.NaN()
		const noise = 0.05 // W
		if m.loadWatts < -noise {
			return nothing(), fmt.Errorf("the load gives %.2f W instead of drawing it (set reverse_current)", -m.loadWatts)
		}
		m.loadWatts = max(m.loadWatts, 0)
	}
	return m, nil
}
