package daemon

import (
	"context"
	"reflect"

	"github.com/fathom-edge/fathom/daemon/mqtt"
	"github.com/fathom-edge/fathom/daemon/snapshots"
	"github.com/fathom-edge/fathom/daemon/webhook"
)

// receivers are those of the outputs that may change while they are in use: each with its configuration, nil where it is not
// wanted. What they hold never changes; a change makes others.
type receivers struct {
	snapshots snapshots.Config
	hook      webhook.Config
	broker    mqtt.Config

	folder  *snapshots.Folder
	webhook *webhook.Sender
	mqtt    *mqtt.Client
}

// prepare makes the receivers of a configuration, and keeps those whose part of it is the same. The function that it returns puts
// them in the place of the others; without it nothing has changed. One call at a time.
func (o *outputs) prepare(c Config) (change func(), err error) {
	before := o.now.Load()
	next := *before
	next.snapshots, next.hook, next.broker = c.Snapshots, c.Webhook, c.MQTT
	if !reflect.DeepEqual(c.Snapshots, before.snapshots) {
		if next.folder = nil; c.Snapshots.Folder != "" {
			if next.folder, err = snapshots.Open(c.Snapshots); err != nil {
				return nil, err
			}
		}
	}
	if !reflect.DeepEqual(c.Webhook, before.hook) {
		if next.webhook = nil; c.Webhook.URL != "" {
			if next.webhook, err = webhook.New(c.Webhook, webhook.Options{Agent: "fathomd/" + o.version, Health: o.health(partWebhook)}); err != nil {
				return nil, err
			}
		}
	}
	if !reflect.DeepEqual(c.MQTT, before.broker) {
		if next.mqtt = nil; c.MQTT.Broker != "" {
			next.mqtt, err = mqtt.New(c.MQTT, mqtt.Options{Health: o.health(partMQTT),
				Control: func(w mqtt.Command) error { return wish(o.controls, w) },
				Refused: func(err error) { o.monitor.config.Log.Warn("a wish is refused", "by", partMQTT, "error", err) }})
			if err != nil {
				return nil, err
			}
		}
	}
	return func() { o.replace(before, &next) }, nil
}

// replace ends the receivers that are no more, and starts the new ones.
func (o *outputs) replace(before, next *receivers) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if next.mqtt != nil && next.mqtt != before.mqtt {
		_ = next.mqtt.Set(settingsFor(o.controls.Settings(), o.controls.Variants()))
	}
	o.now.Store(next)
	if before.folder != next.folder {
		o.monitor.Condition(partSnapshots, nil)
	}
	if before.webhook != nil && before.webhook != next.webhook {
		o.end(before.webhook)
		o.monitor.Condition(partWebhook, nil)
		if next.webhook != nil {
			next.webhook.Take(before.webhook)
		} else {
			o.forgotten(partWebhook, before.webhook.Stats().Waiting)
		}
	}
	if before.mqtt != nil && before.mqtt != next.mqtt {
		o.end(before.mqtt)
		o.monitor.Condition(partMQTT, nil)
		if next.mqtt != nil {
			next.mqtt.Take(before.mqtt)
		} else {
			o.forgotten(partMQTT, before.mqtt.Stats().Events)
		}
	}
	o.startAll(next)
}

// forgotten tells of events that waited for a receiver that the configuration names no more.
func (o *outputs) forgotten(part string, events int) {
	if events > 0 {
		o.monitor.config.Log.Warn("events are dropped: the configuration has nowhere to tell them any more", "part", part, "events", events)
	}
}

// startAll starts what does not run yet; o.mu is held.
func (o *outputs) startAll(r *receivers) {
	if r.webhook != nil {
		o.start(r.webhook, r.webhook.Run)
	}
	if r.mqtt != nil {
		o.start(r.mqtt, r.mqtt.Run)
	}
}

// start runs a receiver until end is called for it, or the outputs end.
func (o *outputs) start(key any, run func(context.Context) error) {
	if o.ctx == nil || o.ctx.Err() != nil || o.ends[key] != nil {
		return
	}
	ctx, cancel := context.WithCancel(o.ctx)
	done := make(chan struct{})
	o.running.Go(func() error {
		defer close(done)
		return run(ctx)
	})
	o.ends[key] = func() { cancel(); <-done }
}

func (o *outputs) end(key any) {
	if end := o.ends[key]; end != nil {
		end()
		delete(o.ends, key)
	}
}
