package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fathom-edge/fathom/boards/camera"
	"github.com/fathom-edge/fathom/daemon/events"
	"github.com/fathom-edge/fathom/daemon/journal"
	"github.com/fathom-edge/fathom/daemon/mqtt"
	"github.com/fathom-edge/fathom/daemon/snapshots"
)

// The parts that tell others, as faults name them.
const (
	partSnapshots = "snapshots"
	partWebhook   = "webhook"
	partMQTT      = "mqtt"
)

// outputs tell of events. Nothing that the pipeline calls waits for a disk or a network.
type outputs struct {
	logs     journal.Config
	monitor  *Monitor
	watches  *Watches
	version  string
	controls *Controls // set by connect

	log      io.Writer                   // of events; nil for none
	journals map[string]*journal.Journal // by field of the configuration; complete before run
	now      atomic.Pointer[receivers]

	pictures chan picture
	imageAt  time.Time // when a picture was last sent to the broker; of the pipeline's goroutine
	missed   atomic.Uint64

	mu      sync.Mutex // guards what runs
	running *errgroup.Group
	ctx     context.Context // of running; nil before run
	ends    map[any]func()  // by receiver: ends it and waits for that
}

// picture is to be kept, sent or both.
type picture struct {
	still
	to    *receivers
	name  string // of the file; empty for none
	event []byte // that it is sent to the broker with; nil for not
}

// maxPictures wait for being encoded: a megabyte each.
const maxPictures = 4

func newOutputs(c Config, m *Monitor, w *Watches, version string) (_ *outputs, err error) {
	o := &outputs{logs: c.Logs, monitor: m, watches: w, version: version, journals: map[string]*journal.Journal{}, pictures: make(chan picture, maxPictures),
		ends: map[any]func(){}}
	defer func() {
		if err != nil {
			_ = o.Close()
		}
	}()
	if c.EventLog == standardOutput {
		o.log = os.Stdout
	} else if j, err := o.journal("event_log", c.EventLog); err != nil {
		return nil, err
	} else if j != nil {
		o.log = j
	}
	o.now.Store(&receivers{})
	m.metrics.registry.MustRegister(&outputCollector{o})
	return o, nil
}

// journal opens a log, or nothing where the path is empty.
func (o *outputs) journal(field, path string) (*journal.Journal, error) {
	if path == "" {
		return nil, nil
	}
	j, err := journal.Open(path, o.logs, o.health(field))
	if err != nil {
		return nil, fmt.Errorf("%s: %w (choose another file with %s)", field, err, field)
	}
	o.journals[field] = j
	return j, nil
}

func (o *outputs) health(part string) func(error) {
	return func(err error) { o.monitor.Condition(part, err) }
}

// connect makes the receivers; the broker may have wishes for the controls.
func (o *outputs) connect(c Config, controls *Controls) error {
	o.controls = controls
	change, err := o.prepare(c)
	if err != nil {
		return err
	}
	change()
	controls.Watch(func(s Settings) {
		if m := o.now.Load().mqtt; m != nil {
			_ = m.Set(settingsFor(s, controls.Variants()))
		}
	})
	return nil
}

