package sysfs

import (
	"errors"
	"io/fs"
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

// hwmonChip is one hardware monitor. Its number changes from boot to boot.
type hwmonChip struct {
	name   string // e.g. hwmon2
	driver string // what the driver calls it, e.g. coretemp
}

func (c hwmonChip) dir() string { return hwmonDir + "/" + c.name }

// Monitors are the hardware monitors at one instant. Whatever is looked for among
// them comes with an error if one could not be read, as it could be that one.
type Monitors struct {
	chips []hwmonChip
	err   error
	fs    FS
}

// Monitors lists the hardware monitors.
func (f FS) Monitors() Monitors {
	m := Monitors{fs: f}
	names, err := f.entries(hwmonDir, "hwmon")
	if err != nil {
		m.err = err
		return m
	}
	var broken []error
	for _, name := range names {
		driver, err := f.read(hwmonDir + "/" + name + "/name")
		switch {
		case err == nil:
			m.chips = append(m.chips, hwmonChip{name, driver})
		case !errors.Is(err, fs.ErrNotExist): // or the chip went away since the listing
			broken = append(broken, err)
		}
	}
	m.err = errors.Join(broken...)
	return m
}

// Temps lists the temperature inputs of all monitors. The error may come with some.
func (m Monitors) Temps() ([]HwmonTemp, error) {
	f, err := m.fs, m.err
	var temps []HwmonTemp
	for _, chip := range m.chips {
		inputs, inputsErr := f.tempInputs(chip.dir())
		if inputsErr != nil {
			err = errors.Join(err, inputsErr)
			continue
		}
		for _, n := range inputs {
			input := "temp" + strconv.Itoa(n)
			label, err := f.read(chip.dir() + "/" + input + "_label")
			if err != nil {
				label = "" // labels are optional
			}
			temps = append(temps, HwmonTemp{Chip: chip.driver, Label: label, Name: chip.name + "/" + input, fs: f})
		}
	}
	return temps, err
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
