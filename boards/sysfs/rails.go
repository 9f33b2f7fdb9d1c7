package sysfs

import (
	"errors"
	"slices"
	"strconv"
	"strings"
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
func (f FS) PowerRails() ([]PowerRail, error) {
	rails, err := f.hwmonRails()
	if len(rails) == 0 {
		var iioErr error
		rails, iioErr = f.iioRails()
		err = errors.Join(err, iioErr)
	}
	slices.SortStableFunc(rails, func(a, b PowerRail) int { return strings.Compare(a.Label, b.Label) })
	return rails, err
}

func (f FS) hwmonRails() ([]PowerRail, error) {
	chips, err := f.hwmonChips()
	var rails []PowerRail
	for _, chip := range chips {
		if chip.driver != "ina3221" {
			continue
		}
		for i := 1; i <= maxRails; i++ { // in4 to in6 are the shunts, in7 is their sum
			n := strconv.Itoa(i)
			if label, err := f.read(chip.dir() + "/in" + n + "_label"); err == nil && label != unconnected {
				rails = append(rails, PowerRail{Label: label, dir: chip.dir(), n: n, fs: f})
			}
		}
	}
	return rails, err
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

// Volts asks the monitor.
func (r PowerRail) Volts() (float64, error) {
	if r.iio {
		return readParsed(r.fs, r.dir, "in_voltage"+r.n+"_input", parseMillivolts)
	}
	return readParsed(r.fs, r.dir, "in"+r.n+"_input", parseMillivolts)
}

// Amps asks the monitor.
func (r PowerRail) Amps() (float64, error) {
	if r.iio {
		return readParsed(r.fs, r.dir, "in_current"+r.n+"_input", parseMilliamps)
	}
	return readParsed(r.fs, r.dir, "curr"+r.n+"_input", parseMilliamps)
}

// Watts asks the monitor; a hardware monitor, which tells no power, for volts and amperes.
func (r PowerRail) Watts() (float64, error) {
	if r.iio {
		return readParsed(r.fs, r.dir, "in_power"+r.n+"_input", parseMilliwatts)
	}
	volts, err := r.Volts()
	if err != nil {
		return 0, err
	}
	amps, err := r.Amps()
	if err != nil {
		return 0, err
	}
	return volts * amps, nil
}
