package battery_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/i2c/i2ctest"

	"github.com/fathom-edge/fathom/boards/battery"
	"github.com/fathom-edge/fathom/boards/battery/batterytest"
)

// bind makes a root in which a kernel driver serves an address.
func bind(t *testing.T, bus int, address uint16, driver string) string {
	t.Helper()
	root := t.TempDir()
	device := filepath.Join(root, "sys/bus/i2c/devices", fmt.Sprintf("%d-%04x", bus, address))
	if err := os.MkdirAll(device, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../../../bus/i2c/drivers/"+driver, filepath.Join(device, "driver")); err != nil {
		t.Fatal(err)
	}
	return root
}

// TestKernelDeviceIsLeftAlone: nothing at all is sent to an address that a kernel
// driver serves, and everything again once it lets go.
func TestKernelDeviceIsLeftAlone(t *testing.T) {
	bus := batterytest.NewBus(0x40, batterytest.NewINA3221(&batterytest.Pack{Cells: 1, CapacityAh: 3, Percent: 50}, 0.005))
	root := bind(t, 1, 0x40, "ina3221")
	b, err := battery.Open(bus.Host(1, root), battery.Config{Device: "ina3221", Bus: new(1), ShuntOhms: 0.005, Channel: 1, Measures: battery.MeasuresLoad})
	if err != nil {
		t.Fatal(err)
	}
	s, err := b.Sense(testTime)
	if err == nil || !strings.Contains(s.LoadWatts.Reason(), "kernel driver ina3221 serves address 0x40 on bus 1") || len(bus.Ops()) > 0 {
		t.Errorf("%v, %q, %d transactions", err, s.LoadWatts.Reason(), len(bus.Ops()))
	}
	found, err := battery.Probe(bus.Host(1, root), 1)
	want := []battery.Finding{{Address: 0x40, KernelDriver: "ina3221"}}
	if diff := cmp.Diff(want, found); err != nil || diff != "" || len(bus.Ops()) > 0 {
		t.Errorf("%v, %d transactions, findings (-want +got):\n%s", err, len(bus.Ops()), diff)
	}
	if err := os.RemoveAll(filepath.Join(root, "sys")); err != nil {
		t.Fatal(err)
	}
	if s, err := b.Sense(testTime); err != nil {
		t.Errorf("after the driver let go: %v, %v", err, known(s))
	}
}

// TestBrownOut: a current monitor that lost its registers still tells the right
// current, is set up again, and says so. Its own current register says 0 A then.
func TestBrownOut(t *testing.T) {
	for name, tt := range map[string]struct {
		config battery.Config
		chip   func(*batterytest.Pack) *batterytest.INA
	}{
		"ina219": {battery.Config{ShuntOhms: 0.01, Cells: 1, MaxAmps: 5}, func(p *batterytest.Pack) *batterytest.INA { return batterytest.NewINA219(p, 0.01) }},
		"ina226": {battery.Config{ShuntOhms: 0.01, Cells: 1}, func(p *batterytest.Pack) *batterytest.INA { return batterytest.NewINA226(p, 0.01) }},
		"ina260": {battery.Config{Cells: 1}, batterytest.NewINA260},
		"ina3221": {battery.Config{ShuntOhms: 0.01, Cells: 1, Channel: 2},
			func(p *batterytest.Pack) *batterytest.INA { return batterytest.NewINA3221(p, 0.01) }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				chip := tt.chip(&batterytest.Pack{Cells: 1, CapacityAh: 3, Ohms: 0.07, Percent: 50, Amps: -1})
				bus := batterytest.NewBus(0x40, chip)
				tt.config.Device, tt.config.Bus = name, new(1)
				b, err := battery.Open(bus.Host(1, t.TempDir()), tt.config)
				if err != nil {
					t.Fatal(err)
				}
				amps := func(remark string) {
					t.Helper()
					s, err := b.Sense(time.Now())
					if v, ok := s.Amps.Get(); err != nil || !ok || math.Abs(v+1) > 0.01 || s.Remark != remark {
						t.Errorf("%v A, %v, remark %q, want %q", v, err, s.Remark, remark)
					}
				}
				amps("")
				ours := chip.Configuration()
				writes := len(bus.Writes())
				amps("")
				if len(bus.Writes()) != writes {
					t.Error("it writes although nothing was lost")
				}
				for n := 1; n <= 2; n++ {
					chip.BrownOut()
					if chip.Configuration() == ours {
						t.Fatal("our configuration is the one after a reset, which hides a brown-out")
					}
					amps(fmt.Sprintf("the chip lost its settings %d times (a brown-out, or another program sets it)", n))
					if chip.Configuration() != ours {
						t.Errorf("configuration %#04x after the repair, want %#04x", chip.Configuration(), ours)
					}
				}
			})
		})
	}
}

