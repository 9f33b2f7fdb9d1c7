// Package boards finds out what a board is and how it is: heat, charge,
// throttling, clock and load, as one telemetry.Snapshot.
//
// A Board looks for its sensors anew on every Read and keeps no list of them, so
// a battery that is plugged in shows up and a zone that goes away becomes
// unknown. Every sensor is asked on a goroutine of its own: one that hangs in
// its driver costs its own value only, and is left alone until it returns.
//
// Units are those of telemetry. Read is called from one goroutine.
package boards

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"time"

	"github.com/fathom-edge/fathom/boards/sysfs"
	"github.com/fathom-edge/fathom/boards/telemetry"
)

// Options are what cannot be found out by looking.
type Options struct {
	// FuelGauge names a gauge on I²C that no kernel driver serves: "max17048", or "" for none.
	FuelGauge string
	// I2CBus is the number of the gauge's bus, e.g. "1" for /dev/i2c-1.
	I2CBus string
}

// defaultPatience bounds a Read whose context has no deadline.
const defaultPatience = 2 * time.Second

// Board is a telemetry.Source of the machine whose /sys and /proc lie under a root.
type Board struct {
	fs    sysfs.FS
	ask   *asker
	now   func() time.Time
	gauge *gauge // nil where none is configured
	load  loadState
	// sameMachine tells that the root is that of this process.
	sameMachine bool
}

var _ telemetry.Source = (*Board)(nil)

// New returns the board under root; "" and "/" mean the running machine. It
// fails on a root that is no folder and on options that make no sense. Missing
// sensors are no error: each Snapshot tells them.
func New(root string, options Options) (*Board, error) {
	b := &Board{fs: sysfs.NewFS(root), ask: newAsker(), now: time.Now}
	b.sameMachine = b.fs == "/"
	if info, err := os.Stat(string(b.fs)); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("boards: root %s: not a folder (give the folder that holds sys and proc)", b.fs)
	}
	if options.FuelGauge == "" {
		return b, nil
	}
	gauge, err := newGauge(options, b.sameMachine)
	if err != nil {
		return nil, err
	}
	b.gauge = gauge
	return b, nil
}

// sensors is what one look at the tree found.
type sensors struct {
	model    string
	modelErr error

	zones    []sysfs.ThermalZone
	zonesErr error
	hwmon    []sysfs.HwmonTemp
	hwmonErr error

	supplies    []sysfs.PowerSupply
	suppliesErr error
	rail        sysfs.PowerRail
	hasRail     bool

	flags      sysfs.ThrottleFlags
	hasFlags   bool
	cooling    []sysfs.CoolingDevice
	coolingErr error
	clocks     []sysfs.CPUFreqPolicy
	clocksErr  error
}

func discover(fs sysfs.FS) sensors {
	var s sensors
	s.model, s.modelErr = fs.Model()
	s.zones, s.zonesErr = fs.ThermalZones()
	s.hwmon, s.hwmonErr = fs.HwmonTemps()
	s.supplies, s.suppliesErr = fs.PowerSupplies()
	s.rail, s.hasRail = fs.BoardRail()
	s.flags, s.hasFlags = fs.ThrottleFlags()
	s.cooling, s.coolingErr = fs.CoolingDevices()
	s.clocks, s.clocksErr = fs.CPUFreq()
	return s
}

// Read implements telemetry.Source. It returns by the context's deadline, or
// after two seconds where there is none.
func (b *Board) Read(ctx context.Context) telemetry.Snapshot {
	start := time.Now()
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = start.Add(defaultPatience)
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	w := &waiter{ctx: ctx, patience: deadline.Sub(start)}

	snapshot := telemetry.Snapshot{Time: b.now(), Board: generic()}
	found, err := wait(w, begin(b.ask, "the list of sensors", func() (sensors, error) { return discover(b.fs), nil }))
	if err != nil {
		found = sensors{modelErr: err, zonesErr: err, hwmonErr: err, suppliesErr: err, coolingErr: err, clocksErr: err}
	}
	if found.modelErr == nil {
		snapshot.Board = found.model
	}

	// Everything is asked before anything is waited for.
	heat := b.beginHeat(found)
	power := b.beginPower(found)
	throttle := b.beginThrottle(found)
	load := b.beginLoad()

	var probes []telemetry.Probe
	probes = append(probes, probe("board name", found.modelErr))
	snapshot.Heat, probes = heat.finish(w, probes)
	snapshot.Power, probes = power.finish(w, probes)
	snapshot.Throttle, probes = throttle.finish(w, probes)
	snapshot.Load, probes = b.finishLoad(w, load, probes)
	snapshot.Probes = probes
	return snapshot
}

func generic() string { return "generic Linux/" + runtime.GOARCH }

// probe is loaded without an error, and failed with one, except that what does
// not exist was not on this board.
func probe(name string, err error) telemetry.Probe {
	switch {
	case err == nil:
		return telemetry.Probe{Name: name, State: telemetry.Loaded}
	case errors.Is(err, fs.ErrNotExist):
		return skipped(name, err.Error())
	}
	return failed(name, err.Error())
}

func skipped(name, reason string) telemetry.Probe {
	return telemetry.Probe{Name: name, State: telemetry.Skipped, Reason: reason}
}

func failed(name, reason string) telemetry.Probe {
	return telemetry.Probe{Name: name, State: telemetry.Failed, Reason: reason}
}

func loaded(name, remark string) telemetry.Probe {
	return telemetry.Probe{Name: name, State: telemetry.Loaded, Reason: remark}
}

// readingOf turns a value and its error into a reading.
func readingOf[T any](at time.Time, v T, err error) telemetry.Reading[T] {
	if err != nil {
		return telemetry.Unknown[T](err.Error())
	}
	return telemetry.Known(v, at)
}
