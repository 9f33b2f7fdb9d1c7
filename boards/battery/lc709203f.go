package battery

import "fmt"

// lc709203f drives ON Semiconductor's fuel gauge for one cell. Every word comes
// with a CRC-8 over the whole transaction, "Slave Address to Last Data" (data
// sheet LC709203F/D, "Communication Protocol"). It is only read: battery size,
// profile and power mode are for whoever set the board up, and a gauge in sleep
// mode says so.
type lc709203f struct{ chip }

// Commands of the data sheet; words come least significant byte first.
const (
	lcVoltage   = 0x09 // mV
	lcITE       = 0x0F // 0.1 %, indicator to empty
	lcVersion   = 0x11
	lcPowerMode = 0x15
	lcAwake     = 0x0001
	lcAsleep    = 0x0002
)

func openLC709203F(c chip, _ Config) sensor { return lc709203f{c} }

// word reads one command and checks its CRC.
func (s lc709203f) word(command byte) (uint16, error) {
	var b [3]byte
	if err := s.read(command, b[:]); err != nil {
		return 0, err
	}
	v, err := decodeLCWord(s.dev.Addr, command, b)
	if err != nil {
		return 0, fmt.Errorf("%s: read register %#02x: %w", s.chip, command, err)
	}
	return v, nil
}

// decodeLCWord returns the word of three bytes: low, high, CRC.
func decodeLCWord(address uint16, command byte, b [3]byte) (uint16, error) {
	wire := byte(address << 1)
	if crc := crc8([]byte{wire, command, wire | 1, b[0], b[1]}); crc != b[2] {
		return 0, fmt.Errorf("wrong CRC: %#02x came with the data, which have %#02x (disturbed bus, or another chip)", b[2], crc)
	}
	return uint16(b[1])<<8 | uint16(b[0]), nil
}

// crc8 is CRC-8-ATM: polynomial x^8+x^2+x+1, start 0.
func crc8(data []byte) byte {
	var crc byte
	for _, b := range data {
		crc ^= b
		for range 8 {
			carry := crc&0x80 != 0
			crc <<= 1
			if carry {
				crc ^= 0x07
			}
		}
	}
	return crc
}

func (s lc709203f) identify() error {
	_, err := s.word(lcVersion) // any version: the CRC tells that it is one
	return err
}

func (s lc709203f) measure() (measurement, error) {
	mode, err := s.word(lcPowerMode)
	if err != nil {
		return nothing(), err
	}
	if mode == lcAsleep {
		return nothing(), fmt.Errorf("%s: the gauge is in sleep mode and does not follow the battery (write %#04x to register %#02x when the board starts)",
			s.chip, lcAwake, lcPowerMode)
	}
	millivolts, err := s.word(lcVoltage)
	if err != nil {
		return nothing(), err
	}
	ite, err := s.word(lcITE)
	if err != nil {
		return nothing(), err
	}
	m := nothing()
	m.volts = float64(millivolts) / 1000
	m.percent = float64(ite) / 10
	return m, nil
}
