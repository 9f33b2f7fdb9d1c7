package daemon

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"
)

// Reloaded is what reading the configuration again has done.
type Reloaded struct {
	// Changed are the fields whose new values hold now, and Restart those that take effect at the next start.
	Changed []string `json:"changed"`
	Restart []string `json:"restart"`
}

// reloader reads the configuration again. Safe for concurrent use.
type reloader struct {
	load func() (Config, error) // nil where there is nothing to read
	// apply makes the fields hold that need no restart, all or none.
	apply func(Config) error

	mu  sync.Mutex
	now Config // what holds
}

// reload reads and applies; on an error what held before goes on.
func (r *reloader) reload() (Reloaded, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.load == nil {
		return Reloaded{}, errors.New("there is no configuration file to read again")
	}
	next, err := r.load()
	if err != nil {
		return Reloaded{}, fmt.Errorf("%w; the configuration before goes on", err)
	}
	done := Reloaded{Changed: []string{}, Restart: []string{}}
	for _, f := range Changed(r.now, next) {
		if f.Restart {
			done.Restart = append(done.Restart, f.Path)
		} else {
			done.Changed = append(done.Changed, f.Path)
		}
	}
	if err := r.apply(next); err != nil {
		return Reloaded{}, fmt.Errorf("config: %w; the configuration before goes on", err)
	}
	r.now = r.now.withLive(next)
	return done, nil
}

// withLive takes the fields that need no restart from another configuration.
func (c Config) withLive(next Config) Config {
	from, to := reflect.ValueOf(c), reflect.ValueOf(&next).Elem()
	for _, k := range keys(to.Type()) {
		if needsRestart(k) {
			to.FieldByIndex(k.Index).Set(from.FieldByIndex(k.Index))
		}
	}
	return next
}

// reconfigure makes a configuration hold as far as that needs no restart.
func (d *daemon) reconfigure(c Config) error {
	change, err := d.outputs.prepare(c)
	if err != nil {
		return err
	}
	watches := d.pipeline.config.Watches
	if err := watches.Configure(c.Events); err != nil {
		return err
	}
	if err := d.controls.Configure("configuration", c.Policy, c.GovernorObjectives()); err != nil {
		return errors.Join(err, watches.Configure(d.reloader.now.Events)) // what held before is valid
	}
	configured := d.controls.Settings()
	configured.Paused = false
	d.keeper.configure(configured)
	change()
	watches.SetTimeConstant(time.Duration(c.Smoothing))
	d.monitor.SetStaleAfter(time.Duration(c.StaleAfter))
	return nil
}

// reload reads the configuration again, logs what came of it, and tells it.
func (d *daemon) reload(by string) (Reloaded, error) {
	done, err := d.reloader.reload()
	if d.reloader.load != nil {
		d.monitor.Condition(partConfiguration, err) // with which the next start would end
	}
	if err != nil {
		d.options.Log.Error("configuration not reloaded", "by", by, "error", err)
		return done, err
	}
	d.options.Log.Info("configuration reloaded", "by", by, "changed", done.Changed, "after_restart", done.Restart)
	return done, nil
}

// reloadOn reloads whenever the signal comes, until ctx ends.
func (d *daemon) reloadOn(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-d.options.Reload:
			_, _ = d.reload(s.String()) // logged
		}
	}
}
