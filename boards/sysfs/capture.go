package sysfs

import (
	"errors"
	"io/fs"
	"path"
	"strings"
)

// Attribute is what the kernel answers for one file: its text, or an error. An
// offline attribute answers EAGAIN.
type Attribute struct {
	Text string
	Err  error
}

// captured lists the folders whose attributes a capture holds and the patterns of
// their names, after path.Match. Nothing else is read: no serial numbers, makers'
// names, events or command lines.
var captured = []struct{ dirs, names string }{
	{"sys/firmware/devicetree/base", "model compatible"},
	{"proc/device-tree", "model compatible"},
	{"sys/class/dmi/id", "product_name"},
	{"sys/class/thermal/thermal_zone*", "type mode temp trip_point_*_type trip_point_*_temp"},
	{"sys/class/thermal/cooling_device*", "type cur_state max_state"},
	{"sys/class/hwmon/hwmon*", "name temp*_input temp*_label temp*_max temp*_crit in*_input in*_label in*_alarm " +
		"curr*_input curr*_max curr*_crit oc*_event_cnt oc*_throt_en fan*_input pwm[0-9]"},
	{"sys/class/power_supply/*", "type scope status present online capacity capacity_level voltage_* current_* charge_* energy_* power_now temp"},
	{"sys/bus/platform/drivers/raspberrypi-firmware/*", "get_throttled"},
	{"sys/bus/i2c/drivers/ina3221x/*/iio:device*", "rail_name_* in_*_input"},
	{"sys/devices/system/cpu", "online present"},
	{"sys/devices/system/cpu/cpufreq/policy*", "scaling_cur_freq scaling_max_freq scaling_min_freq scaling_governor affected_cpus"},
	{"proc", "loadavg meminfo"},
	{"proc/pressure", "cpu memory io"},
	{"proc/sys/kernel", "osrelease"},
	{"sys/fs/cgroup", "cgroup.controllers"},
}

// Capture reads everything that a Board looks at, for a bug report, by the path
// below the root. It asks every driver and may hang in one.
func (f FS) Capture() map[string]Attribute {
	all := map[string]Attribute{}
	for _, c := range captured {
		for _, dir := range f.glob(c.dirs) {
			names, err := f.names(dir)
			if err != nil {
				all[dir] = Attribute{Err: err}
				continue
			}
			for _, name := range names {
				for pattern := range strings.FieldsSeq(c.names) {
					if ok, _ := path.Match(pattern, name); ok {
						f.capture(all, dir+"/"+name)
						break
					}
				}
			}
		}
	}
	if stat, err := f.read("proc/stat"); err == nil {
		all["proc/stat"] = Attribute{Text: cpuLines(stat)}
	}
	return all
}

func (f FS) capture(all map[string]Attribute, name string) {
	text, err := f.read(name)
	switch {
	case errors.Is(err, fs.ErrNotExist): // gone since the listing
	case err != nil:
		all[name] = Attribute{Err: err}
	default:
		all[name] = Attribute{Text: text}
	}
}

// cpuLines are the lines of /proc/stat that are of processors; the others are
// long, and of interrupts.
func cpuLines(stat string) string {
	var b strings.Builder
	for line := range strings.Lines(stat) {
		if strings.HasPrefix(line, "cpu") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// glob returns the folders that match a pattern, each of whose elements may hold
// wildcards. What cannot be read is no match.
func (f FS) glob(pattern string) []string {
	dirs := []string{""}
	for element := range strings.SplitSeq(pattern, "/") {
		var next []string
		for _, dir := range dirs {
			if !strings.ContainsAny(element, "*?[") {
				if name := path.Join(dir, element); f.exists(name) {
					next = append(next, name)
				}
				continue
			}
			names, err := f.names(dir)
			if err != nil {
				continue
			}
			for _, name := range names {
				if ok, _ := path.Match(element, name); ok {
					next = append(next, path.Join(dir, name))
				}
			}
		}
		dirs = next
	}
	return dirs
}

// Kernel returns the release of the running kernel, or of the root's.
func (f FS) Kernel() (string, error) { return readParsed(f, "proc/sys/kernel", "osrelease", parseWord) }

// serialFiles hold what tells one machine from all others.
var serialFiles = []string{
	"sys/firmware/devicetree/base/serial-number", "proc/device-tree/serial-number",
	"sys/class/dmi/id/product_serial", "sys/class/dmi/id/board_serial", "sys/class/dmi/id/chassis_serial", "sys/class/dmi/id/product_uuid",
	"etc/machine-id", "proc/sys/kernel/hostname",
}

// Secrets returns what a recording must not hold: the serial numbers of the
// machine, of its batteries and disks, and its name, as far as they can be read.
func (f FS) Secrets() []string {
	files := serialFiles
	for _, pattern := range []string{"sys/class/power_supply/*", "sys/class/hwmon/hwmon*/device"} {
		for _, dir := range f.glob(pattern) {
			files = append(files[:len(files):len(files)], dir+"/serial_number", dir+"/serial")
		}
	}
	var secrets []string
	for _, file := range files {
		if text, err := f.read(file); err == nil {
			if secret := strings.Trim(text, "\x00 \n"); secret != "" {
				secrets = append(secrets, secret)
			}
		}
	}
	return secrets
}
