package battery

import (
	"math"
	"testing"
)

func TestCRC8(t *testing.T) {
	// The two examples of the data sheet LC709203F/D.
	for _, tt := range []struct {
		data []byte
		want byte
	}{
		{[]byte{0x16, 0x09, 0x17, 0xC2, 0x0E}, 0x86},
		{[]byte{0x16, 0x09, 0x55, 0xAA}, 0x3B},
	} {
		if got := crc8(tt.data); got != tt.want {
			t.Errorf("crc8(% x) = %#02x, want %#02x", tt.data, got, tt.want)
		}
	}
}

// TestIP5209BelowItsZero: a voltage below 2.6 V is below, and not mirrored above.
func TestIP5209BelowItsZero(t *testing.T) {
	m, err := ip5209.decode(0x3F9C, 0x3F9C) // -100
	if err != nil || math.Abs(m.volts-2.573145) > 1e-9 || math.Abs(m.amps+0.0745985) > 1e-9 {
		t.Errorf("%g V, %g A, %v", m.volts, m.amps, err)
	}
}

// reasonable holds for whatever a decoder makes of any registers, once checked.
func reasonable(t *testing.T, m measurement, err error, c Config) {
	t.Helper()
	if err == nil {
		err = m.check(c)
	}
	if err != nil {
		return
	}
	for name, v := range map[string]float64{"volts": m.volts, "amps": m.amps, "load": m.loadWatts, "percent": m.percent, "rate": m.percentPerHour, "size": m.ampHours} {
		if math.IsInf(v, 0) || math.Abs(v) > 1e6 {
			t.Fatalf("%s %g", name, v)
		}
	}
	if m.volts < 0 || m.loadWatts < 0 || m.percent < 0 || m.percent > 110 || m.ampHours < 0 {
		t.Fatalf("%+v", m)
	}
}

func config(cells int) Config {
	return Config{Cells: cells, Chemistry: LiIon, Measures: MeasuresBattery, ShuntOhms: 0.01, ReverseCurrent: new(true)}
}

func FuzzINA(f *testing.F) {
	f.Add(uint8(0), uint16(0x07D0), uint16(0x5D9A), false)
	f.Add(uint8(3), uint16(0xC180), uint16(0xFFFF), true)
	f.Fuzz(func(t *testing.T, model uint8, shunt, bus uint16, load bool) {
		specs := []inaSpec{ina219, ina226, ina260, ina3221}
		c := config(3)
		if load {
			c.Measures = MeasuresLoad
		}
		s := openINA(specs[int(model)%len(specs)])(chip{}, c).(*ina)
		m, err := s.decode(shunt, bus)
		reasonable(t, m, err, c)
	})
}

func FuzzMAX1704x(f *testing.F) {
	f.Add(uint16(0xC800), uint16(0x4B80), uint16(0xFFF6))
	f.Add(uint16(0), uint16(0xFFFF), uint16(0))
	f.Fuzz(func(t *testing.T, vcell, soc, crate uint16) {
		for _, spec := range []max1704xSpec{max17040, max17041, max17048, max17049} {
			reasonable(t, spec.decode(vcell, soc, crate), nil, config(1))
		}
	})
}

// FuzzLC709203F: a word comes out if and only if its CRC fits, and one flipped bit never does.
func FuzzLC709203F(f *testing.F) {
	f.Add(byte(0x09), byte(0xC2), byte(0x0E), byte(0x86), uint8(3))
	f.Fuzz(func(t *testing.T, command, low, high, crc byte, bit uint8) {
		v, err := decodeLCWord(0x0B, command, [3]byte{low, high, crc})
		if (err != nil) != (crc8([]byte{0x16, command, 0x17, low, high}) != crc) || err != nil && v != 0 {
			t.Fatalf("%#04x, %v", v, err)
		}
		if err == nil {
			b := [3]byte{low, high, crc}
			b[bit/8%3] ^= 1 << (bit % 8)
			if v, err := decodeLCWord(0x0B, command, b); err == nil {
				t.Fatalf("% x passes as %#04x", b, v)
			}
		}
	})
}

func FuzzIP5xxx(f *testing.F) {
	f.Add(uint16(0x122F), uint16(0x3E6E))
	f.Add(uint16(0), uint16(0))
	f.Fuzz(func(t *testing.T, volts, amps uint16) {
		for _, spec := range []ip5xxxSpec{ip5209, ip5312} {
			m, err := spec.decode(volts, amps)
			reasonable(t, m, err, config(1))
		}
	})
}

func FuzzPiSugar3(f *testing.F) {
	f.Add(byte(0xC0), uint16(3900), uint16(500))
	f.Fuzz(func(t *testing.T, control byte, millivolts, milliamps uint16) {
		reasonable(t, decodePiSugar3(control, millivolts, milliamps), nil, config(1))
	})
}

func FuzzWaveshareE(f *testing.F) {
	f.Add(byte(0xA0), []byte{0xF0, 0x3C, 0x50, 0xFB, 70, 0, 0xAC, 0x0D, 0xAA, 0, 0, 0}, []byte{0x3C, 0x0F, 0x3C, 0x0F, 0x3C, 0x0F, 0x3C, 0x0F})
	f.Fuzz(func(t *testing.T, flags byte, pack, cells []byte) {
		var p [12]byte
		var c [8]byte
		copy(p[:], pack)
		copy(c[:], cells)
		reasonable(t, decodeWaveshareE(flags, p, c), nil, config(4))
	})
}

func FuzzLiFePO4wered(f *testing.F) {
	f.Add(uint8(6), int16(5238), int16(4829), int16(0), int16(1452), int16(7785), int16(563))
	f.Fuzz(func(t *testing.T, version uint8, battery, shutdown, input, threshold, output, current int16) {
		c := config(1)
		c.Chemistry = LiFePO4
		m := lifepoMaps[int(version)%len(lifepoMaps)].decode(lifepoCounts{battery, shutdown, input, threshold, output, current})
		reasonable(t, m, nil, c)
	})
}

func FuzzPiPower(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0x88, 0x13, 0x84, 0x03, 0x78, 0x1E, 0x44, 0xFD, 9, 0, 0, 1, 0, 1, 0, 0, 1}, true)
	f.Fuzz(func(t *testing.T, buffer []byte, currents bool) {
		var b [21]byte
		copy(b[:], buffer)
		m, err := decodePiPower(b, currents)
		reasonable(t, m, err, config(2))
	})
}

func FuzzDFRobot(f *testing.F) {
	f.Add([]byte{0x1C, 0x30, 0x4B, 0x80})
	f.Fuzz(func(t *testing.T, registers []byte) {
		var b [4]byte
		copy(b[:], registers)
		reasonable(t, decodeDFRobot(b), nil, config(1))
	})
}
