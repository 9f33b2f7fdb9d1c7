package sysfs

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
)

// PowerRail is one channel of the INA3221 monitors of a Jetson.
type PowerRail struct {
	Label string // e.g. VDD_IN (Orin, Xavier NX, TX2) or POM_5V_IN (Jetson Nano)
	dir   string
	n     string
	iio   bool
	fs    FS
}

// Board tells whether the rail feeds the whole board.
func (r PowerRail) Board() bool { return r.Label == "VDD_IN" || r.Label == "POM_5V_IN" }

const (
	maxRails = 3 // channels of an INA3221
	// unconnected labels a channel that measures nothing.
	unconnected = "NC"
)

// Source is the channel's place below the root, which may change with every boot.
func (r PowerRail) Source() string { return r.dir + "/" + r.n }

// PowerRails lists the rails that the board measures, in the order of their labels. Kernels of JetPack 5 and
// later offer them as a hardware monitor, that of JetPack 4 as an IIO device; see
// jetson_stats, power.py. None is found on other boards, without an error only if
// it is certain that they have none.
func (f FS) PowerRails(m Monitors) ([]PowerRail, error) {
	rails, err := m.rails(), m.err
	if len(rails) == 0 {
		var iioErr error
		rails, iioErr = f.iioRails()
		err = errors.Join(err, iioErr)
	}
	slices.SortStableFunc(rails, func(a, b PowerRail) int { return strings.Compare(a.Label, b.Label) })
	return rails, err
}

func (m Monitors) rails() []PowerRail {
	var rails []PowerRail
	for _, chip := range m.chips {
		if chip.driver != "ina3221" {
			continue
		}
		for i := 1; i <= maxRails; i++ { // in4 to in6 are the shunts, in7 is their sum
			n := strconv.Itoa(i)
			if label, err := m.fs.read(chip.dir() + "/in" + n + "_label"); err == nil && label != unconnected {
				rails = append(rails, PowerRail{Label: label, dir: chip.dir(), n: n, fs: m.fs})
			}
		}
	}
	return rails
}

func (f FS) iioRails() ([]PowerRail, error) {
	const driver = "sys/bus/i2c/drivers/ina3221x"
	monitors, err := f.names(driver)
	if err != nil {
		return nil, err
	}
	var rails []PowerRail
	for _, monitor := range monitors {
		devices, err := f.entries(driver+"/"+monitor, "iio:device")
		if err != nil {
			continue // not a device: the folder also holds bind, unbind and uevent
		}
		for _, device := range devices {
			dir := driver + "/" + monitor + "/" + device
			for i := range maxRails {
				n := strconv.Itoa(i)
				if label, err := f.read(dir + "/rail_name_" + n); err == nil && label != unconnected {
					rails = append(rails, PowerRail{Label: label, dir: dir, n: n, iio: true, fs: f})
				}
			}
		}
	}
	return rails, nil
}

var (
	parseMilliwatts = parseScaled(1e3, 0, 1000, "W")
	parseMillivolts = parseScaled(1e3, 0, 100, "V")
	parseMilliamps  = parseScaled(1e3, 0, 100, "A")
)

// Read asks the monitor; at is the time of asking. A hardware monitor tells no
// power, which then is the product of volts and amperes. The error is why the
// power is unknown.
func (r PowerRail) Read(at time.Time) (telemetry.Rail, error) {
	voltsName, ampsName := "in"+r.n+"_input", "curr"+r.n+"_input"
	if r.iio {
		voltsName, ampsName = "in_voltage"+r.n+"_input", "in_current"+r.n+"_input"
	}
	volts, voltsErr := readParsed(r.fs, r.dir, voltsName, parseMillivolts)
	amps, ampsErr := readParsed(r.fs, r.dir, ampsName, parseMilliamps)
	var watts float64
	var err error
	switch {
	case r.iio:
		watts, err = readParsed(r.fs, r.dir, "in_power"+r.n+"_input", parseMilliwatts)
	case voltsErr != nil:
		err = voltsErr
	case ampsErr != nil:
		err = ampsErr
	default:
		watts = volts * amps
	}
	return telemetry.Rail{Name: r.Label, Board: r.Board(), Volts: reading(at, volts, voltsErr),
		Amps: reading(at, amps, ampsErr), Watts: reading(at, watts, err)}, err
}
