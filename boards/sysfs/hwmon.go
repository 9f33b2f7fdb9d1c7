package sysfs

import (
	"regexp"
	"sort"
	"strconv"
)

const hwmonDir = "sys/class/hwmon"

// HwmonTemp is one temperature input of a hardware monitor.
type HwmonTemp struct {
	Chip  string // the driver's name, e.g. coretemp
	Label string // e.g. "Package id 0"; empty where there is none
	Name  string // e.g. hwmon2/temp1
	fs    FS
}

// HwmonTemps lists the temperature inputs of all hardware monitors.
func (f FS) HwmonTemps() ([]HwmonTemp, error) {
	chips, err := f.entries(hwmonDir, "hwmon")
	if err != nil {
		return nil, err
	}
	var temps []HwmonTemp
	for _, chip := range chips {
		dir := hwmonDir + "/" + chip
		driver, err := f.read(dir + "/name")
		if err != nil {
			continue // without a name nobody can tell what it measures
		}
		inputs, err := f.tempInputs(dir)
		if err != nil {
			continue // the chip went away since the listing
		}
		for _, n := range inputs {
			input := "temp" + strconv.Itoa(n)
			label, err := f.read(dir + "/" + input + "_label")
			if err != nil {
				label = "" // labels are optional
			}
			temps = append(temps, HwmonTemp{Chip: driver, Label: label, Name: chip + "/" + input, fs: f})
		}
	}
	return temps, nil
}

var tempInput = regexp.MustCompile(`^temp([0-9]{1,3})_input$`)

// tempInputs returns the numbers of the temperature inputs in dir.
func (f FS) tempInputs(dir string) ([]int, error) {
	names, err := f.names(dir)
	if err != nil {
		return nil, err
	}
	var numbers []int
	for _, name := range names {
		if m := tempInput.FindStringSubmatch(name); m != nil {
			n, _ := strconv.Atoi(m[1]) // up to three digits
			numbers = append(numbers, n)
		}
	}
	sort.Ints(numbers)
	return numbers, nil
}

// Celsius asks the driver.
func (t HwmonTemp) Celsius() (float64, error) {
	return readParsed(t.fs, hwmonDir, t.Name+"_input", parseCelsius)
}

// LimitCelsius asks the driver where its chip is to be cooled: "max" where
// there is one, otherwise "crit", which is where x86 processors cap their clock
// themselves (Documentation/hwmon/coretemp.rst: TjMax).
func (t HwmonTemp) LimitCelsius() (float64, error) {
	if c, err := readParsed(t.fs, hwmonDir, t.Name+"_max", parseLimit); err == nil {
		return c, nil
	}
	return readParsed(t.fs, hwmonDir, t.Name+"_crit", parseLimit)
}
