package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fathom-edge/fathom/boards/camera"
	"github.com/fathom-edge/fathom/daemon/web"
	"github.com/fathom-edge/fathom/governor"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/engine"
)

// Options are what Run needs beside the configuration.
type Options struct {
	Config Config
	// Open opens the engine of a bundle.
	Open func(b *bundle.Bundle, threads int) (Engine, error)
	// Probe tries a bundle that was not seen before in a process of its own; nil where there is none. ProbeID names the
	// program that does it, so that another one tries again.
	Probe   func(ctx context.Context, b *bundle.Bundle) error
	ProbeID string
	// Watchdog is fed while frames flow; nil where there is none.
	Watchdog *Watchdog
	Log      *slog.Logger
	// Ready is told the URL of the page when everything runs; nil where nobody asks.
	Ready func(address string)
	// Load reads the configuration again; nil where there is none to read. A value on Reload asks for it, too.
	Load   func() (Config, error)
	Reload <-chan os.Signal
	// Version is the release, as other programs are told it; empty for none.
	Version string
	// Token is the page's, where Config.TokenFile names none; empty for none.
	Token string
}

// webGrace is how long running requests may take after the end was asked for.
const webGrace = 2 * time.Second

// Run is the daemon: it sets everything up and runs until ctx ends or the
// source does, which are both no error. Errors are one line.
func Run(ctx context.Context, o Options) (err error) {
	if err := o.Config.Check(); err != nil {
		return err
	}
	listener, err := listen(o.Config.Listen)
	if err != nil {
		return err
	}
	defer closing(listener, &err)
	access, err := newAccess(o, listener.Addr())
	if err != nil {
		return err
	}
	b, err := o.openBundle(ctx)
	if err != nil {
		return err
	}
	engine, err := o.Open(b, o.Config.Threads)
	if err != nil {
		return err
	}
	defer closing(engine, &err)
	d, err := assemble(ctx, o, b, engine)
	if err != nil {
		return err
	}
	defer closing(d, &err)
	d.access = access
	return d.run(ctx, listener)
}

// closing closes what a function opened; its error counts if there was none before.
func closing(c io.Closer, err *error) {
	if e := c.Close(); e != nil && !errors.Is(e, net.ErrClosed) && *err == nil {
		*err = e
	}
}

func listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("listen %s: address already in use (another fathomd? choose another port with --listen)", address)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("listen %s: permission denied (choose a port above 1023 with --listen)", address)
	case err != nil:
		return nil, fmt.Errorf("listen %s: %w (choose an address of this machine with --listen)", address, errors.Unwrap(err))
	}
	return l, nil
}

// daemon is everything that runs.
type daemon struct {
	options  Options
	pipeline *Pipeline
	loop     *governor.Loop
	monitor  *Monitor
	view     *Viewfinder
	controls *Controls
	outputs  *outputs
	keeper   *keeper
	reloader reloader
	access   access
	files    []io.Closer // the source and the outputs
}

// assemble builds the daemon around an opened engine.
func assemble(ctx context.Context, o Options, b *bundle.Bundle, engine Engine) (_ *daemon, err error) {
	c, m := o.Config, b.Manifest
	d := &daemon{options: o}
	defer func() {
		if err != nil {
			_ = d.Close()
		}
	}()
	source, err := newSource(c, m)
	if err != nil {
		return nil, err
	}
	d.files = append(d.files, source)
	board, err := newBoard(ctx, c, engine, m.Variants[len(m.Variants)-1].Name)
	if err != nil {
		return nil, err
	}
	name := board.Read(ctx).Board
	ladder, err := ladderOf(c, m, name, o.Log)
	if err != nil {
		return nil, err
	}
	for _, v := range m.Variants {
		if _, ok := ladder.Index(v.Name); !ok {
			o.Log.Info("not on the ladder: a cheaper variant is as accurate", "variant", v.Name)
		}
	}
	policy, err := governor.New(c.Policy, ladder)
	if err != nil {
		return nil, err
	}
	simulated := board.simulated
	if c.Source.Kind == SourceSynthetic {
		if simulated == nil {
			simulated = &Simulation{}
		}
		simulated.Camera = "synthetic glyphs"
	}
	d.monitor = NewMonitor(MonitorConfig{
		Manifest: m, Bundle: bundleState(b, c), Profile: ladder, Source: source.Name(), Policy: policy.Name(),
		Objectives: c.GovernorObjectives(), Simulated: simulated, StaleAfter: time.Duration(c.StaleAfter),
		Log: o.Log, Now: time.Now,
	})
	d.view = NewViewfinder(time.Now)
	watches, err := NewWatches(c, m.Labels)
	if err != nil {
		return nil, err
	}
	if d.outputs, err = newOutputs(c, d.monitor, watches, o.Version); err != nil {
		return nil, err
	}
	d.files = append(d.files, d.outputs)
	record, err := d.decisionLog()
	if err != nil {
		return nil, err
	}
	d.loop, err = governor.NewLoop(governor.LoopConfig{
		Policy: policy, Profile: ladder, Objectives: c.GovernorObjectives(),
		Source: watched{board, d.monitor}, Apply: d.apply, Record: record,
		Escalations: escalations(engine, c, m, ladder),
	})
	if err != nil {
		return nil, err
	}
	engine, err = flex(engine, c, ladder, func() time.Duration { return inferenceLimit(d.loop.Objectives()) })
	if err != nil {
		return nil, err
	}
	predicted, err := d.predictionLog(m.Labels)
	if err != nil {
		return nil, err
	}
	var escalate func(float64) error
	if f, ok := engine.(flexible); ok {
		escalate = f.SetEscalation
	}
	d.pipeline = NewPipeline(PipelineConfig{
		Source: source, Engine: engine, Watches: watches,
		Monitor: d.monitor, Viewfinder: d.view, Threads: c.Threads, FramePeriod: c.FramePeriod(),
		Escalate: escalate, Observe: d.loop.Observe, Busy: board.busy, Predicted: predicted, Happened: d.outputs.happened,
	})
	d.controls = NewControls(ControlsConfig{Policy: c.Policy, Ladder: ladder, Loop: d.loop, Pause: d.pipeline.Pause, Log: o.Log})
	d.controls.Watch(d.monitor.Steered)
	if err := d.outputs.connect(c, d.controls); err != nil {
		return nil, err
	}
	d.keep()
	d.reloader = reloader{load: o.Load, apply: d.reconfigure, now: c}
	return d, nil
}

