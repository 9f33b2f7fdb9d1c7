package daemon

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/fathom-edge/fathom/governor"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// Settings are what can be changed while the daemon runs. They hold until the
// configuration is read again, or says something else at a start.
type Settings struct {
	// Policy is the name of a policy; see governor.Policies.
	Policy     string              `json:"policy"`
	Objectives governor.Objectives `json:"objectives"`
	// Paused classifies nothing until it is taken back.
	Paused bool `json:"paused"`
}

// ControlsConfig is what Controls steer.
type ControlsConfig struct {
	// Policy is the configured one: choosing its name again brings back its settings.
	Policy governor.Spec
	Ladder profile.Profile
	Loop   *governor.Loop
	// Pause holds the pipeline or lets it go on.
	Pause func(bool)
	Log   *slog.Logger
}

// Controls are the one way to steer a running daemon: page, MQTT and reload
// share them. Safe for concurrent use.
type Controls struct {
	config ControlsConfig

	mu       sync.Mutex
	settings Settings
	watchers []func(Settings)
}

// NewControls takes the settings that the loop runs with.
func NewControls(c ControlsConfig) *Controls {
	return &Controls{config: c, settings: Settings{Policy: c.Loop.Policy().Name(), Objectives: c.Loop.Objectives()}}
}

// Settings are those that hold now.
func (c *Controls) Settings() Settings {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.copied()
}

// copied needs the lock. What Settings point to is never shared.
func (c *Controls) copied() Settings {
	s := c.settings
	s.Objectives.QuietHours = slices.Clone(s.Objectives.QuietHours)
	s.Objectives.Priority = slices.Clone(s.Objectives.Priority)
	return s
}

// Policies lists what Settings.Policy may be, the default first.
func (c *Controls) Policies() []string { return governor.Policies() }

// Variants lists the ladder, shallow to deep: what least and greatest depth may be.
func (c *Controls) Variants() []string {
	var names []string
	for _, r := range c.config.Ladder.Rungs {
		names = append(names, r.Variant)
	}
	return names
}

// Watch lets a function know of the settings now and after each change, in
// order. It is called under a lock: it must return at once and not call Controls.
func (c *Controls) Watch(watcher func(Settings)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watchers = append(c.watchers, watcher)
	watcher(c.copied())
}

// Change edits a copy of the settings and makes it hold, wholly or not at all:
// on an error nothing has changed, and the error says what is wrong in words
// for the user. by names who asks, for the log.
func (c *Controls) Change(by string, edit func(*Settings) error) (Settings, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.change(by, edit)
}

// Configure makes a policy with its settings and objectives hold, wholly or not at all.
func (c *Controls) Configure(by string, policy governor.Spec, objectives governor.Objectives) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.config.Policy
	c.config.Policy = policy
	_, err := c.change(by, func(s *Settings) error {
		s.Policy, s.Objectives = policy.Name, objectives
		return nil
	})
	if err != nil {
		c.config.Policy = before
	}
	return err
}

// change needs the lock.
func (c *Controls) change(by string, edit func(*Settings) error) (Settings, error) {
	next := c.copied()
	if err := edit(&next); err != nil {
		return c.copied(), err
	}
	before := c.settings
	policy, err := c.policy(next.Policy)
	if err != nil {
		return c.copied(), err
	}
	if err := c.config.Loop.SetObjectives(next.Objectives); err != nil {
		return c.copied(), err
	}
	if err := c.config.Loop.SetPolicy(policy); err != nil {
		_ = c.config.Loop.SetObjectives(before.Objectives) // they held before
		return c.copied(), err
	}
	c.settings = next
	if next.Paused != before.Paused {
		c.config.Pause(next.Paused)
	}
	was, _ := json.Marshal(before)
	is, _ := json.Marshal(next)
	if string(was) != string(is) {
		c.config.Log.Info("settings changed", "by", by, "from", string(was), "to", string(is))
		for _, w := range c.watchers {
			w(c.copied())
		}
	}
	return c.copied(), nil
}

// policy builds the policy of a name: with its settings where it is the configured one, otherwise with the defaults.
func (c *Controls) policy(name string) (governor.Policy, error) {
	spec := governor.Spec{Name: name}
	if name == c.config.Policy.Name {
		spec = c.config.Policy
	}
	policy, err := governor.New(spec, c.config.Ladder)
	if err != nil {
		return nil, fmt.Errorf("policy %q cannot run here: %w", name, err)
	}
	return policy, nil
}
