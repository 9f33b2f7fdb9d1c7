package batterytest

import (
	"encoding/binary"
	"errors"
	"math"
)

// MAX1704x is one of Maxim's ModelGauge chips at a pack. It knows the pack's charge.
type MAX1704x struct {
	Pack *Pack
	// Version is 0x0012 for a MAX17048 or 49, whose voltage has 16 bits of 78.125 µV
	// a cell, and 0x0003 for the others, whose voltage has 12 bits of 1.25 mV a cell.
	Version uint16
}

// Tx implements Chip.
func (c *MAX1704x) Tx(w, r []byte) error {
	if len(w) != 1 || len(r) != 2 {
		return errors.New("batterytest: MAX1704x: not a 16-bit read")
	}
	newer := c.Version&0xFFF0 == 0x0010
	cell := c.Pack.Volts() / float64(c.Pack.Cells)
	var v uint16
	switch w[0] {
	case 0x02:
		if v = uint16(math.Round(cell/1.25e-3)) << 4; newer {
			v = uint16(math.Round(cell / 78.125e-6))
		}
	case 0x04:
		v = uint16(math.Round(c.Pack.Percent * 256))
	case 0x08:
		v = c.Version
	case 0x16:
		if newer {
			v = uint16(int16(math.Round(100 * c.Pack.Amps / c.Pack.CapacityAh / 0.208)))
		}
	}
	binary.BigEndian.PutUint16(r, v)
	return nil
}

// LC709203F is ON Semiconductor's gauge at a pack of one cell.
type LC709203F struct {
	Pack *Pack
	// Asleep is its state after power-on.
	Asleep bool
}

// Tx implements Chip.
func (c *LC709203F) Tx(w, r []byte) error {
	if len(w) != 1 || len(r) != 3 {
		return errors.New("batterytest: LC709203F: not a word with its CRC")
	}
	var v uint16
	switch w[0] {
	case 0x09:
		v = uint16(math.Round(c.Pack.Volts() * 1000))
	case 0x0F:
		v = uint16(math.Round(c.Pack.Percent * 10))
	case 0x11:
		v = 0x2717
	case 0x15:
		if v = 1; c.Asleep {
			v = 2
		}
	}
	binary.LittleEndian.PutUint16(r, v)
	// x^8 + x^2 + x + 1 by long division of the message with eight zeros after it.
	message := []byte{0x16, w[0], 0x17, r[0], r[1], 0}
	var rest uint16
	for _, b := range message {
		for bit := 7; bit >= 0; bit-- {
			rest = rest<<1 | uint16(b>>bit&1)
			if rest&0x100 != 0 {
				rest ^= 0x107
			}
		}
	}
	r[2] = byte(rest)
	return nil
}
