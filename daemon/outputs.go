package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fathom-edge/fathom/boards/camera"
	"github.com/fathom-edge/fathom/daemon/events"
	"github.com/fathom-edge/fathom/daemon/journal"
	"github.com/fathom-edge/fathom/daemon/mqtt"
	"github.com/fathom-edge/fathom/daemon/snapshots"
	"github.com/fathom-edge/fathom/daemon/webhook"
)

// The parts that tell others, as faults name them.
const (
	partSnapshots = "snapshots"
	partWebhook   = "webhook"
	partMQTT      = "mqtt"
)

// outputs tell of events. Nothing that the pipeline calls waits for a disk or a network.
type outputs struct {
	config  Config
	monitor *Monitor
	watches *Watches
	version string

	log      io.Writer                   // of events; nil for none
	journals map[string]*journal.Journal // by field of the configuration; complete before run
	folder   *snapshots.Folder           // nil for none
	webhook  *webhook.Sender             // nil for none
	mqtt     *mqtt.Client                // nil for none

	pictures chan picture
	imageAt  time.Time // when a picture was last sent to the broker; of the pipeline's goroutine
	missed   atomic.Uint64
}

// picture is to be kept, sent or both.
type picture struct {
	still
	name  string // of the file; empty for none
	event []byte // that it is sent to the broker with; nil for not
}

// maxPictures wait for being encoded: a megabyte each.
const maxPictures = 4

func newOutputs(c Config, m *Monitor, w *Watches, version string) (_ *outputs, err error) {
	o := &outputs{config: c, monitor: m, watches: w, version: version, journals: map[string]*journal.Journal{}, pictures: make(chan picture, maxPictures)}
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
	if c.Snapshots.Folder != "" {
		if o.folder, err = snapshots.Open(c.Snapshots); err != nil {
			return nil, err
		}
	}
	if c.Webhook.URL != "" {
		if o.webhook, err = webhook.New(c.Webhook, webhook.Options{Agent: "fathomd/" + version, Health: o.health(partWebhook)}); err != nil {
			return nil, err
		}
	}
	m.metrics.registry.MustRegister(&outputCollector{o})
	return o, nil
}

// journal opens a log, or nothing where the path is empty.
func (o *outputs) journal(field, path string) (*journal.Journal, error) {
	if path == "" {
		return nil, nil
	}
	j, err := journal.Open(path, o.config.Logs, o.health(field))
	if err != nil {
		return nil, fmt.Errorf("%s: %w (choose another file with %s)", field, err, field)
	}
	o.journals[field] = j
	return j, nil
}

func (o *outputs) health(part string) func(error) {
	return func(err error) { o.monitor.Condition(part, err) }
}

// connect makes the client of the broker, which takes wishes for the controls.
func (o *outputs) connect(controls *Controls) (err error) {
	if o.config.MQTT.Broker == "" {
		return nil
	}
	o.mqtt, err = mqtt.New(o.config.MQTT, mqtt.Options{Health: o.health(partMQTT),
		Control: func(w mqtt.Command) error { return wish(controls, w) },
		Refused: func(err error) { o.monitor.config.Log.Warn("a wish is refused", "by", partMQTT, "error", err) }})
	if err != nil {
		return err
	}
	controls.Watch(func(s Settings) { _ = o.mqtt.Set(settingsFor(s, controls.Variants())) })
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
	now := time.Now()
	var p picture
	send := false
	if f != nil {
		if o.folder != nil && slices.Contains(o.config.Snapshots.On, string(e.Kind)) && o.folder.Reserve(now) {
			p.name = snapshots.Name(e.ID, e.Class)
			e.Snapshot = p.name
		}
		if every := o.config.MQTT.ImageEvery; o.mqtt != nil && every > 0 && e.Kind != events.Gone && now.Sub(o.imageAt) >= every {
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
		p.still = takeStill(*f, o.config.Snapshots.Width)
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
	if o.webhook != nil && o.config.Webhook.Wants(string(e.Kind)) {
		o.webhook.Send(e.ID+"-"+string(e.Kind), time.Now(), line) // whose age no setting of the clock changes
	}
	if o.mqtt != nil {
		o.mqtt.Event(line)
	}
	if o.log != nil {
		_, _ = o.log.Write(append(slices.Clip(line), '\n')) // a journal tells its own failures
	}
	return line
}

// run tells until ctx ends.
func (o *outputs) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	if o.webhook != nil {
		group.Go(func() error { return o.webhook.Run(ctx) })
	}
	if o.mqtt != nil {
		group.Go(func() error { return o.mqtt.Run(ctx) })
	}
	group.Go(func() error { o.encode(ctx); return nil })
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
	jpeg, err := p.encode(o.config.Snapshots.Quality)
	if err != nil {
		o.monitor.Condition(partSnapshots, err)
		return
	}
	if p.event != nil {
		o.mqtt.Image(jpeg, p.event)
	}
	if p.name != "" {
		err := o.folder.Save(p.name, jpeg)
		if err != nil {
			o.missed.Add(1)
		}
		o.monitor.Condition(partSnapshots, err)
	}
}

// tick lets time pass, once a second.
func (o *outputs) tick(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	var report report
	for {
		now := time.Now()
		for _, e := range o.watches.Tick(now) {
			o.monitor.Happened(e)
			o.tell(e)
		}
		if o.mqtt != nil {
			o.report(&report, now)
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