// TestDischarge drains packs of cells that the estimator does not know from full to
// empty, with a wrong resistance and a wrong capacity, under a changing load, and
// compares what is said with what is true.
func TestDischarge(t *testing.T) {
	for _, drain := range batterytest.Drains() {
		t.Run(drain.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got, err := drain.Run()
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%+v", got)
				if got.Charges < 1000 || drain.Config.CapacityAh > 0 && got.Times < 1000 {
					t.Errorf("only %d charges and %d times", got.Charges, got.Times)
				}
				if got.MeanOff > 5 {
					t.Errorf("the charge is off by %.1f points on average", got.MeanOff)
				}
				// What it says of itself holds.
				if got.ChargesBeyond > 0.05 || got.TimesBeyond > 0.05 {
					t.Errorf("of the charges %.2f, and of the times %.2f, are off by more than they say", got.ChargesBeyond, got.TimesBeyond)
				}
			})
		})
	}
}

// TestTrend: a gauge that tells neither current nor rate is watched.
func TestTrend(t *testing.T) {
	pack := &batterytest.Pack{Chemistry: battery.LiIon, Cells: 1, CapacityAh: 3, Ohms: 0.07, Percent: 60}
	bus := batterytest.NewBus(0x36, &batterytest.MAX1704x{Pack: pack, Version: 0x0002})
	b, err := battery.Open(bus.Host(1, t.TempDir()), battery.Config{Device: "geekworm-x7xx", Bus: new(1)})
	if err != nil {
		t.Fatal(err)
	}
	at := testTime
	for _, tt := range []struct {
		amps  float64
		lasts time.Duration
		want  map[string]any // of discharging and hours
	}{
		{-0.6, 3 * time.Minute, map[string]any{}},
		{-0.6, 3 * time.Minute, map[string]any{"discharging": true, "h": 58.0 / 20}},
		{0.9, 12 * time.Minute, map[string]any{"discharging": false}},
		{0, 12 * time.Minute, map[string]any{}},
	} {
		var s battery.Status
		for range tt.lasts / time.Second {
			pack.Step(time.Second, tt.amps)
			at = at.Add(time.Second)
			if s, err = b.Sense(at); err != nil {
				t.Fatal(err)
			}
		}
		got := known(s)
		for _, name := range []string{"charge", "V"} {
			delete(got, name)
		}
		if diff := cmp.Diff(tt.want, got, cmpopts.EquateApprox(0.03, 0)); diff != "" {
			t.Errorf("%g A for %s (-want +got):\n%s", tt.amps, tt.lasts, diff)
		}
	}
}

func BenchmarkSense(b *testing.B) {
	pack := &batterytest.Pack{Chemistry: battery.LiIon, Cells: 1, CapacityAh: 3, Ohms: 0.07, Percent: 60, Amps: -0.5}
	bus := batterytest.NewBus(0x43, batterytest.NewINA219(pack, 0.01))
	hat, err := battery.Open(bus.Host(1, b.TempDir()), battery.Config{Device: "waveshare-ups-hat-c", Bus: new(1), CapacityAh: 3})
	if err != nil {
		b.Fatal(err)
	}
	at := testTime
	for b.Loop() {
		at = at.Add(time.Second)
		if _, err := hat.Sense(at); err != nil {
			b.Fatal(err)
		}
		bus.Forget()
	}
}

