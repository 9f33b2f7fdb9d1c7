package daemon

import (
	"context"
	"fmt"
	"image"
	"slices"
	"time"

	"github.com/fathom-edge/fathom/boards"
	"github.com/fathom-edge/fathom/boards/telemetry"
	"github.com/fathom-edge/fathom/governor/sim"
)

// SimulatedBoards lists the values of Simulate.Board.
func SimulatedBoards() []string {
	var names []string
	for _, p := range sim.Presets() {
		names = append(names, p.Name)
	}
	return names
}

// board is where telemetry comes from.
type board struct {
	telemetry.Source
	simulated *Simulation         // what is simulated of the board; nil where it is real
	busy      func(time.Duration) // nil where it is real
}

// newBoard opens the real board, or a simulated one that the engine's deepest
// variant loads as the configuration says.
func newBoard(ctx context.Context, c Config, e Engine, deepest string) (board, error) {
	if c.Simulate == nil {
		b, err := boards.New(c.Sensors.Root, boards.Options{Batteries: c.Sensors.Batteries})
		return board{Source: b}, err
	}
	preset, err := sim.FindPreset(c.Simulate.Board)
	if err != nil {
		return board{}, err
	}
	model := preset.Model()
	b, err := sim.NewBoard(sim.Config{Model: model, Acceleration: c.Simulate.Acceleration,
		Sun: sim.Sun{Kelvin: c.Simulate.SunKelvin, Period: time.Duration(c.Simulate.SunPeriod)}})
	if err != nil {
		return board{}, err
	}
	took, err := typicalBusy(ctx, e, deepest)
	if err != nil {
		return board{}, err
	}
	if err := b.Calibrate(took, c.FramePeriod(), c.Simulate.Utilisation); err != nil {
		return board{}, err
	}
	simulation := &Simulation{Board: model.Name, Acceleration: c.Simulate.Acceleration, WorkScale: b.WorkScale(),
		SunKelvin: c.Simulate.SunKelvin}
	return board{Source: b, simulated: simulation, busy: b.Busy}, nil
}

// typicalBusy is how long one inference of a variant keeps this machine busy: the
// median of some runs, with pauses as between frames, since a processor whose
// caches hold the network is faster than one that comes back to it.
func typicalBusy(ctx context.Context, e Engine, variant string) (time.Duration, error) {
	if err := e.SetActive(variant); err != nil {
		return 0, err
	}
	const (
		runs  = 25
		pause = 20 * time.Millisecond
	)
	picture := image.NewRGBA(image.Rect(0, 0, 320, 240))
	var took []time.Duration
	for range runs {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(pause):
		}
		_, busy, err := inferMetered(e, picture)
		if err != nil {
			return 0, fmt.Errorf("calibrate the simulated board with %s: %w", variant, err)
		}
		took = append(took, busy)
	}
	slices.Sort(took)
	return took[runs/2], nil
}

// watched tells the monitor of every snapshot that the governor reads.
type watched struct {
	telemetry.Source
	monitor *Monitor
}

// Read implements telemetry.Source.
func (w watched) Read(ctx context.Context) telemetry.Snapshot {
	s := w.Source.Read(ctx)
	w.monitor.Sensed(s)
	return s
}