// wish carries out what came from the broker.
func wish(controls *Controls, w mqtt.Command) error {
	_, err := controls.Change(partMQTT, func(s *Settings) error {
		set(&s.Policy, w.Policy)
		set(&s.Objectives.LeastDepth, w.LeastDepth)
		set(&s.Objectives.GreatestDepth, w.GreatestDepth)
		set(&s.Objectives.FPS, w.FPS)
		set(&s.Objectives.CeilingCelsius, w.Ceiling)
		set(&s.Paused, w.Paused)
		return nil
	})
	return err
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// settingsFor are the settings with the defaults filled in that the ladder gives.
func settingsFor(s Settings, variants []string) mqtt.Settings {
	m := mqtt.Settings{Policy: s.Policy, LeastDepth: s.Objectives.LeastDepth, GreatestDepth: s.Objectives.GreatestDepth,
		FPS: s.Objectives.FPS, Paused: mqtt.Switch(s.Paused)}
	if m.LeastDepth == "" {
		m.LeastDepth = variants[0]
	}
	if m.GreatestDepth == "" {
		m.GreatestDepth = variants[len(variants)-1]
	}
	if c := s.Objectives.CeilingCelsius; c > 0 {
		m.Ceiling = &c
	}
	return m
}

// happened tells of an event; its frame is copied where it is needed.
func (o *outputs) happened(e events.Event, f *camera.Frame) {
	now, to := time.Now(), o.now.Load()
	p, send := picture{to: to}, false
	if f != nil {
		if to.folder != nil && slices.Contains(to.snapshots.On, string(e.Kind)) && to.folder.Reserve(now) {
			p.name = snapshots.Name(e.ID, e.Class)
			e.Snapshot = p.name
		}
		if every := to.broker.ImageEvery; to.mqtt != nil && every > 0 && e.Kind != events.Gone && now.Sub(o.imageAt) >= every {
			o.imageAt, send = now, true
		}
	}
	o.monitor.Happened(e)
	line := o.tell(e)
	if send {
		p.event = line
	}
	if p.name == "" && p.event == nil {
		return
	}
	if len(o.pictures) < cap(o.pictures) { // only this goroutine sends
		p.still = takeStill(*f, to.snapshots.Width)
		o.pictures <- p
	} else {
		o.missed.Add(1)
	}
}

// tell returns the event as it was told.
func (o *outputs) tell(e events.Event) []byte {
	line, err := json.Marshal(e)
	if err != nil {
		o.monitor.config.Log.Error("an event cannot be told", "error", err)
		return nil
	}
	to := o.now.Load()
	if to.webhook != nil && to.hook.Wants(string(e.Kind)) {
		to.webhook.Send(e.ID+"-"+string(e.Kind), time.Now(), line) // whose age no setting of the clock changes
	}
	if to.mqtt != nil {
		to.mqtt.Event(line)
	}
	if o.log != nil {
		_, _ = o.log.Write(append(slices.Clip(line), '\n')) // a journal tells its own failures
	}
	return line
}

// run tells until ctx ends.
func (o *outputs) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { o.encode(ctx); return nil })
	o.mu.Lock()
	o.running, o.ctx = group, ctx
	o.startAll(o.now.Load())
	o.mu.Unlock()
	group.Go(func() error { o.tick(ctx); return nil })
	return group.Wait()
}

// encode keeps and sends pictures. What waits when ctx ends is still kept.
func (o *outputs) encode(ctx context.Context) {
	for {
		select {
		case p := <-o.pictures:
			o.keep(p)
			continue
		default:
		}
		select {
		case p := <-o.pictures:
			o.keep(p)
		case <-ctx.Done():
			return
		}
	}
}

func (o *outputs) keep(p picture) {
	jpeg, err := p.encode(p.to.snapshots.Quality)
	if err != nil {
		o.monitor.Condition(partSnapshots, err)
		return
	}
	if p.event != nil {
		p.to.mqtt.Image(jpeg, p.event)
	}
	if p.name != "" {
		err := p.to.folder.Save(p.name, jpeg)
		if err != nil {
			o.missed.Add(1)
		} else {
			o.monitor.Kept(p.name)
		}
		o.monitor.Condition(partSnapshots, err)
	}
}

// tick lets time pass, once a second.
func (o *outputs) tick(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	var report report
	var clock setClock
	for {
		now := time.Now()
		if by := clock.by(now); by != 0 {
			o.monitor.metrics.clockSet.Inc()
			o.monitor.config.Log.Warn("the clock was set, or the machine slept", "by", by)
		}
		for _, e := range o.watches.Tick(now) {
			o.monitor.Happened(e)
			o.tell(e)
		}
		if to := o.now.Load(); to.mqtt != nil {
			o.report(&report, to, now)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Close closes the logs. What a disk does not take any more is told and lost: it is no reason to end as a failure.
func (o *outputs) Close() error {
	for field, j := range o.journals {
		if err := j.Close(); err != nil {
			o.monitor.config.Log.Error("the last lines of a log are lost", "log", field, "error", err)
		}
	}
	return nil
}