// TestTimeToEmptyNeedsADrain: on the charger there is none.
func TestTimeToEmptyNeedsADrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pack := &batterytest.Pack{Cells: 1, CapacityAh: 3, Ohms: 0.07, Percent: 50}
		bus := batterytest.NewBus(0x43, batterytest.NewINA219(pack, 0.01))
		b, err := battery.Open(bus.Host(1, t.TempDir()), battery.Config{Device: "waveshare-ups-hat-c", Bus: new(1), CapacityAh: 3})
		if err != nil {
			t.Fatal(err)
		}
		for amps, want := range map[float64]string{-1: "", 1: "the battery does not feed the board"} {
			pack.Amps = amps
			s, err := b.Sense(testTime)
			if err != nil || !strings.Contains(s.RemainingHours.Reason(), want) || (want == "") != (s.RemainingHours.Reason() == "") {
				t.Errorf("at %g A: %v, %q", amps, err, s.RemainingHours.Reason())
			}
		}
	})
}

func TestWrongCRC(t *testing.T) {
	bus := batterytest.NewBus(0x0B, &batterytest.LC709203F{Pack: &batterytest.Pack{Cells: 1, CapacityAh: 1, Percent: 70}})
	b, err := battery.Open(bus.Host(1, t.TempDir()), battery.Config{Device: "lc709203f", Bus: new(1)})
	if err != nil {
		t.Fatal(err)
	}
	bus.SetFault(batterytest.FlippedBit)
	if s, err := b.Sense(testTime); err == nil || !strings.Contains(s.ChargePercent.Reason(), "wrong CRC") {
		t.Errorf("%v, %v", err, known(s))
	}
}

