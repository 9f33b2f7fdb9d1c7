package battery

import (
	"encoding/binary"
	"fmt"
	"strings"

	"periph.io/x/conn/v3/i2c"
)

// Finding is what answers at one address.
type Finding struct {
	Address uint16
	// KernelDriver serves the address, which was not asked then.
	KernelDriver string
	// Devices are the names of what it may be, likeliest first; none if it is
	// something else.
	Devices []string
	// Evidence is what was read.
	Evidence string
}

// Probe suggests which devices a bus holds. It suggests only: several devices
// share an address, and some have no identification.
//
// Probe asks the addresses of supported devices and no others, none that a kernel
// driver serves, and writes no data: each transaction names a register and reads
// it. To a device that is none of ours, naming a register may be a command, so
// only registers are read whose number is no command of the sensors known at
// that address; see probes. An error is one of the bus.
func Probe(host Host, bus int) ([]Finding, error) {
	opened, err := host.OpenBus(bus)
	if err != nil {
		return nil, fmt.Errorf("battery: probe bus %d: %w", bus, err)
	}
	defer opened.Close() // nothing was written
	var found []Finding
	for _, p := range probes {
		for _, address := range p.addresses {
			driver, err := host.kernelDriver(bus, address)
			if err != nil {
				return nil, fmt.Errorf("battery: probe bus %d: %w", bus, err)
			}
			if driver != "" {
				found = append(found, Finding{Address: address, KernelDriver: driver})
				continue
			}
			devices, evidence, err := p.ask(chip{name: "device", dev: i2c.Dev{Bus: opened, Addr: address}})
			switch {
			case err == nil:
				found = append(found, Finding{Address: address, Devices: devices, Evidence: evidence})
			case isStuck(err):
				return nil, fmt.Errorf("battery: probe bus %d: %w: the bus is stuck (is a line held low, or a device without power?)", bus, err)
			}
		}
	}
	return found, nil
}

// isStuck tells a bus that times out from an address at which nothing answers.
// periph passes the kernel's error on as text only.
func isStuck(err error) bool { return strings.Contains(err.Error(), "timed out") }

// probes are what Probe reads. A failing first read means that nothing answers.
//
//	address       first read         also seen there, and why the read is harmless
//	0x0B          word 0x11          SBS batteries: "run time to empty", a read
//	0x10          0x01               VEML6030 and VEML7700 light sensors: a threshold, read. Not to a Si4703 radio,
//	                                 which takes any byte for a setting
//	0x2D          0x20, 12 bytes     sensors with plain registers
//	0x36          0x08               AS5600, MAX17055: plain registers
//	0x40 to 0x45  0x00               HTU21, Si7021: no command; HDC1080: starts a measurement; PCA9685: a mode, read.
//	                                 0xFE resets a Si7021, so it is read only if 0x00 looks like a monitor's settings
//	0x57          0xE2               24C32 EEPROM: half an address, forgotten at the next; MAX30102: plain registers
//	0x5B          0x8C               CCS811, MPR121: no such register
//	0x5C          0x8C               BH1750 light sensor: no command (0x00 would switch it off); AM2320: sleeps on
//	0x75          0xA2               IP5306 power banks: plain registers
//
// Addresses with chips that take any byte for an output (PCF8574, PCF8591) are not
// among them, which leaves out monitors from 0x46 on.
var probes = []struct {
	addresses []uint16
	ask       func(chip) (devices []string, evidence string, err error)
}{
	{[]uint16{0x0B}, probeLC709203F},
	{[]uint16{0x10}, probeDFRobot},
	{[]uint16{0x2D}, probeWaveshareE},
	{[]uint16{0x36}, probeMAX1704x},
	{[]uint16{0x40, 0x41, 0x42, 0x43, 0x44, 0x45}, probeMonitor},
	{[]uint16{0x57}, probePiSugar3},
	{[]uint16{0x5B, 0x5C}, probePiPower},
	{[]uint16{0x75}, probeIP5xxx},
}

// at lists the devices that may have an address and a chip.
func at(address uint16, chipName string) []string {
	var boards, chips []string
	for _, d := range devices {
		for _, a := range d.Addresses {
			if a == address && d.Chip == chipName {
				if len(d.Addresses) == 1 {
					boards = append(boards, d.Name)
				} else {
					chips = append(chips, d.Name)
				}
			}
		}
	}
	return append(boards, chips...)
}

func probeMonitor(c chip) ([]string, string, error) {
	var b [2]byte
	if err := c.read(inaConfiguration, b[:]); err != nil {
		return nil, "", err
	}
	settings := binary.BigEndian.Uint16(b[:])
	if isLiFePO4wered(b[0], b[1], c.dev.Addr) {
		return []string{"lifepo4wered"}, fmt.Sprintf("register version %d, own address %#02x", b[0], b[1]), nil
	}
	if devices, evidence := probeIdentified(c, settings); devices != nil {
		return devices, evidence, nil
	}
	evidence := fmt.Sprintf("register 0 holds %#04x", settings)
	// Bits 15 and 14 of an INA219's settings read 0; 0x399F are those after a reset,
	// and the vendors' demos convert continuously.
	if settings&0xC000 == 0 && settings&0x7 == 0x7 {
		return at(c.dev.Addr, "INA219"), evidence + ", like an INA219's settings (the chip has no identification)", nil
	}
	return nil, evidence, nil
}

