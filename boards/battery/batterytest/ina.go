package batterytest

import (
	"encoding/binary"
	"errors"
	"math"
)

// INA is one of Texas Instruments' current monitors at a pack.
type INA struct {
	Pack      *Pack
	ShuntOhms float64 // of an INA260: not used
	// Reverse counts a current out of the pack as positive.
	Reverse bool

	model         inaModel
	configuration uint16
	calibration   uint16
}

type inaModel struct {
	reset      uint16
	maker, die uint16
	shunt, bus func(*INA) int // raw, before the shift
}

// NewINA219 returns an INA219 as after power-on; see TI SBOS448G, 8.6.
func NewINA219(p *Pack, shuntOhms float64) *INA {
	return newINA(p, shuntOhms, inaModel{reset: 0x399F,
		shunt: func(c *INA) int {
			full := 4000 << (c.configuration >> 11 & 3) // the gain's range, in 10 µV
			return min(max(int(math.Round(c.amps()*c.ShuntOhms/10e-6)), -full), full)
		},
		bus: func(c *INA) int {
			volts := c.Pack.Volts()
			if c.configuration>>13&1 == 0 {
				volts = min(volts, 16)
			}
			return int(math.Round(volts/4e-3))<<3 | 2 // conversion ready
		},
	})
}

// NewINA226 returns an INA226 as after power-on; see TI SBOS547B, 7.1.
func NewINA226(p *Pack, shuntOhms float64) *INA {
	return newINA(p, shuntOhms, inaModel{reset: 0x4127, maker: 0x5449, die: 0x2260,
		shunt: func(c *INA) int { return int(math.Round(c.amps() * c.ShuntOhms / 2.5e-6)) },
		bus:   func(c *INA) int { return int(math.Round(c.Pack.Volts() / 1.25e-3)) },
	})
}

// NewINA260 returns an INA260 as after power-on; see TI SBOS656.
func NewINA260(p *Pack) *INA {
	return newINA(p, 0, inaModel{reset: 0x6127, maker: 0x5449, die: 0x2270,
		shunt: func(c *INA) int { return int(math.Round(c.amps() / 1.25e-3)) },
		bus:   func(c *INA) int { return int(math.Round(c.Pack.Volts() / 1.25e-3)) },
	})
}

// NewINA3221 returns an INA3221 as after power-on with the pack at every channel;
// see TI SBOS576C, 7.6.
func NewINA3221(p *Pack, shuntOhms float64) *INA {
	return newINA(p, shuntOhms, inaModel{reset: 0x7127, maker: 0x5449, die: 0x3220,
		shunt: func(c *INA) int { return int(math.Round(c.amps()*c.ShuntOhms/40e-6)) << 3 },
		bus:   func(c *INA) int { return int(math.Round(c.Pack.Volts()/8e-3)) << 3 },
	})
}

func newINA(p *Pack, shuntOhms float64, m inaModel) *INA {
	return &INA{Pack: p, ShuntOhms: shuntOhms, model: m, configuration: m.reset}
}

func (c *INA) amps() float64 {
	if c.Reverse {
		return -c.Pack.Amps
	}
	return c.Pack.Amps
}

// BrownOut resets the registers, as a dip of the supply does.
func (c *INA) BrownOut() { c.configuration, c.calibration = c.model.reset, 0 }

// Configuration is the content of register 0.
func (c *INA) Configuration() uint16 { return c.configuration }

// Tx implements Chip.
func (c *INA) Tx(w, r []byte) error {
	switch {
	case len(w) == 3 && len(r) == 0:
		v := binary.BigEndian.Uint16(w[1:])
		switch w[0] {
		case 0:
			c.configuration = v
		case 5:
			c.calibration = v &^ 1
		}
		return nil
	case len(w) == 1 && len(r) == 2:
		binary.BigEndian.PutUint16(r, c.register(w[0]))
		return nil
	}
	return errors.New("batterytest: INA: not a 16-bit register access")
}

func (c *INA) register(reg byte) uint16 {
	channels := byte(1)
	if c.model.die == 0x3220 {
		channels = 3
	}
	switch {
	case reg == 0:
		return c.configuration
	case reg >= 1 && reg <= 2*channels && reg%2 == 1:
		return uint16(int16(c.model.shunt(c)))
	case reg >= 1 && reg <= 2*channels:
		return uint16(c.model.bus(c))
	case reg == 4: // current: nothing without a calibration
		return uint16(int16(c.model.shunt(c) * int(c.calibration) / 4096))
	case reg == 5:
		return c.calibration
	case reg == 0xFE:
		return c.model.maker
	case reg == 0xFF:
		return c.model.die
	}
	return 0
}