// TestAnotherChip: what answers at the address and is something else is refused
// before anything is written to it.
func TestAnotherChip(t *testing.T) {
	asleep := &batterytest.LC709203F{Pack: &batterytest.Pack{Cells: 1, CapacityAh: 1, Percent: 70}, Asleep: true}
	pack := &batterytest.Pack{Cells: 1, CapacityAh: 3, Percent: 50}
	for _, tt := range []struct {
		name    string
		config  battery.Config
		address uint16
		chip    batterytest.Chip
		want    string
	}{
		{"MAX17043 for MAX17048", battery.Config{Device: "max17048"}, 0x36, &batterytest.MAX1704x{Pack: pack, Version: 0x0003}, "says version 0x0003, not 0x001x"},
		{"MAX17048 for MAX17043", battery.Config{Device: "max17043"}, 0x36, &batterytest.MAX1704x{Pack: pack, Version: 0x0012}, "says version 0x0012, not one below 0x0010"},
		{"INA219 for INA226", battery.Config{Device: "ina226", ShuntOhms: 0.1, Cells: 1}, 0x40, batterytest.NewINA219(pack, 0.1), "manufacturer 0x0000 and die 0x0000, not 0x5449 and 0x2260"},
		{"INA226 for INA260", battery.Config{Device: "ina260", Cells: 1}, 0x40, batterytest.NewINA226(pack, 0.1), "die 0x2260, not 0x5449 and 0x2270"},
		{"INA219 for LiFePO4wered", battery.Config{Device: "lifepo4wered"}, 0x43, batterytest.NewINA219(pack, 0.01), "batterytest: INA: not a 16-bit register access"},
		{"zeros for LiFePO4wered", battery.Config{Device: "lifepo4wered"}, 0x43, &batterytest.Registers{}, "not a known version"},
		{"zeros for PiSugar 3", battery.Config{Device: "pisugar3"}, 0x57, &batterytest.Registers{}, "implausible voltage 0.000 V for 1 li-ion cells"},
		{"letters for PiSugar 3", battery.Config{Device: "pisugar3"}, 0x57, &batterytest.Registers{Bytes: [256]byte{0xE2: 'x'}},
			"not the digit with which a firmware version begins"},
		{"zeros for PiSugar 2", battery.Config{Device: "pisugar2"}, 0x75, &batterytest.Registers{}, "hold nothing (the other model of the PiSugar 2?)"},
		{"zeros for UPS HAT (E)", battery.Config{Device: "waveshare-ups-hat-e"}, 0x2D, &batterytest.Registers{}, "implausible voltage 0.000 V for 4 li-ion cells"},
		{"zeros for PiPower", battery.Config{Device: "pipower5"}, 0x5C, &batterytest.Registers{}, "implausible voltage 0.000 V"},
		{"zeros for DFRobot", battery.Config{Device: "dfrobot-ups-hat"}, 0x10, &batterytest.Registers{}, "holds 0x00, not 0xdf"},
		{"no cell", battery.Config{Device: "ina219", ShuntOhms: 0.1, Cells: 2}, 0x40, batterytest.NewINA219(pack, 0.1), "for 2 li-ion cells in series"},
		{"one cell too many", battery.Config{Device: "ina219", ShuntOhms: 0.1, Cells: 1}, 0x40,
			batterytest.NewINA219(&batterytest.Pack{Cells: 2, CapacityAh: 3, Percent: 50}, 0.1), "for 1 li-ion cells in series"},
		{"clipping", battery.Config{Device: "ina219", ShuntOhms: 0.1, Cells: 1, MaxAmps: 0.4}, 0x40,
			batterytest.NewINA219(&batterytest.Pack{Cells: 1, CapacityAh: 3, Percent: 50, Amps: -1}, 0.1), "beyond what the range can tell"},
		{"load gives", battery.Config{Device: "ina219", ShuntOhms: 0.1, Measures: battery.MeasuresLoad}, 0x40,
			batterytest.NewINA219(&batterytest.Pack{Cells: 1, CapacityAh: 3, Percent: 50, Amps: -1}, 0.1), "set reverse_current"},
		{"load without a line", battery.Config{Device: "ina219", ShuntOhms: 0.1, Measures: battery.MeasuresLoad}, 0x40,
			batterytest.NewINA219(&batterytest.Pack{Cells: 0, CapacityAh: 3}, 0.1), "for the line that feeds the board"},
		{"asleep", battery.Config{Device: "lc709203f"}, 0x0B, asleep, "in sleep mode"},
		{"nothing there", battery.Config{Device: "max17048"}, 0x37, &batterytest.Registers{}, "max17048 at 0x36 on fake: read register 0x08: sysfs-i2c: remote I/O error (is it wired"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bus := batterytest.NewBus(tt.address, tt.chip)
				tt.config.Bus = new(1)
				b, err := battery.Open(bus.Host(1, t.TempDir()), tt.config)
				if err != nil {
					t.Fatal(err)
				}
				s, err := b.Sense(testTime)
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error %v, want one with %q", err, tt.want)
				}
				if len(known(s)) > 0 {
					t.Errorf("known all the same: %v", known(s))
				}
				if !strings.HasPrefix(tt.config.Device, "ina219") && len(bus.Writes()) > 0 {
					t.Errorf("written: %v", bus.Writes())
				}
			})
		})
	}
}

// stubborn is a chip whose settings cannot be changed.
type stubborn struct{ *batterytest.INA }

func (c stubborn) Tx(w, r []byte) error {
	if len(w) > 1 {
		return nil
	}
	return c.INA.Tx(w, r)
}

func TestSettingsThatDoNotStick(t *testing.T) {
	bus := batterytest.NewBus(0x40, stubborn{batterytest.NewINA219(&batterytest.Pack{Cells: 1, CapacityAh: 1, Percent: 50}, 0.1)})
	b, err := battery.Open(bus.Host(1, t.TempDir()), battery.Config{Device: "ina219", Bus: new(1), ShuntOhms: 0.1, Cells: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Sense(testTime); err == nil || !strings.Contains(err.Error(), "does not keep its settings: 0x3fff written, 0x399f read") {
		t.Error(err)
	}
}

// TestUnsureBytes: the LiFePO4wered's controller garbles a reading now and then.
func TestUnsureBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chip := batterytest.NewLiFePO4wered(&batterytest.Pack{Chemistry: battery.LiFePO4, Cells: 1, CapacityAh: 1.5, Ohms: 0.05, Percent: 50})
		n := 0
		garbled := chipFunc(func(w, r []byte) error {
			if err := chip.Tx(w, r); err != nil {
				return err
			}
			if n++; n%5 == 0 {
				r[0] |= 0x80
			}
			return nil
		})
		bus := batterytest.NewBus(0x43, garbled)
		b, err := battery.Open(bus.Host(1, t.TempDir()), battery.Config{Device: "lifepo4wered", Bus: new(1)})
		if err != nil {
			t.Fatal(err)
		}
		s, err := b.Sense(testTime)
		if v, _ := s.Volts.Get(); err != nil || math.Abs(v-3.299) > 0.002 {
			t.Errorf("%g V, %v", v, err)
		}
		always := 0
		bus.Attach(0x43, chipFunc(func(_, r []byte) error { always++; r[0] = byte(always); return nil }))
		if _, err := b.Sense(testTime); err == nil || !strings.Contains(err.Error(), "no 3 equal readings in 20") {
			t.Error(err)
		}
	})
}