// probeIdentified asks for the identification that the newer monitors have, if
// their settings look like it.
func probeIdentified(c chip, settings uint16) ([]string, string) {
	var chipName string
	switch settings & 0xF000 {
	case 0x4000:
		chipName = "INA226"
	case 0x6000:
		chipName = "INA260"
	case 0x7000:
		chipName = "INA3221"
	default:
		return nil, ""
	}
	maker, err := c.be16(inaManufacturer)
	if err != nil || maker != texasInstruments {
		return nil, ""
	}
	die, err := c.be16(inaDie)
	if err != nil {
		return nil, ""
	}
	specs := map[string]inaSpec{"INA226": ina226, "INA260": ina260, "INA3221": ina3221}
	if die&0xFFF0 != specs[chipName].die {
		return nil, ""
	}
	return at(c.dev.Addr, chipName), fmt.Sprintf("manufacturer %#04x, die %#04x", maker, die)
}

func probeMAX1704x(c chip) ([]string, string, error) {
	version, err := c.be16(max1704xVersion)
	if err != nil {
		return nil, "", err
	}
	evidence := fmt.Sprintf("version %#04x", version)
	switch {
	case isMAX17048(version):
		return []string{"max17048", "max17049"}, evidence, nil
	case version < 0x0010:
		return append(at(c.dev.Addr, "MAX17040"), "max17041", "max17043", "max17044"), evidence, nil
	}
	return nil, evidence, nil
}

func probeLC709203F(c chip) ([]string, string, error) {
	gauge := lc709203f{c}
	var b [3]byte
	if err := c.read(lcVersion, b[:]); err != nil {
		return nil, "", err
	}
	version, err := decodeLCWord(c.dev.Addr, lcVersion, b)
	if err != nil {
		return nil, err.Error(), nil
	}
	mode, err := gauge.word(lcPowerMode)
	evidence := fmt.Sprintf("version %#04x with the right CRC", version)
	if err != nil || mode != lcAwake && mode != lcAsleep {
		return nil, evidence + ", but no power mode (a smart battery?)", nil
	}
	return []string{"lc709203f"}, evidence, nil
}

func probeDFRobot(c chip) ([]string, string, error) {
	id, err := c.byteAt(dfrobotID)
	if err != nil {
		return nil, "", err
	}
	evidence := fmt.Sprintf("product %#02x", id)
	if id == dfrobotIs {
		return []string{"dfrobot-ups-hat"}, evidence, nil
	}
	return nil, evidence, nil
}

func probeWaveshareE(c chip) ([]string, string, error) {
	var pack [12]byte
	if err := c.read(wavesharePack, pack[:]); err != nil {
		return nil, "", err
	}
	var cells [8]byte
	if err := c.read(waveshareCells, cells[:]); err != nil {
		return nil, "", err
	}
	volts, sum, ok := waveshareCellsAddUp(pack, cells)
	evidence := fmt.Sprintf("pack %.2f V, cells together %.2f V", volts, sum)
	if ok && volts > 8 {
		return []string{"waveshare-ups-hat-e"}, evidence, nil
	}
	return nil, evidence, nil
}

func probePiSugar3(c chip) ([]string, string, error) {
	first, err := c.byteAt(pisugarVersion)
	if err != nil {
		return nil, "", err
	}
	millivolts, err := (pisugar3{c}).word(pisugarVoltage)
	if err != nil {
		return nil, "", err
	}
	evidence := fmt.Sprintf("firmware version %q…, %d mV", first, millivolts)
	if first >= '0' && first <= '9' && millivolts >= 2000 && millivolts <= 4600 {
		return []string{"pisugar3"}, evidence, nil
	}
	return nil, evidence, nil
}

func probePiPower(c chip) ([]string, string, error) {
	board, err := c.byteAt(pipowerBoardID)
	if err != nil {
		return nil, "", err
	}
	var b [2]byte
	if err := c.read(pipowerVoltage, b[:]); err != nil {
		return nil, "", err
	}
	millivolts := binary.LittleEndian.Uint16(b[:])
	evidence := fmt.Sprintf("board %d, %d mV", board, millivolts)
	if millivolts >= 4000 && millivolts <= 9200 {
		return at(c.dev.Addr, "microcontroller"), evidence, nil
	}
	return nil, evidence, nil
}

func probeIP5xxx(c chip) ([]string, string, error) {
	volts, err := (ip5xxx{c, ip5209}).word(ip5209.volts)
	if err != nil {
		return nil, "", err
	}
	if m, err := ip5209.decode(volts, 1); err == nil && volts != 0 && m.volts > 2.6 && m.volts < 4.6 {
		return []string{"pisugar2"}, fmt.Sprintf("%.2f V where an IP5209 has it", m.volts), nil
	}
	volts, err = (ip5xxx{c, ip5312}).word(ip5312.volts)
	if err != nil {
		return nil, "", err
	}
	if m, err := ip5312.decode(volts, 1); err == nil && volts != 0 && m.volts > 2.6 && m.volts < 4.6 {
		return []string{"pisugar2-plus"}, fmt.Sprintf("%.2f V where an IP5312 has it", m.volts), nil
	}
	return nil, "no voltage where an IP5209 or IP5312 has it", nil
}
