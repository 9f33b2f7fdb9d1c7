package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/fathom-edge/fathom/boards"
	"github.com/fathom-edge/fathom/boards/battery"
	"github.com/fathom-edge/fathom/boards/telemetry"
	"github.com/fathom-edge/fathom/internal/results"
)

// processorTime is what this process used, of all cores together.
func processorTime() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, err
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}

// cost is the processor time of a full snapshot, on every fixture.
func cost() ([]results.Row, error) {
	const (
		runs  = 5
		reads = 400
	)
	names, err := trees()
	if err != nil {
		return nil, err
	}
	var rows []results.Row
	worst := 0.0
	for _, tree := range names {
		var samples []float64
		err := unpacked(tree, func(root string) error {
			board, err := boards.New(root, boards.Options{})
			if err != nil {
				return err
			}
			for range runs {
				before, err := processorTime()
				if err != nil {
					return err
				}
				for range reads {
					board.Read(context.Background())
				}
				after, err := processorTime()
				if err != nil {
					return err
				}
				samples = append(samples, float64(after-before)/reads/float64(time.Millisecond))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		slices.Sort(samples)
		worst = max(worst, samples[runs/2])
		rows = append(rows, results.Row{ID: "cost-" + tree, What: "processor time of a full snapshot, fixture " + tree,
			Value: samples[runs/2], Unit: "ms", Samples: samples})
	}
	return append(rows, results.Row{ID: "cost", What: "processor time of a full snapshot, the dearest fixture",
		Value: worst, Unit: "ms", Op: "<=", Limit: 2, Samples: []float64{worst}}), nil
}

// device is a battery on I²C whose bus does what the benchmark wants.
type device struct {
	sense func() error
}

func (*device) Name() string     { return "device" }
func (*device) HasBattery() bool { return true }
func (d *device) Sense(at time.Time) (battery.Status, error) {
	err := d.sense()
	if err != nil {
		return battery.Status{}, err
	}
	return battery.Status{ChargePercent: telemetry.Known(50., at)}, nil
}

// deadline is how long a snapshot takes while a device hangs, beside a bare timer
// of the same length: what that is late by is the machine's, not the snapshot's.
func deadline() ([]results.Row, error) {
	const samples = 15
	var rows []results.Row
	err := unpacked("orin-nano", func(root string) error {
		for _, limit := range []time.Duration{100 * time.Millisecond, 300 * time.Millisecond, time.Second} {
			var took, bare []float64
			for range samples {
				slept := time.Now()
				<-time.After(limit)
				bare = append(bare, float64(time.Since(slept))/float64(limit))

				release := make(chan struct{})
				board, err := boards.New(root, boards.Options{Gauges: []boards.Gauge{&device{func() error { <-release; return nil }}}})
				if err != nil {
					return err
				}
				ctx, cancel := context.WithTimeout(context.Background(), limit)
				began := time.Now()
				board.Read(ctx)
				took = append(took, float64(time.Since(began))/float64(limit))
				cancel()
				close(release)
			}
			slices.Sort(took)
			slices.Sort(bare)
			rows = append(rows, results.Row{ID: fmt.Sprintf("deadline-%dms-timer", limit.Milliseconds()),
				What:  fmt.Sprintf("longest of %d bare timers of %s in between, over their time", samples, limit),
				Value: bare[samples-1], Unit: "× the time", Samples: bare},
				results.Row{ID: fmt.Sprintf("deadline-%dms", limit.Milliseconds()),
					What:  fmt.Sprintf("longest of %d snapshots with a hanging device, over their deadline of %s", samples, limit),
					Value: took[samples-1], Unit: "× the deadline", Op: "<=", Limit: 1.1, Samples: took})
		}
		return nil
	})
	return rows, err
}

// leak takes a million snapshots of a Raspberry Pi 4 with ten devices, of which
// each fails two times in five (about a fifth of all sensors), and one hangs from
// the second snapshot to the end. The clock moves on by 20 s with each, so that no
// failing one is left alone.
func leak() ([]results.Row, error) {
	const (
		snapshots = 1_000_000
		every     = 10_000
	)
	var rows []results.Row
	err := unpacked("pi4", func(root string) error {
		var asked, failed atomic.Uint64
		var mu sync.Mutex
		random := rand.New(rand.NewPCG(1, 2))
		release := make(chan struct{})
		gauges := []boards.Gauge{&device{func() error {
			if asked.Load() > 0 {
				<-release
			}
			return nil
		}}}
		for range 10 {
			gauges = append(gauges, &device{func() error {
				asked.Add(1)
				mu.Lock()
				defer mu.Unlock()
				if random.Float64() < 0.4 {
					failed.Add(1)
					return errors.New("bus: no acknowledge")
				}
				return nil
			}})
		}
		var passed atomic.Int64
		start := time.Now()
		board, err := boards.New(root, boards.Options{Gauges: gauges,
			Now: func() time.Time { return start.Add(time.Duration(passed.Load())) }})
		if err != nil {
			return err
		}
		before := runtime.NumGoroutine()
		var during []float64
		var memory []float64
		began := time.Now()
		for i := range snapshots {
			passed.Add(int64(20 * time.Second))
			// The second snapshot waits for the device that begins to hang then.
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			board.Read(ctx)
			cancel()
			if i%every == every-1 {
				during = append(during, float64(settled(before+1)-before))
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				memory = append(memory, float64(m.HeapAlloc)/(1<<10))
			}
		}
		took := time.Since(began)
		close(release)
		after := settled(before)
		share := 100 * float64(failed.Load()) / (float64(asked.Load()) + float64(snapshots)*12)
		rows = append(rows,
			results.Row{ID: "leak-goroutines", What: "goroutines more than before, after 1,000,000 snapshots with failing sensors and a hanging one that was let go",
				Value: float64(after - before), Op: "<=", Limit: 0, Samples: []float64{float64(after - before)}},
			results.Row{ID: "leak-goroutines-during", What: "goroutines more than before, while one device hangs: the most of 100 samples",
				Value: slices.Max(during), Op: "<=", Limit: 1, Samples: during},
			results.Row{ID: "leak-heap", What: "heap after the last 10,000 of them against after the first 10,000",
				Value: memory[len(memory)-1] / memory[0], Unit: "×", Op: "<=", Limit: 1.05, Samples: memory},
			number("leak-failing", "of the sensors that were asked failed (10 failing devices and 12 others a snapshot)", share, "%"),
			number("leak-time", "wall time of a snapshot of the million, on average", float64(took)/snapshots/float64(time.Millisecond), "ms"))
		return nil
	})
	return rows, err
}

// settled waits until no more than the wanted number of goroutines run, or a
// second: answered calls end a little after their answer.
func settled(wanted int) int {
	for end := time.Now().Add(time.Second); runtime.NumGoroutine() > wanted && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	return runtime.NumGoroutine()
}
