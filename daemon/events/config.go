package events

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Config says what counts as an event. Probabilities are the smoothed ones, in [0, 1].
type Config struct {
	// Probability from which a class counts as there.
	Enter float64 `yaml:"enter"`
	// Probability below which it no longer does. The gap to enter keeps a class that wavers from coming and going.
	Leave float64 `yaml:"leave"`
	// How long a class must hold enter before it has appeared.
	AppearAfter time.Duration `yaml:"appear_after"`
	// How long it must stay below leave before it is gone.
	GoneAfter time.Duration `yaml:"gone_after"`
	// How often a class that stays is told again; 0s for never.
	PresentEvery time.Duration `yaml:"present_every"`
	// Classes that make events; all by default.
	Only []string `yaml:"only"`
	// Classes that make none.
	Ignore []string `yaml:"ignore"`
	// Thresholds of single classes, e.g. {fox: {enter: 0.5}}.
	Classes map[string]Thresholds `yaml:"classes"`
}

// Thresholds replace those of Config for one class; 0 keeps the general one.
type Thresholds struct {
	// Those of this class instead of the general ones.
	Enter float64 `yaml:"enter"`
	Leave float64 `yaml:"leave"`
}

// DefaultConfig are the settings of an empty section.
func DefaultConfig() Config {
	return Config{Enter: 0.7, Leave: 0.4, AppearAfter: 400 * time.Millisecond, GoneAfter: 3 * time.Second, PresentEvery: 5 * time.Minute}
}

const longest = 24 * time.Hour

// Validate says what is wrong, as far as that does not depend on the classes of a
// bundle. The message begins with the field.
func (c Config) Validate() error {
	if err := c.thresholds(Thresholds{}).validate(""); err != nil {
		return err
	}
	for _, d := range []struct {
		field string
		value time.Duration
	}{{"appear_after", c.AppearAfter}, {"gone_after", c.GoneAfter}, {"present_every", c.PresentEvery}} {
		if d.value < 0 || d.value > longest {
			return fmt.Errorf("%s: %v: want 0s to %v", d.field, d.value, longest)
		}
	}
	if c.PresentEvery > 0 && c.PresentEvery < time.Second {
		return fmt.Errorf("present_every: %v: want at least 1s, or 0s for never", c.PresentEvery)
	}
	for _, name := range c.Ignore {
		if slices.Contains(c.Only, name) {
			return fmt.Errorf("ignore: %q also stands in only (drop one of them)", name)
		}
	}
	for _, name := range c.named() {
		if t, ok := c.Classes[name]; ok {
			if err := c.thresholds(t).validate("classes." + name + "."); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t Thresholds) validate(field string) error {
	switch {
	case !(t.Enter > 0 && t.Enter <= 1):
		return fmt.Errorf("%senter: %g: want more than 0, up to 1", field, t.Enter)
	case !(t.Leave >= 0) || t.Leave > t.Enter || math.IsNaN(t.Leave):
		return fmt.Errorf("%sleave: %g: want 0 up to enter, which is %g", field, t.Leave, t.Enter)
	}
	return nil
}

// thresholds completes those of one class.
func (c Config) thresholds(t Thresholds) Thresholds {
	if t.Enter == 0 {
		t.Enter = c.Enter
	}
	if t.Leave == 0 {
		t.Leave = min(c.Leave, t.Enter)
	}
	return t
}

// named are all classes that the configuration names, sorted.
func (c Config) named() []string {
	names := slices.Concat(c.Only, c.Ignore)
	for name := range c.Classes {
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// known refuses classes that the bundle does not have.
func (c Config) known(labels []string) error {
	for _, name := range c.named() {
		if !slices.Contains(labels, name) {
			return fmt.Errorf("events: the bundle has no class %q: it knows %s", name, strings.Join(labels, ", "))
		}
	}
	return nil
}

// wanted tells whether a class makes events.
func (c Config) wanted(label string) bool {
	return !slices.Contains(c.Ignore, label) && (len(c.Only) == 0 || slices.Contains(c.Only, label))
}