type chipFunc func(w, r []byte) error

func (f chipFunc) Tx(w, r []byte) error { return f(w, r) }

// TestLines: a line that cannot be read costs its own value only.
func TestLines(t *testing.T) {
	away := errors.New("line away")
	bus := batterytest.NewBus(0x36, &batterytest.MAX1704x{Pack: &batterytest.Pack{Cells: 1, CapacityAh: 3, Percent: 42}, Version: 0x0002})
	host := bus.Host(1, t.TempDir())
	b, err := battery.Open(host, battery.Config{Device: "geekworm-x120x", Bus: new(1)})
	if err != nil {
		t.Fatal(err)
	}
	s, err := b.Sense(testTime)
	charge, _ := s.ChargePercent.Get()
	if err == nil || charge != 42 || !strings.Contains(s.ExternalPower.Reason(), "no GPIO line GPIO6") || s.Discharging.Reason() == "" {
		t.Errorf("%v, %v, %q", err, known(s), s.ExternalPower.Reason())
	}
	// The other way round: the chip is gone and the line tells.
	bus.SetFault(batterytest.NACK)
	failing := &failingPin{PinIn: pin("GPIO6", gpio.Low)}
	host.OpenLine = func(string) (gpio.PinIn, error) { return failing, nil }
	if b, err = battery.Open(host, battery.Config{Device: "geekworm-x120x", Bus: new(1)}); err != nil {
		t.Fatal(err)
	}
	s, err = b.Sense(testTime)
	if diff := cmp.Diff(map[string]any{"external": false, "discharging": true}, known(s)); err == nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	failing.err = away
	if s, err = b.Sense(testTime); !errors.Is(err, away) || !strings.Contains(s.ExternalPower.Reason(), "line away (does another program hold it?)") {
		t.Errorf("%v, %q", err, s.ExternalPower.Reason())
	}
}

// failingPin fails as periph's lines do: In says so, Read says low.
type failingPin struct {
	gpio.PinIn
	err error
}

func (p *failingPin) In(pull gpio.Pull, edge gpio.Edge) error {
	if pull != gpio.PullNoChange || edge != gpio.NoEdge {
		return fmt.Errorf("In(%s, %s) changes the line", pull, edge)
	}
	return p.err
}

func (p *failingPin) Read() gpio.Level {
	if p.err != nil {
		return gpio.Low
	}
	return p.PinIn.Read()
}

