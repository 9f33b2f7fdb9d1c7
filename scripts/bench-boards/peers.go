package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"periph.io/x/conn/v3/driver/driverreg"
	"periph.io/x/conn/v3/physic"
	periphsysfs "periph.io/x/host/v3/sysfs"

	"github.com/prometheus/procfs"
	procsysfs "github.com/prometheus/procfs/sysfs"
	"github.com/shirou/gopsutil/v3/common"
	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/host"
	"github.com/shirou/gopsutil/v3/load"

	"github.com/fathom-edge/fathom/boards"
	"github.com/fathom-edge/fathom/boards/boardtest"
	"github.com/fathom-edge/fathom/internal/results"
)

// said is what a library told of a tree: values by name, and errors.
type said struct {
	Celsius map[string]float64 `json:"celsius"` // by type or label
	Charge  map[string]float64 `json:"charge"`  // per cent, by supply
	Cores   map[string]float64 `json:"cores"`   // per cent, by core; all is the whole
	Load    *float64           `json:"load"`
	Errors  []string           `json:"errors"`
}

func (s *said) failed(err error) {
	if err != nil {
		s.Errors = append(s.Errors, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
}

// libraries read a tree. periph has its paths built in, so its root is changed.
var libraries = []struct {
	name string
	read func(root, what string) said
}{
	{"fathom", readFathom}, {"gopsutil", readGopsutil}, {"periph", readPeriph}, {"procfs", readProcfs},
}

// What a case asks for.
const (
	heat    = "heat"
	charge  = "charge"
	cores   = "cores"
	loadavg = "load"
)

// nastyCases are trees with one thing that goes wrong, and what is right then.
//
// The FIFO that stands for a switched-off unit answers a non-blocking read as
// sysfs does, and Go's poller waits for it as for sysfs. It is no double for the
// two others: it refuses periph's seek, and makes procfs wait, which reads in
// blocking mode and is answered by sysfs.
var nastyCases = []struct {
	name, tree, what string
	about            string
	change           func(root string) error
	right            func(said) bool
	// asks lists the libraries that offer such a value at all.
	asks []string
}{
	{"eagain", "orin-nano", heat, "zones of switched-off units answer EAGAIN: the others are told, within 3 s", nil,
		func(s said) bool { return near(s.Celsius, "cpu-thermal", 48.281) && missing(s.Celsius, "cv0-thermal") }, []string{"fathom", "gopsutil"}},
	{"minus44", "pi3", heat, "a broken sensor says -44 °C: no temperature is told, or an error", nil,
		func(s said) bool { return len(s.Celsius) == 0 }, thermal},
	{"nomode", "pi3b", heat, "zones without mode: told", nil,
		func(s said) bool {
			return near(s.Celsius, "cpu-thermal", 52.616) || near(s.Celsius, "cpu_thermal", 52.616)
		}, thermal},
	{"vanishing", "rock-5b", heat, "the temperature of one zone is gone: the others are told", removed("sys/class/thermal/thermal_zone1/temp"),
		func(s said) bool {
			return near(s.Celsius, "littlecore-thermal", 38.846) && missing(s.Celsius, "bigcore0-thermal")
		}, thermal},
	{"disk", "jetson-nano", heat, "a disk has a hardware monitor: the processor's zone is told", withDisk,
		func(s said) bool { return near(s.Celsius, "CPU-therm", 34.5) }, thermal},
	{"renumbered", "laptop", heat, "hardware monitors renumbered, no zones: the processor's is found by its name", renumbered,
		func(s said) bool {
			for name, celsius := range s.Celsius {
				if strings.HasPrefix(name, "coretemp") && celsius == 71 {
					return true
				}
			}
			return false
		}, []string{"fathom", "gopsutil", "periph"}},
	{"ucsi", "laptop", charge, "USB-C ports among the supplies: a battery's charge, and none of a port", nil,
		func(s said) bool {
			return near(s.Charge, "BAT0", 80) && missing(s.Charge, "ucsi-source-psy-USBC000:001")
		}, []string{"fathom", "procfs"}},
	{"unplugged", "pi4", cores, "a core is switched off between two readings: the others' shares of time", nil,
		func(s said) bool { return near(s.Cores, "0", 30) && missing(s.Cores, "3") }, []string{"fathom", "gopsutil", "procfs"}},
	{"noload", "pi4", loadavg, "the tree has no load average: none is told", removed("proc/loadavg"),
		func(s said) bool { return s.Load == nil }, []string{"fathom", "gopsutil", "procfs"}},
	{"emptyload", "pi3", loadavg, "the load average is empty: none is told", nil,
		func(s said) bool { return s.Load == nil }, []string{"fathom", "gopsutil", "procfs"}},
}

var thermal = []string{"fathom", "gopsutil", "periph", "procfs"}

func near(values map[string]float64, name string, want float64) bool {
	v, ok := values[name]
	return ok && math.Abs(v-want) < 0.01
}

func missing(values map[string]float64, name string) bool { _, ok := values[name]; return !ok }

func removed(name string) func(string) error {
	return func(root string) error { return os.Remove(filepath.Join(root, name)) }
}

func withDisk(root string) error {
	return errors.Join(boardtest.Put(root, "sys/class/hwmon/hwmon7/name", "nvme\n"),
		boardtest.Put(root, "sys/class/hwmon/hwmon7/temp1_input", "38850\n"))
}

func renumbered(root string) error {
	dir := filepath.Join(root, "sys/class/hwmon")
	return errors.Join(os.Rename(dir+"/hwmon2", dir+"/hwmon9"), os.Rename(dir+"/hwmon0", dir+"/hwmon2"),
		os.RemoveAll(filepath.Join(root, "sys/class/thermal")))
}

// peers asks every library for every case, each in a process of its own, as one
// that hangs cannot be stopped otherwise.
func peers() ([]results.Row, error) {
	var rows []results.Row
	for _, c := range nastyCases {
		for _, library := range c.asks {
			err := unpacked(c.tree, func(root string) error {
				zones, _ := filepath.Glob(filepath.Join(root, "sys/class/thermal/thermal_zone*"))
				for _, zone := range zones { // every kernel has it, and procfs insists on it
					if err := os.WriteFile(filepath.Join(zone, "policy"), []byte("step_wise\n"), 0o644); err != nil {
						return err
					}
				}
				if c.change != nil {
					if err := c.change(root); err != nil {
						return err
					}
				}
				s, fate, err := ask(library, c.what, root)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", c.name, library, err)
				}
				right := 0.
				answer := strings.ReplaceAll(describe(s), root, "")
				if fate != "" {
					answer = fate
				} else if c.right(s) {
					right = 1
				}
				r := number("case-"+c.name+"-"+library, fmt.Sprintf("%s. %s: %s", c.about, library, answer), right, "(1: right)")
				if library == "fathom" {
					r.Op, r.Limit = ">=", 1
				}
				rows = append(rows, r)
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return rows, nil
}

func describe(s said) string {
	var parts []string
	for _, values := range []map[string]float64{s.Celsius, s.Charge, s.Cores} {
		if len(values) > 0 {
			text, _ := json.Marshal(values) // numbers by name
			parts = append(parts, string(text))
		}
	}
	if s.Load != nil {
		parts = append(parts, "a load average of some machine")
	}
	if len(parts) == 0 {
		parts = append(parts, "no value")
	}
	if len(s.Errors) > 0 {
		parts = append(parts, fmt.Sprintf("error: %.120s", s.Errors[0]))
	}
	return strings.Join(parts, "; ")
}

const childArgument = "child"

// ask returns what a library said, or what became of its process where it said nothing.
func ask(library, what, root string) (s said, fate string, err error) {
	self, err := os.Executable()
	if err != nil {
		return said{}, "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, childArgument, library+":"+what, root)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	first, _, _ := strings.Cut(errs.String(), "\n")
	switch {
	case ctx.Err() != nil:
		return said{}, "no answer within 3 s", nil
	case err != nil && strings.HasPrefix(first, "panic: "):
		return said{}, first, nil
	case err != nil:
		return said{}, "", fmt.Errorf("%w: %s", err, first)
	}
	err = json.Unmarshal(out, &s)
	return s, "", err
}

// child reads a tree with one library and prints what it said.
func child(job, root string) int {
	library, what, _ := strings.Cut(job, ":")
	for _, l := range libraries {
		if l.name != library {
			continue
		}
		if err := json.NewEncoder(os.Stdout).Encode(l.read(root, what)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	}
	fmt.Fprintf(os.Stderr, "no library %q\n", library)
	return 2
}

// unplug takes core 3 away, while the others work 30 of 100 ticks.
func unplug(root string) error {
	const later = "2530 50 750 20060 135 0 25 0 0 0\n"
	stat := "cpu  7590 150 2250 60180 405 0 75 0 0 0\n"
	for i := range 3 {
		stat += fmt.Sprintf("cpu%d %s", i, later)
	}
	return boardtest.Put(root, "proc/stat", stat+"intr 0\nctxt 1\nbtime 1700000000\nprocesses 4242\nprocs_running 2\nprocs_blocked 0\n")
}

func readFathom(root, what string) said {
	s := said{Celsius: map[string]float64{}, Charge: map[string]float64{}, Cores: map[string]float64{}}
	board, err := boards.New(root, boards.Options{})
	if err != nil {
		s.failed(err)
		return s
	}
	snapshot := board.Read(context.Background())
	if what == cores {
		s.failed(unplug(root))
		snapshot = board.Read(context.Background())
		for _, core := range snapshot.Load.Cores {
			if v, ok := core.CPUPercent.Get(); ok {
				s.Cores[fmt.Sprint(core.Number)] = v
			}
		}
		return s
	}
	if v, ok := snapshot.Load.LoadAverage1.Get(); ok && what == loadavg {
		s.Load = &v
	}
	for _, zone := range snapshot.Heat.Zones {
		if v, ok := zone.TempCelsius.Get(); ok && what == heat {
			s.Celsius[zone.Type] = v
		}
	}
	for _, supply := range snapshot.Power.Supplies {
		if v, ok := supply.ChargePercent.Get(); ok && what == charge {
			s.Charge[supply.Name] = v
		}
	}
	return s
}

func readGopsutil(root, what string) said {
	s := said{Celsius: map[string]float64{}, Cores: map[string]float64{}}
	tree := context.WithValue(context.Background(), common.EnvKey, common.EnvMap{
		common.HostProcEnvKey: root + "/proc", common.HostSysEnvKey: root + "/sys",
	})
	switch what {
	case heat:
		sensors, err := host.SensorsTemperaturesWithContext(tree)
		s.failed(err)
		for _, sensor := range sensors {
			s.Celsius[sensor.SensorKey] = sensor.Temperature
		}
	case cores:
		for range 2 { // the first after the tree was chosen counts from the running machine's, and fails
			_, _ = cpu.PercentWithContext(tree, 0, true)
		}
		s.failed(unplug(root))
		shares, err := cpu.PercentWithContext(tree, 0, true)
		s.failed(err)
		for i, v := range shares {
			s.Cores[fmt.Sprint(i)] = v
		}
	case loadavg:
		average, err := load.AvgWithContext(tree)
		s.failed(err)
		if err == nil {
			s.Load = &average.Load1
		}
	}
	return s
}

func readPeriph(root, _ string) said {
	s := said{Celsius: map[string]float64{}}
	if err := errors.Join(syscall.Chroot(root), os.Chdir("/")); err != nil {
		s.failed(err)
		return s
	}
	if _, err := driverreg.Init(); err != nil {
		s.failed(err)
		return s
	}
	for _, sensor := range periphsysfs.ThermalSensors {
		var e physic.Env
		if err := sensor.Sense(&e); err != nil {
			s.failed(err)
			continue
		}
		name := sensor.Type()
		if name == "" || name == "<unknown>" {
			name = sensor.String()
		}
		s.Celsius[name] = e.Temperature.Celsius()
	}
	return s
}

func readProcfs(root, what string) said {
	s := said{Celsius: map[string]float64{}, Charge: map[string]float64{}, Cores: map[string]float64{}}
	sys, err := procsysfs.NewFS(filepath.Join(root, "sys"))
	s.failed(err)
	proc, procErr := procfs.NewFS(filepath.Join(root, "proc"))
	s.failed(procErr)
	if err != nil || procErr != nil {
		return s
	}
	switch what {
	case heat:
		zones, err := sys.ClassThermalZoneStats()
		s.failed(err)
		for _, zone := range zones {
			if zone.ReadErrors != nil { // as a caller that looks at it would
				s.failed(zone.ReadErrors)
				continue
			}
			s.Celsius[zone.Type] = float64(zone.Temp) / 1000
		}
	case charge:
		supplies, err := sys.PowerSupplyClass()
		s.failed(err)
		for name, supply := range supplies {
			if supply.Capacity != nil {
				s.Charge[name] = float64(*supply.Capacity)
			}
		}
	case cores:
		before, err := proc.Stat()
		s.failed(err)
		s.failed(unplug(root))
		after, err := proc.Stat()
		s.failed(err)
		for i, now := range after.CPU { // it counts only; the shares are ours
			then := before.CPU[i]
			busy := now.User - then.User + now.System - then.System
			total := busy + now.Idle - then.Idle + now.Iowait - then.Iowait
			s.Cores[fmt.Sprint(i)] = 100 * busy / total
		}
	case loadavg:
		average, err := proc.LoadAvg()
		s.failed(err)
		if err == nil {
			s.Load = &average.Load1
		}
	}
	return s
}
