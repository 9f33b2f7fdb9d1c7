package sysfs

import "strconv"

// PowerRail is the rail on which a Jetson's INA3221 monitor measures the power
// of the whole board.
type PowerRail struct {
	Label string // VDD_IN (Orin, Xavier NX) or POM_5V_IN (Jetson Nano)
	dir   string
	n     string
	iio   bool
	fs    FS
}

const maxRails = 3 // channels of an INA3221

// BoardRail looks for the rail that feeds the board. Kernels of JetPack 5 and
// later offer it as a hardware monitor, that of JetPack 4 as an IIO device; see
// jetson_stats, power.py. found is false on other boards.
func (f FS) BoardRail() (rail PowerRail, found bool) {
	chips, err := f.entries(hwmonDir, "hwmon")
	if err != nil {
		return PowerRail{}, false
	}
	for _, chip := range chips {
		dir := hwmonDir + "/" + chip
		if name, err := f.read(dir + "/name"); err != nil || name != "ina3221" {
			continue
		}
		for i := 1; i <= maxRails; i++ {
			n := strconv.Itoa(i)
			if label, err := f.read(dir + "/in" + n + "_label"); err == nil && isBoardRail(label) {
				return PowerRail{Label: label, dir: dir, n: n, fs: f}, true
			}
		}
	}
	const driver = "sys/bus/i2c/drivers/ina3221x"
	monitors, err := f.names(driver)
	if err != nil {
		return PowerRail{}, false
	}
	for _, monitor := range monitors {
		devices, err := f.entries(driver+"/"+monitor, "iio:device")
		if err != nil {
			continue // not a device: the folder also holds bind, unbind and uevent
		}
		for _, device := range devices {
			dir := driver + "/" + monitor + "/" + device
			for i := range maxRails {
				n := strconv.Itoa(i)
				if label, err := f.read(dir + "/rail_name_" + n); err == nil && isBoardRail(label) {
					return PowerRail{Label: label, dir: dir, n: n, iio: true, fs: f}, true
				}
			}
		}
	}
	return PowerRail{}, false
}

func isBoardRail(label string) bool { return label == "VDD_IN" || label == "POM_5V_IN" }

var (
	parseMilliwatts = parseScaled(1e3, 0, 1000, "W")
	parseMillivolts = parseScaled(1e3, 0, 100, "V")
	parseMilliamps  = parseScaled(1e3, 0, 100, "A")
)

// Watts asks the monitor for the power that the board draws.
func (r PowerRail) Watts() (float64, error) {
	if r.iio {
		return readParsed(r.fs, r.dir, "in_power"+r.n+"_input", parseMilliwatts)
	}
	volts, err := readParsed(r.fs, r.dir, "in"+r.n+"_input", parseMillivolts)
	if err != nil {
		return 0, err
	}
	amps, err := readParsed(r.fs, r.dir, "curr"+r.n+"_input", parseMilliamps)
	if err != nil {
		return 0, err
	}
	return volts * amps, nil
}
