package battery

import (
	"encoding/binary"
	"fmt"
	"math"
)

// waveshareE drives the microcontroller of Waveshare's UPS HAT (E), four cells in
// series, after int08h/waveshare-ups-hat-e and Waveshare's demo. Register 0x01
// switches the board's power off and is never touched.
type waveshareE struct{ chip }

const (
	waveshareFlags = 0x02 // bit 7 charging, 6 fast charging, 5 power at USB-C
	wavesharePack  = 0x20 // mV, mA (signed, negative while discharging), %, mAh left, minutes left, minutes to full
	waveshareCells = 0x30 // four times mV

	// The board cuts off at 3.2 V a cell; the library warns from 3.4 V on.
	waveshareLowMillivolts = 3400
	waveshareUSBC          = 1 << 5
)

func openWaveshareE(c chip, _ Config) sensor { return waveshareE{c} }

// raw reads all registers.
func (s waveshareE) raw() (flags byte, pack [12]byte, cells [8]byte, err error) {
	if flags, err = s.byteAt(waveshareFlags); err != nil {
		return
	}
	if err = s.read(wavesharePack, pack[:]); err != nil {
		return
	}
	err = s.read(waveshareCells, cells[:])
	return
}

// identify compares the pack with the sum of its cells.
func (s waveshareE) identify() error {
	_, pack, cells, err := s.raw()
	if err != nil {
		return err
	}
	if volts, sum, ok := waveshareCellsAddUp(pack, cells); !ok {
		return fmt.Errorf("%s: the pack has %.2f V and its cells together %.2f V (another device?)", s.chip, volts, sum)
	}
	return nil
}

// waveshareCellsAddUp tells whether the pack has, within a volt, what its cells have together.
func waveshareCellsAddUp(pack [12]byte, cells [8]byte) (volts, sum float64, ok bool) {
	volts = float64(binary.LittleEndian.Uint16(pack[:])) / 1000
	for i := range 4 {
		sum += float64(binary.LittleEndian.Uint16(cells[2*i:])) / 1000
	}
	return volts, sum, math.Abs(volts-sum) <= 1
}

func (s waveshareE) measure() (measurement, error) {
	flags, pack, cells, err := s.raw()
	if err != nil {
		return nothing(), err
	}
	return decodeWaveshareE(flags, pack, cells), nil
}

// decodeWaveshareE turns register contents into units.
func decodeWaveshareE(flags byte, pack [12]byte, cells [8]byte) measurement {
	word := func(i int) uint16 { return binary.LittleEndian.Uint16(pack[i:]) }
	m := nothing()
	m.volts = float64(word(0)) / 1000
	m.amps = float64(int16(word(2))) / 1000
	m.percent = float64(word(4))
	// What is left tells the size of the pack while enough is left of it.
	const enough = 10
	if m.percent >= enough {
		m.ampHours = float64(word(6)) / 1000 / (m.percent / 100)
	}
	m.externalPower = truthOf(flags&waveshareUSBC != 0)
	m.low = no
	for i := range 4 {
		if binary.LittleEndian.Uint16(cells[2*i:]) <= waveshareLowMillivolts {
			m.low = yes
		}
	}
	return m
}
