package batterytest

import (
	"encoding/binary"
	"errors"
	"math"
)

// Registers is a microcontroller with 256 bytes that are read one after the other
// from the one named. Writes are refused.
type Registers struct {
	Bytes [256]byte
	// Update is called before each read; nil leaves Bytes as they are.
	Update func(*[256]byte)
}

// Tx implements Chip.
func (c *Registers) Tx(w, r []byte) error {
	if len(w) != 1 || len(r) == 0 {
		return errors.New("batterytest: registers are read only")
	}
	if c.Update != nil {
		c.Update(&c.Bytes)
	}
	for i := range r {
		r[i] = c.Bytes[(int(w[0])+i)%256]
	}
	return nil
}

func milli(v float64) uint16 { return uint16(int16(math.Round(v * 1000))) }

// NewWaveshareE returns the controller of a UPS HAT (E), after int08h/waveshare-ups-hat-e.
func NewWaveshareE(p *Pack) *Registers {
	return &Registers{Update: func(b *[256]byte) {
		if b[0x02] = 0; p.Amps > 0 {
			b[0x02] = 0xA0 // charging, from USB-C
		}
		le := binary.LittleEndian
		le.PutUint16(b[0x20:], milli(p.Volts()))
		le.PutUint16(b[0x22:], milli(p.Amps))
		le.PutUint16(b[0x24:], uint16(math.Round(p.Percent)))
		le.PutUint16(b[0x26:], milli(p.CapacityAh*p.Percent/100))
		for i := range 4 {
			le.PutUint16(b[0x30+2*i:], milli(p.Volts()/4))
		}
	}}
}

// NewPiSugar3 returns the controller of a PiSugar 3, after pisugar3.rs.
func NewPiSugar3(p *Pack) *Registers {
	c := &Registers{Update: func(b *[256]byte) {
		be := binary.BigEndian
		be.PutUint16(b[0x22:], milli(p.Volts()))
		if b[0x02] = 0x40; p.Amps > 0 {
			b[0x02] |= 0x80
		}
		be.PutUint16(b[0x26:], milli(max(0, -p.Amps)))
		b[0x2A] = byte(p.Percent)
	}}
	copy(c.Bytes[0xE2:], "1.2.4")
	return c
}

// NewIP5209 returns the chip of a PiSugar 2, after ip5209.rs.
func NewIP5209(p *Pack) *Registers { return newIP5xxx(p, 0xA2, 0.745985e-3) }

// NewIP5312 returns the chip of a PiSugar 2 Plus, after ip5312.rs.
func NewIP5312(p *Pack) *Registers { return newIP5xxx(p, 0xD0, 2.68554e-3) }

func newIP5xxx(p *Pack, reg int, ampUnit float64) *Registers {
	return &Registers{Update: func(b *[256]byte) {
		le := binary.LittleEndian
		le.PutUint16(b[reg:], uint16(math.Round((p.Volts()-2.6)/0.26855e-3))&0x3FFF)
		le.PutUint16(b[reg+2:], uint16(int16(math.Round(p.Amps/ampUnit)))&0x3FFF)
	}}
}

// NewLiFePO4wered returns the controller of a LiFePO4wered/Pi+ (register version
// 7), after lifepo4wered-data.c. The board draws what the pack gives.
func NewLiFePO4wered(p *Pack) *Registers {
	return &Registers{Update: func(b *[256]byte) {
		b[0], b[1] = 7, 0x43
		le := binary.LittleEndian
		count := func(reg int, v, unit float64) { le.PutUint16(b[reg:], uint16(math.Round(v/unit*1023))) }
		count(0x0A, 2.95, 0.625) // shuts down below
		count(0x10, 4.5, 3.17154)
		count(0x32, p.Volts(), 0.625)
		input := 0.0
		if p.Amps > 0 {
			input = 5
		}
		count(0x36, input, 3.17154)
		count(0x34, 5, 0.65705)
		count(0x38, max(0, -p.Amps*p.Volts()/5), 0.72674)
	}}
}

// NewPiPower returns the controller of a PiPower 3 or 5, after sunfounder/spc. The
// board draws what the pack gives.
func NewPiPower(p *Pack) *Registers {
	return &Registers{Update: func(b *[256]byte) {
		le := binary.LittleEndian
		le.PutUint16(b[4:], 5000)
		le.PutUint16(b[6:], milli(max(0, -p.Amps*p.Volts()/5)))
		le.PutUint16(b[8:], milli(p.Volts()))
		le.PutUint16(b[10:], milli(p.Amps))
		b[12] = byte(math.Round(p.Percent))
		for i, is := range map[int]bool{15: p.Amps < 0, 16: p.Amps >= 0, 17: true, 18: p.Amps > 0, 20: p.Percent < 10 && p.Amps < 0} {
			if b[i] = 0; is {
				b[i] = 1
			}
		}
		b[140] = 4
	}}
}

// NewDFRobot returns the controller of a UPS HAT for the Pi Zero, after the package DFRobotUPS.
func NewDFRobot(p *Pack) *Registers {
	return &Registers{Update: func(b *[256]byte) {
		b[1], b[2] = 0xDF, 0x10
		be := binary.BigEndian
		be.PutUint16(b[3:], uint16(math.Round(p.Volts()/1.25e-3)))
		be.PutUint16(b[5:], uint16(math.Round(p.Percent*256)))
	}}
}