func TestProbe(t *testing.T) {
	pack := func(cells int) *batterytest.Pack {
		return &batterytest.Pack{Chemistry: battery.LiIon, Cells: cells, CapacityAh: 3, Percent: 60, Amps: -0.5}
	}
	iron := pack(1)
	iron.Chemistry = battery.LiFePO4
	for _, tt := range []struct {
		name    string
		address uint16
		chip    batterytest.Chip
		want    []battery.Finding
	}{
		{"empty", 0x77, nil, nil},
		{"INA219", 0x40, batterytest.NewINA219(pack(1), 0.1), []battery.Finding{{Address: 0x40, Devices: []string{"ina219"},
			Evidence: "register 0 holds 0x399f, like an INA219's settings (the chip has no identification)"}}},
		{"UPS HAT", 0x42, batterytest.NewINA219(pack(2), 0.1), []battery.Finding{{Address: 0x42, Devices: []string{"waveshare-ups-hat", "ina219"},
			Evidence: "register 0 holds 0x399f, like an INA219's settings (the chip has no identification)"}}},
		{"UPS HAT (C) or (D)", 0x43, batterytest.NewINA219(pack(1), 0.1), []battery.Finding{{Address: 0x43,
			Devices:  []string{"waveshare-ups-hat-c", "waveshare-ups-hat-d", "ina219"},
			Evidence: "register 0 holds 0x399f, like an INA219's settings (the chip has no identification)"}}},
		{"LiFePO4wered", 0x43, batterytest.NewLiFePO4wered(iron), []battery.Finding{{Address: 0x43, Devices: []string{"lifepo4wered"},
			Evidence: "register version 7, own address 0x43"}}},
		{"INA226", 0x45, batterytest.NewINA226(pack(1), 0.1), []battery.Finding{{Address: 0x45, Devices: []string{"ina226"}, Evidence: "manufacturer 0x5449, die 0x2260"}}},
		{"INA260", 0x44, batterytest.NewINA260(pack(1)), []battery.Finding{{Address: 0x44, Devices: []string{"ina260"}, Evidence: "manufacturer 0x5449, die 0x2270"}}},
		{"INA3221", 0x41, batterytest.NewINA3221(pack(1), 0.1), []battery.Finding{{Address: 0x41, Devices: []string{"ina3221"}, Evidence: "manufacturer 0x5449, die 0x3220"}}},
		{"something", 0x40, &batterytest.Registers{Bytes: [256]byte{0xBE, 0xEF}}, []battery.Finding{{Address: 0x40, Evidence: "register 0 holds 0xbeef"}}},
		{"MAX17048", 0x36, &batterytest.MAX1704x{Pack: pack(1), Version: 0x0011}, []battery.Finding{{Address: 0x36, Devices: []string{"max17048", "max17049"}, Evidence: "version 0x0011"}}},
		{"MAX17040", 0x36, &batterytest.MAX1704x{Pack: pack(1), Version: 0x0002}, []battery.Finding{{Address: 0x36,
			Devices:  []string{"max17040", "geekworm-x120x", "geekworm-x728", "geekworm-x7xx", "max17041", "max17043", "max17044"},
			Evidence: "version 0x0002"}}},
		{"magnetic encoder", 0x36, &batterytest.Registers{Bytes: [256]byte{8: 0x0E, 9: 0x10}}, []battery.Finding{{Address: 0x36, Evidence: "version 0x0e10"}}},
		{"LC709203F", 0x0B, &batterytest.LC709203F{Pack: pack(1)}, []battery.Finding{{Address: 0x0B, Devices: []string{"lc709203f"}, Evidence: "version 0x2717 with the right CRC"}}},
		{"smart battery", 0x0B, &batterytest.Registers{}, []battery.Finding{{Address: 0x0B,
			Evidence: "wrong CRC: 0x00 came with the data, which have 0xbc (disturbed bus, or another chip)"}}},
		{"UPS HAT (E)", 0x2D, batterytest.NewWaveshareE(pack(4)), []battery.Finding{{Address: 0x2D, Devices: []string{"waveshare-ups-hat-e"}, Evidence: "pack 15.36 V, cells together 15.36 V"}}},
		{"PiSugar 3", 0x57, batterytest.NewPiSugar3(pack(1)), []battery.Finding{{Address: 0x57, Devices: []string{"pisugar3"}, Evidence: `firmware version '1'…, 3839 mV`}}},
		{"EEPROM", 0x57, &batterytest.Registers{}, []battery.Finding{{Address: 0x57, Evidence: `firmware version '\x00'…, 0 mV`}}},
		{"PiPower 5", 0x5C, batterytest.NewPiPower(pack(2)), []battery.Finding{{Address: 0x5C, Devices: []string{"pipower5"}, Evidence: "board 4, 7679 mV"}}},
		{"PiSugar 2", 0x75, batterytest.NewIP5209(pack(1)), []battery.Finding{{Address: 0x75, Devices: []string{"pisugar2"}, Evidence: "3.84 V where an IP5209 has it"}}},
		{"PiSugar 2 Plus", 0x75, batterytest.NewIP5312(pack(1)), []battery.Finding{{Address: 0x75, Devices: []string{"pisugar2-plus"}, Evidence: "3.84 V where an IP5312 has it"}}},
		{"DFRobot", 0x10, batterytest.NewDFRobot(pack(1)), []battery.Finding{{Address: 0x10, Devices: []string{"dfrobot-ups-hat"}, Evidence: "product 0xdf"}}},
		{"light sensor", 0x10, &batterytest.Registers{}, []battery.Finding{{Address: 0x10, Evidence: "product 0x00"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bus := batterytest.NewBus(tt.address, tt.chip)
			found, err := battery.Probe(bus.Host(1, t.TempDir()), 1)
			if diff := cmp.Diff(tt.want, found); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			if writes := bus.Writes(); len(writes) > 0 {
				t.Errorf("written while probing: %v", writes)
			}
			for _, f := range found {
				for _, name := range f.Devices {
					config := battery.Config{Device: name, Bus: new(1), Address: f.Address, ShuntOhms: 0.1, Cells: 1, Channel: 1}
					if _, err := battery.Open(bus.Host(1, ""), config); err != nil && strings.Contains(err.Error(), "not supported") {
						t.Error(err)
					}
				}
			}
		})
	}
}

// TestProbeSparesOthers: to a Si7021 at 0x40, 0xFE is a reset and 0xE6 a write. It
// refuses what it does not know, and is asked no more.
func TestProbeSparesOthers(t *testing.T) {
	var asked []byte
	bus := batterytest.NewBus(0x40, chipFunc(func(w, _ []byte) error {
		asked = append(asked, w...)
		return errors.New("sysfs-i2c: remote I/O error")
	}))
	found, err := battery.Probe(bus.Host(1, t.TempDir()), 1)
	if err != nil || len(found) > 0 || string(asked) != "\x00" {
		t.Errorf("%v, %v, asked for % x", err, found, asked)
	}
}

func TestProbeFails(t *testing.T) {
	bus := batterytest.NewBus(0x40, nil)
	bus.SetFault(batterytest.Stuck)
	if found, err := battery.Probe(bus.Host(1, t.TempDir()), 1); err == nil || found != nil || !strings.Contains(err.Error(), "the bus is stuck") {
		t.Errorf("%v, %v", found, err)
	}
	if _, err := battery.Probe(bus.Host(1, t.TempDir()), 7); err == nil || !strings.Contains(err.Error(), "battery: probe bus 7: /dev/i2c-7") {
		t.Error(err)
	}
}

// TestRecordingOfAFake: what the drivers exchange with a double is what i2ctest
// plays back, so that a recording of a real bus can become a test as it is.
func TestRecordingOfAFake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := batterytest.NewBus(0x36, &batterytest.MAX1704x{Pack: &batterytest.Pack{Cells: 1, CapacityAh: 3, Percent: 33, Amps: -1}, Version: 0x0012})
		record := &i2ctest.Record{Bus: bus}
		open := func(b i2c.Bus) battery.Host {
			return battery.Host{Root: t.TempDir(), OpenBus: func(int) (i2c.BusCloser, error) { return bare{b}, nil }}
		}
		var statuses []map[string]any
		for _, next := range []func() i2c.Bus{
			func() i2c.Bus { return record },
			func() i2c.Bus { return &i2ctest.Playback{Ops: record.Ops, DontPanic: true} },
		} {
			b, err := battery.Open(open(next()), battery.Config{Device: "max17048", Bus: new(1)})
			if err != nil {
				t.Fatal(err)
			}
			s, err := b.Sense(testTime)
			if err != nil {
				t.Fatal(err)
			}
			statuses = append(statuses, known(s))
		}
		if diff := cmp.Diff(statuses[0], statuses[1]); diff != "" {
			t.Errorf("recorded and played back (-first +second):\n%s", diff)
		}
	})
}
