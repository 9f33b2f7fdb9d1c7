package sysfs

const cpuFreqDir = "sys/devices/system/cpu/cpufreq"

// CPUFreqPolicy is a group of cores that share a clock.
type CPUFreqPolicy struct {
	Name string // e.g. policy0
	fs   FS
}

// CPUFreq lists the clock policies in the order of their numbers.
func (f FS) CPUFreq() ([]CPUFreqPolicy, error) {
	names, err := f.entries(cpuFreqDir, "policy")
	if err != nil {
		return nil, err
	}
	var policies []CPUFreqPolicy
	for _, name := range names {
		policies = append(policies, CPUFreqPolicy{Name: name, fs: f})
	}
	return policies, nil
}

// parseKilohertz returns hertz. The bounds are wide on purpose: 1 MHz to 10 GHz.
var parseKilohertz = func() func(string) (float64, error) {
	kilo := parseScaled(1, 1e3, 1e7, "kHz")
	return func(s string) (float64, error) {
		v, err := kilo(s)
		return v * 1000, err
	}
}()

// RequestedHertz asks for the clock that the kernel requested. Firmware that
// throttles (Raspberry Pi) does not show in it.
func (p CPUFreqPolicy) RequestedHertz() (float64, error) {
	return readParsed(p.fs, cpuFreqDir+"/"+p.Name, "scaling_cur_freq", parseKilohertz)
}

// AllowedHertz asks for the highest clock that may be requested now.
func (p CPUFreqPolicy) AllowedHertz() (float64, error) {
	return readParsed(p.fs, cpuFreqDir+"/"+p.Name, "scaling_max_freq", parseKilohertz)
}

// Governor asks which of the kernel's governors chooses the clock.
func (p CPUFreqPolicy) Governor() (string, error) {
	return readParsed(p.fs, cpuFreqDir+"/"+p.Name, "scaling_governor", parseWord)
}
