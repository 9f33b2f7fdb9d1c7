// Package boards finds out what a board is and how it is: heat, charge,
// throttling, clock and load, as one telemetry.Snapshot.
//
// Identify says which board it is, and Models what is known of each kind: tables
// of plain data in which every figure names its source.
//
// A Board looks for its sensors anew on every Read and keeps no list of them, so
// a battery that is plugged in shows up, a zone that goes away becomes unknown,
// and numbers that change between boots do not matter. Every sensor is asked on
// a goroutine of its own: one that hangs in its driver costs its own value only.
// One that is late gives its last value, with its time, for five seconds; one
// that fails is unknown, with the reason, and is asked again after 1, 2, 4, 8
// and then every 16 seconds.
//
// Units are those of telemetry. Read is called from one goroutine; everything
// else from any.
package boards

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/fathom-edge/fathom/boards/battery"
	"github.com/fathom-edge/fathom/boards/sysfs"
	"github.com/fathom-edge/fathom/boards/telemetry"
)

// Options are what cannot be found out by looking.
type Options struct {
	// Batteries are devices on I²C and GPIO lines that no kernel driver serves.
	Batteries []battery.Config
	// Gauges are further ones, with drivers of the caller's own.
	Gauges []Gauge
	// Now is the clock of the snapshots; nil means time.Now.
	Now func() time.Time
}

// defaultPatience bounds a Read whose context has no deadline.
const defaultPatience = 2 * time.Second

// Board is a telemetry.Source of the machine whose /sys and /proc lie under a root.
type Board struct {
	fs   sysfs.FS
	ask  *asker
	now  func() time.Time
	load loadState
	// gauges are those of Options.Batteries, then those of Options.Gauges.
	gauges []Gauge
	trips  tripCache
	// counts are the over-current counters of the last snapshot, by number.
	counts map[int]count
	seen   lastKnown
	// vcgencmd asks a Raspberry Pi's firmware for its flags; nil where that cannot be tried.
	vcgencmd func(context.Context) (string, error)
	// sameMachine tells that the root is that of this process.
	sameMachine bool
}

var _ telemetry.Source = (*Board)(nil)

// New returns the board under root; "" and "/" mean the running machine. It
// fails on a root that is no folder and on options that make no sense. Missing
// sensors are no error: each Snapshot tells them.
func New(root string, options Options) (*Board, error) {
	b := &Board{fs: sysfs.NewFS(root), now: options.Now, counts: map[int]count{}, seen: lastKnown{}}
	if b.now == nil {
		b.now = time.Now
	}
	b.ask = newAsker(func() time.Time { return b.now() })
	b.sameMachine = b.fs == "/"
	if b.sameMachine {
		b.vcgencmd = vcgencmd("vcgencmd")
	}
	if err := checkRoot(b.fs); err != nil {
		return nil, err
	}
	opened, err := gauges(b.fs, options.Batteries)
	if err != nil {
		return nil, err
	}
	b.gauges = append(opened, options.Gauges...)
	return b, nil
}

func checkRoot(root sysfs.FS) error {
	if info, err := os.Stat(string(root)); err != nil || !info.IsDir() {
		return fmt.Errorf("boards: root %s: not a folder (give the folder that holds sys and proc)", root)
	}
	return nil
}

// sensors is what one look at the tree found.
type sensors struct {
	board    Identity
	boardErr error

	zones    []sysfs.ThermalZone
	zonesErr error
	hwmon    []sysfs.HwmonTemp
	hwmonErr error

	supplies    []sysfs.PowerSupply
	suppliesErr error
	rails       []sysfs.PowerRail
	railsErr    error

	flags      sysfs.ThrottleFlags
	hasFlags   bool
	flagsErr   error
	cooling    []sysfs.CoolingDevice
	coolingErr error
	alarms     []sysfs.OverCurrent
	alarmsErr  error
	clocks     []sysfs.CPUFreqPolicy
	clocksErr  error
}

func discover(fs sysfs.FS) (sensors, error) {
	var s sensors
	s.board, s.boardErr = identifyTree(fs)
	s.zones, s.zonesErr = fs.ThermalZones()
	monitors := fs.Monitors()
	s.hwmon, s.hwmonErr = monitors.Temps()
	s.supplies, s.suppliesErr = fs.PowerSupplies()
	s.rails, s.railsErr = fs.PowerRails(monitors)
	s.flags, s.hasFlags, s.flagsErr = fs.ThrottleFlags(monitors)
	s.cooling, s.coolingErr = fs.CoolingDevices()
	s.alarms, s.alarmsErr = monitors.OverCurrents()
	s.clocks, s.clocksErr = fs.CPUFreq()
	return s, nil
}

// nothingFound is what is known while the search itself hangs.
func nothingFound(err error) sensors {
	return sensors{board: generic(), boardErr: err, zonesErr: err, hwmonErr: err, suppliesErr: err, railsErr: err,
		flagsErr: err, coolingErr: err, alarmsErr: err, clocksErr: err}
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

	// What does not depend on the search is asked while it runs.
	load := b.beginLoad(w)
	found, err := wait(w, begin(b.ask, w, "the list of sensors", func() (sensors, error) { return discover(b.fs) }))
	if err != nil {
		found = nothingFound(err)
	}

	// Everything is asked before anything is waited for.
	heat := b.beginHeat(w, found)
	power := b.beginPower(w, found)
	throttle := b.beginThrottle(w, found)

	s := telemetry.Snapshot{Time: b.now(), Board: found.board.Name, BoardID: found.board.ID}
	var probes []telemetry.Probe
	probes = append(probes, probe("board", found.boardErr, found.board.Source))
	s.Heat, probes = heat.finish(w, probes)
	s.Power, probes = power.finish(w, probes)
	s.Throttle, probes = throttle.finish(w, probes)
	s.Load, probes = b.finishLoad(w, load, probes)
	s.Probes = probes
	b.seen.date(&s)
	return s
}

func generic() Identity { return Identity{Name: "generic Linux/" + runtime.GOARCH} }

// probe is loaded without an error, and failed with one, except that what does
// not exist was not on this board.
func probe(name string, err error, remark string, feeds ...string) telemetry.Probe {
	switch {
	case err == nil:
		return loaded(name, remark, feeds...)
	case errors.Is(err, fs.ErrNotExist):
		return skipped(name, err.Error())
	}
	return failed(name, err.Error(), feeds...)
}

func skipped(name, reason string) telemetry.Probe {
	return telemetry.Probe{Name: name, State: telemetry.Skipped, Reason: oneLine(reason)}
}

func failed(name, reason string, feeds ...string) telemetry.Probe {
	return telemetry.Probe{Name: name, State: telemetry.Failed, Reason: oneLine(reason), Feeds: feeds}
}

func loaded(name, remark string, feeds ...string) telemetry.Probe {
	return telemetry.Probe{Name: name, State: telemetry.Loaded, Reason: oneLine(remark), Feeds: feeds}
}

// oneLine joins what errors.Join put on several.
func oneLine(s string) string { return strings.ReplaceAll(s, "\n", "; ") }

// readingOf turns a value and its error into a reading.
func readingOf[T any](at time.Time, v T, err error) telemetry.Reading[T] {
	if err != nil {
		return telemetry.Unknown[T](err.Error())
	}
	return telemetry.Known(v, at)
}

func isKnown[T any](r telemetry.Reading[T]) bool {
	_, ok := r.Get()
	return ok
}
