package battery

import (
	"encoding/binary"
	"fmt"

	"periph.io/x/conn/v3/i2c"
)

// max17048Address is fixed in the chip.
const max17048Address = 0x36

// Registers of the MAX17048 and MAX17049 (16 bits, big-endian), after the
// data sheet's register summary.
const (
	max17048VCell   = 0x02 // 78.125 µV a cell
	max17048SOC     = 0x04 // 1/256 %
	max17048Version = 0x08 // 0x001x
	max17048CRate   = 0x16 // signed, 0.208 % per hour
)

// State is what a fuel gauge measured.
type State struct {
	Volts float64
	// ChargePercent is the state of charge in [0, 100].
	ChargePercent float64
	// PercentPerHour is how fast the charge changes; negative while the battery is drained.
	PercentPerHour float64
}

// MAX17048 is a fuel gauge for one lithium cell. (A MAX17049 measures two cells
// in series and answers with the mean of them.)
type MAX17048 struct {
	dev i2c.Dev
}

// NewMAX17048 returns the gauge on the bus once it has identified itself. The
// bus stays the caller's.
func NewMAX17048(bus i2c.Bus) (*MAX17048, error) {
	m := &MAX17048{dev: i2c.Dev{Bus: bus, Addr: max17048Address}}
	version, err := m.register(max17048Version)
	if err != nil {
		return nil, err
	}
	if version&0xFFF0 != 0x0010 {
		return nil, fmt.Errorf("battery: MAX17048 on %s at %#x: the chip there says version %#04x, not 0x001x (another gauge? check which chip the board has)",
			bus, max17048Address, version)
	}
	return m, nil
}

// Sense asks the gauge. A voltage that no lithium cell has, as an open bus or a
// missing cell gives it, is an error.
func (m *MAX17048) Sense() (State, error) {
	vcell, err := m.register(max17048VCell)
	if err != nil {
		return State{}, err
	}
	soc, err := m.register(max17048SOC)
	if err != nil {
		return State{}, err
	}
	crate, err := m.register(max17048CRate)
	if err != nil {
		return State{}, err
	}
	state, err := parseMAX17048(vcell, soc, crate)
	if err != nil {
		return State{}, fmt.Errorf("battery: MAX17048 on %s: %w", m.dev.Bus, err)
	}
	return state, nil
}

// parseMAX17048 turns register contents into units.
func parseMAX17048(vcell, soc, crate uint16) (State, error) {
	const (
		minVolts, maxVolts = 2.0, 5.0
		// The model of the chip overshoots a little on a full cell.
		maxPercent = 110
	)
	volts := float64(vcell) * 78.125e-6
	if volts < minVolts || volts > maxVolts {
		return State{}, fmt.Errorf("implausible cell voltage %.3f V (outside %g to %g: no cell, or bad wiring)", volts, minVolts, maxVolts)
	}
	percent := float64(soc) / 256
	if percent > maxPercent {
		return State{}, fmt.Errorf("implausible charge %.1f %%", percent)
	}
	return State{
		Volts:          volts,
		ChargePercent:  min(percent, 100),
		PercentPerHour: float64(int16(crate)) * 0.208,
	}, nil
}

func (m *MAX17048) register(r byte) (uint16, error) {
	var b [2]byte
	if err := m.dev.Tx([]byte{r}, b[:]); err != nil {
		return 0, fmt.Errorf("battery: MAX17048 on %s: register %#02x at address %#x: %w (is it wired, powered, and the bus number right?)",
			m.dev.Bus, r, max17048Address, err)
	}
	return binary.BigEndian.Uint16(b[:]), nil
}
