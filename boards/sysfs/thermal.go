package sysfs

import (
	"errors"
	"io/fs"
	"strconv"
)

const thermalDir = "sys/class/thermal"

// ThermalZone is one zone of /sys/class/thermal. Its number has no meaning; the
// type tells what it measures.
type ThermalZone struct {
	Name string // e.g. thermal_zone0
	Type string // e.g. cpu-thermal; empty where the kernel does not say
	fs   FS
}

// Trip is a temperature at which the kernel acts on a zone.
type Trip struct {
	Type    string // active (fan), passive (clock), hot or critical (shutdown)
	Celsius float64
}

// ThermalZones lists the zones in the order of their numbers.
func (f FS) ThermalZones() ([]ThermalZone, error) {
	names, err := f.entries(thermalDir, "thermal_zone")
	if err != nil {
		return nil, err
	}
	var zones []ThermalZone
	for _, name := range names {
		typ, err := f.read(thermalDir + "/" + name + "/type")
		if errors.Is(err, fs.ErrNotExist) {
			continue // the zone went away since the listing
		}
		zones = append(zones, ThermalZone{Name: name, Type: typ, fs: f})
	}
	return zones, nil
}

// Celsius asks the driver. The error wraps ErrOffline where the measured unit is
// switched off.
func (z ThermalZone) Celsius() (float64, error) {
	return readParsed(z.fs, thermalDir+"/"+z.Name, "temp", parseCelsius)
}

// Trips returns the trip points that are set; those that cannot be read or hold
// no plausible temperature are left out.
func (z ThermalZone) Trips() []Trip {
	dir := thermalDir + "/" + z.Name
	var trips []Trip
	for i := 0; ; i++ {
		point := "trip_point_" + strconv.Itoa(i)
		typ, err := z.fs.read(dir + "/" + point + "_type")
		if errors.Is(err, fs.ErrNotExist) {
			return trips
		}
		if err != nil {
			continue
		}
		if c, err := readParsed(z.fs, dir, point+"_temp", parseLimit); err == nil {
			trips = append(trips, Trip{Type: typ, Celsius: c})
		}
	}
}

// CoolingDevice is something the kernel can turn up to cool the board: a fan, or
// a cap on the clock.
type CoolingDevice struct {
	Name string
	Type string // e.g. cpufreq-cpu0, Processor, pwm-fan
	fs   FS
}

// CoolingDevices lists the cooling devices in the order of their numbers. The
// error tells of those whose type cannot be read; it may come with others.
func (f FS) CoolingDevices() ([]CoolingDevice, error) {
	names, err := f.entries(thermalDir, "cooling_device")
	if err != nil {
		return nil, err
	}
	var devices []CoolingDevice
	var broken []error
	for _, name := range names {
		typ, err := f.read(thermalDir + "/" + name + "/type")
		if errors.Is(err, fs.ErrNotExist) {
			continue // the device went away since the listing
		}
		if err != nil {
			broken = append(broken, err)
			continue
		}
		devices = append(devices, CoolingDevice{Name: name, Type: typ, fs: f})
	}
	return devices, errors.Join(broken...)
}

// State asks the driver how much the device cools now, from 0 to Max.
// intel_powerclamp says -1 while it is idle, which counts as 0.
func (d CoolingDevice) State() (float64, error) {
	state, err := readParsed(d.fs, thermalDir+"/"+d.Name, "cur_state", parseInt)
	return float64(max(state, 0)), err
}

// Max asks the driver for the greatest state.
func (d CoolingDevice) Max() (float64, error) {
	most, err := readParsed(d.fs, thermalDir+"/"+d.Name, "max_state", parseInt)
	return float64(most), err
}