// decisionLog opens the log of decisions, which is appended to.
func (d *daemon) decisionLog() (func(governor.Record), error) {
	j, err := d.outputs.journal("decision_log", d.options.Config.DecisionLog)
	if j == nil {
		return nil, err
	}
	return governor.JSONLog(j, nil), nil
}

// predictionLog opens the log of predictions, which is appended to.
func (d *daemon) predictionLog(labels []string) (func(camera.Frame, engine.Result), error) {
	j, err := d.outputs.journal("prediction_log", d.options.Config.PredictionLog)
	if j == nil {
		return nil, err
	}
	return predictionLog(j, labels), nil
}

// apply carries out a decision.
func (d *daemon) apply(decision governor.Decision) {
	if err := d.pipeline.Apply(decision); err != nil {
		d.monitor.InferenceFailed(err)
		return
	}
	if d.monitor.Decided(decision) {
		d.options.Log.Info("decided", "variant", decision.Variant, "frame_period", decision.FramePeriod, "reason", decision.Reason.String())
	}
}

// Close closes the source and the logs.
func (d *daemon) Close() error {
	var errs []error
	for _, f := range d.files {
		errs = append(errs, f.Close())
	}
	d.files = nil
	return errors.Join(errs...)
}

// run runs the pipeline, the governor and the page until one of them ends.
func (d *daemon) run(ctx context.Context, listener net.Listener) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer end() // without frames there is nothing left to do
		return d.pipeline.Run(ctx)
	})
	group.Go(func() error { return d.loop.Run(ctx) })
	group.Go(func() error { d.feedWatchdog(ctx); return nil })
	group.Go(func() error { return web.Serve(ctx, listener, webGrace, d.web()) })
	group.Go(func() error { d.reloadOn(ctx); return nil })
	group.Go(func() error { d.keeper.run(ctx); return nil })
	group.Go(func() error { return d.outputs.run(ctx) })
	address := d.access.scheme + "://" + listener.Addr().String()
	d.options.Log.Info("running", "page", address, "bundle", d.options.Config.Bundle, "source", d.monitor.State().Source)
	if d.options.Ready != nil {
		d.options.Ready(address)
	}
	err := group.Wait()
	d.summarize()
	return err
}

func (d *daemon) web() web.Config {
	return web.Config{
		State:   func() any { return dated(d.monitor.State()) },
		History: func(span string) (any, bool) { return d.monitor.History(span) },
		Frame:   d.frame,
		Health: func() (any, string, bool) {
			h := d.monitor.Health()
			return h, h.Status, !h.Stale
		},
		Metrics:      d.monitor.MetricsHandler(),
		Controls:     func() any { return d.controlsState() },
		Change:       d.change,
		Reset:        d.reset,
		Events:       func() any { return d.monitor.Events() },
		Snapshot:     d.snapshot,
		Reload:       func() (any, error) { return d.reload("page") },
		Token:        d.access.token,
		TLS:          d.access.tls,
		AllowedHosts: d.options.Config.AllowedHosts,
		Answered:     d.monitor.metrics.answered,
		TurnedAway:   d.monitor.metrics.turnedAway.Inc,
		Log:          d.options.Log,
	}
}

// frame is the frame classified last; nil where there is none.
func (d *daemon) frame() (*web.Picture, error) {
	v := d.view.View()
	if v == nil {
		return nil, nil
	}
	jpeg, err := v.JPEG()
	return &web.Picture{ID: v.Answer.ID, Answer: v.Answer, JPEG: jpeg}, err
}

// snapshot is the picture of an event, at most so many pixels wide; 0 for as it is.
func (d *daemon) snapshot(name string, width int) ([]byte, error) {
	folder := d.outputs.now.Load().folder
	if folder == nil {
		return nil, fs.ErrNotExist
	}
	jpeg, err := folder.Read(name)
	if err != nil || width == 0 {
		return jpeg, err
	}
	return still{jpeg: jpeg, width: width}.encode(viewQuality)
}

// summarize logs what was done in the whole run.
func (d *daemon) summarize() {
	s := d.monitor.State()
	values := []any{"frames", s.Frames, "dropped", s.Dropped, "switches", s.Switches,
		"duration", s.Now.Sub(s.Started).Round(time.Second).String()}
	for _, r := range s.Ladder {
		if r.Seen != nil {
			values = append(values, "accuracy_"+r.Variant, fmt.Sprintf("%d/%d", r.Seen.Right, r.Seen.Of))
		}
	}
	d.options.Log.Info("stopped", values...)
}
