package battery

import "fmt"

// dfrobot drives the microcontroller of DFRobot's UPS HAT for the Pi Zero, which
// passes on its MAX17043's values: 12 bits of 1.25 mV, and 1/256 %. After the
// package DFRobotUPS, which follows DFRobot's wiki; bytes are read one by one.
type dfrobot struct{ chip }

const (
	dfrobotID      = 0x01
	dfrobotVoltage = 0x03
	dfrobotCharge  = 0x05
	dfrobotIs      = 0xDF
)

func openDFRobot(c chip, _ Config) sensor { return dfrobot{c} }

func (s dfrobot) identify() error {
	id, err := s.byteAt(dfrobotID)
	if err != nil {
		return err
	}
	if id != dfrobotIs {
		return fmt.Errorf("%s: register %#02x holds %#02x, not %#02x (another device?)", s.chip, dfrobotID, id, dfrobotIs)
	}
	return nil
}

func (s dfrobot) measure() (measurement, error) {
	var b [4]byte
	for i := range b {
		var err error
		if b[i], err = s.byteAt(dfrobotVoltage + byte(i)); err != nil {
			return nothing(), err
		}
	}
	return decodeDFRobot(b), nil
}

// decodeDFRobot turns registers 3 to 6 into units.
func decodeDFRobot(b [4]byte) measurement {
	m := nothing()
	m.volts = float64(uint16(b[0]&0x0F)<<8|uint16(b[1])) * 1.25e-3
	m.percent = float64(uint16(b[2])<<8|uint16(b[3])) / 256
	return m
}
