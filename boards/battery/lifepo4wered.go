package battery

import (
	"encoding/binary"
	"fmt"
	"time"
)

// lifepo4wered drives the microcontroller of the LiFePO4wered/Pi, Pi3 and Pi+,
// after the vendor's lifepo4wered-data.c. Where the registers lie depends on the
// version in register 0. The controller may get the first bit of a byte wrong
// under load, so the vendor asks for three equal readings in a row, in at most
// twenty; so does this.
type lifepo4wered struct {
	chip
	version byte
}

const (
	lifepoVersion  = 0x00
	lifepoAddress  = 0x01 // holds the device's own address
	lifepoShutdown = 0x0A // battery voltage at which the device shuts the board down

	lifepoEqual = 3
	lifepoTries = 20
	lifepoPause = 500 * time.Microsecond
)

// lifepoMap is where a version has its values; 0 means nowhere.
type lifepoMap struct {
	battery, input, output, current, threshold byte
	scale                                      lifepoScale
}

// lifepoScale is what one count of the converter means.
type lifepoScale struct{ battery, input, output, current float64 } // V, V, V, A

var (
	lifepoPlain    = lifepoScale{5.000 / 1023, 9.66667 / 1023, 5.54878 / 1023, 5.81395 / 1023}
	lifepoAveraged = lifepoScale{0.625 / 1023, 1.20833 / 1023, 0.69360 / 1023, 0.72674 / 1023}
	lifepoPlus     = lifepoScale{0.625 / 1023, 3.17154 / 1023, 0.65705 / 1023, 0.72674 / 1023}
)

// lifepoMaps belong to versions 1 to 7.
var lifepoMaps = [...]lifepoMap{
	{battery: 0x15, output: 0x17, scale: lifepoPlain},
	{battery: 0x17, output: 0x19, scale: lifepoPlain},
	{battery: 0x19, output: 0x1B, scale: lifepoPlain},
	{battery: 0x1D, input: 0x21, output: 0x1F, threshold: 0x10, scale: lifepoPlain},
	{battery: 0x1E, output: 0x20, scale: lifepoAveraged},
	{battery: 0x22, input: 0x26, output: 0x24, threshold: 0x10, scale: lifepoAveraged},
	{battery: 0x32, input: 0x36, output: 0x34, current: 0x38, threshold: 0x10, scale: lifepoPlus},
}

func openLiFePO4wered(c chip, _ Config) sensor { return &lifepo4wered{chip: c} }

// agreed fills b with what three readings in a row agree on. A failed one counts
// as a try, as with the vendor.
func (s *lifepo4wered) agreed(reg byte, b []byte) error {
	last := make([]byte, len(b))
	equal := 0
	var failure error
	for range lifepoTries {
		time.Sleep(lifepoPause)
		if err := s.read(reg, b); err != nil {
			failure = err
			continue
		}
		if equal > 0 && string(b) != string(last) {
			equal = 0
		}
		copy(last, b)
		if equal++; equal == lifepoEqual {
			return nil
		}
	}
	if failure != nil {
		return failure
	}
	return fmt.Errorf("%s: register %#02x: no %d equal readings in %d (is the bus at 100 kHz?)", s.chip, reg, lifepoEqual, lifepoTries)
}

func (s *lifepo4wered) identify() error {
	var version, address [1]byte
	if err := s.agreed(lifepoVersion, version[:]); err != nil {
		return err
	}
	if err := s.agreed(lifepoAddress, address[:]); err != nil {
		return err
	}
	if !isLiFePO4wered(version[0], address[0], s.dev.Addr) {
		return fmt.Errorf("%s: registers 0 and 1 hold %#02x and %#02x, not a known version and the device's own address (another device, or a newer one?)",
			s.chip, version[0], address[0])
	}
	s.version = version[0]
	return nil
}

// isLiFePO4wered tells whether registers 0 and 1 are those of the device. It may
// keep its address as 7 bits or as it is on the wire.
func isLiFePO4wered(version, own byte, address uint16) bool {
	return version >= 1 && int(version) <= len(lifepoMaps) && (uint16(own) == address || uint16(own) == address<<1)
}

// counts reads a signed number; a register that this version has not gives 0.
func (s *lifepo4wered) counts(reg byte) (int16, error) {
	if reg == 0 {
		return 0, nil
	}
	var b [2]byte
	err := s.agreed(reg, b[:])
	return int16(binary.LittleEndian.Uint16(b[:])), err
}

// lifepoCounts are the raw values of one measurement.
type lifepoCounts struct{ battery, shutdown, input, threshold, output, current int16 }

func (s *lifepo4wered) measure() (measurement, error) {
	layout := lifepoMaps[s.version-1]
	var raw lifepoCounts
	for _, r := range []struct {
		reg byte
		to  *int16
	}{
		{layout.battery, &raw.battery}, {lifepoShutdown, &raw.shutdown}, {layout.input, &raw.input},
		{layout.threshold, &raw.threshold}, {layout.output, &raw.output}, {layout.current, &raw.current},
	} {
		var err error
		if *r.to, err = s.counts(r.reg); err != nil {
			return nothing(), err
		}
	}
	return layout.decode(raw), nil
}

// decode turns register contents into units.
func (l lifepoMap) decode(raw lifepoCounts) measurement {
	m := nothing()
	m.volts = float64(raw.battery) * l.scale.battery
	m.low = truthOf(raw.battery < raw.shutdown)
	if l.input != 0 {
		m.externalPower = truthOf(raw.input >= raw.threshold)
	}
	if l.current != 0 {
		m.loadWatts = max(0, float64(raw.output)*l.scale.output*float64(raw.current)*l.scale.current)
	}
	return m
}
