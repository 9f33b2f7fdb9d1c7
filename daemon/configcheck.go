package daemon

import (
	"fmt"
	"math"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fathom-edge/fathom/daemon/events"
	"github.com/fathom-edge/fathom/daemon/scene"
)

// fieldError says what is wrong with one field; its name is a path in the file: "source.url".
type fieldError struct{ field, problem string }

// Check refuses a configuration that cannot run, with Problems. Call it after the flags are merged in.
func (c Config) Check() error {
	list := c.values()
	if bad := c.complete(); bad != nil {
		list = append(list, *bad)
	}
	return (&document{}).located(list).orNil()
}

// complete finds what is missing.
func (c Config) complete() *fieldError {
	switch {
	case c.Bundle == "":
		return &fieldError{"bundle", "missing (give the folder of a converted family, or try fathomd --demo)"}
	case c.Source.Kind == SourceCamera && c.Source.Address == "":
		return &fieldError{"source.address", "missing (give the camera, e.g. v4l2:/dev/video0, rpicam: or http://camera.local/stream)"}
	case c.Source.Kind == SourceFolder && c.Source.Path == "":
		return &fieldError{"source.path", "missing (give the image folder)"}
	case c.Source.Kind == SourceMJPEG && c.Source.URL == "":
		return &fieldError{"source.url", "missing (give the stream, e.g. http://camera.local:8081/stream)"}
	}
	return nil
}

// values finds values that make no sense by themselves: the first of each part.
func (c Config) values() []fieldError {
	var list []fieldError
	for _, check := range []func() *fieldError{c.server, c.source, c.rates, c.policy, c.sensors, c.simulation, c.outputs} {
		if bad := check(); bad != nil {
			list = append(list, *bad)
		}
	}
	return list
}

func (c Config) server() *fieldError {
	_, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return &fieldError{"listen", fmt.Sprintf("%q is not host:port (e.g. 127.0.0.1:8080)", c.Listen)}
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return &fieldError{"listen", fmt.Sprintf("port %q is not a number from 0 to 65535", port)}
	}
	switch {
	case c.TLS.Certificate != "" && c.TLS.Key == "":
		return &fieldError{"tls.key", "missing (give the key of tls.certificate)"}
	case c.TLS.Key != "" && c.TLS.Certificate == "":
		return &fieldError{"tls.certificate", "missing (give the certificate of tls.key)"}
	}
	return nil
}

var sourceKinds = []string{SourceCamera, SourceFolder, SourceMJPEG, SourceSynthetic}

func (c Config) source() *fieldError {
	s := c.Source
	switch {
	case !slices.Contains(sourceKinds, s.Kind):
		return oneOf("source.kind", s.Kind, sourceKinds...)
	case s.FPS != 0 && !within(s.FPS, 0.1, 120):
		return outside("source.fps", s.FPS, 0.1, 120)
	case !within(float64(s.Width), 32, 4096):
		return outside("source.width", float64(s.Width), 32, 4096)
	case !within(float64(s.Height), 32, 4096):
		return outside("source.height", float64(s.Height), 32, 4096)
	case s.Hold < 0:
		return negative("source.hold")
	}
	if s.URL != "" {
		u, err := url.Parse(s.URL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return &fieldError{"source.url", "not an http or https address (e.g. http://camera.local:8081/stream)"}
		}
	}
	return nil
}

func (c Config) rates() *fieldError {
	switch {
	case !within(c.TargetRate, 0.01, 120):
		return outside("target_rate", c.TargetRate, 0.01, 120)
	case !within(float64(c.Threads), 1, 64):
		return outside("threads", float64(c.Threads), 1, 64)
	case c.Escalation != escalationAuto && c.Escalation != escalationOff:
		return oneOf("escalation", c.Escalation, escalationAuto, escalationOff)
	case c.Smoothing < 0:
		return negative("smoothing")
	case c.StaleAfter <= 0:
		return &fieldError{"stale_after", "must be longer than 0 (e.g. 10s)"}
	}
	return nil
}

func (c Config) policy() *fieldError {
	if c.Objectives.FPS != 0 && c.TargetRate != defaultTargetRate && c.TargetRate != c.Objectives.FPS {
		return &fieldError{"target_rate", fmt.Sprintf("%g contradicts objectives.fps, %g (give one of them)", c.TargetRate, c.Objectives.FPS)}
	}
	if o := c.Objectives; o.CeilingCelsius != 0 && !within(o.CeilingCelsius, 20, 120) {
		return outside("objectives.ceiling_celsius", o.CeilingCelsius, 20, 120)
	}
	// The governor knows best what it can work with. Its message begins with the field.
	if err := c.GovernorObjectives().ValidateAlone(); err != nil {
		field, problem, _ := strings.Cut(strings.TrimPrefix(err.Error(), "governor: objectives: "), ": ")
		return &fieldError{"objectives." + field, problem}
	}
	if err := c.Policy.Validate(); err != nil {
		field, problem, _ := strings.Cut(strings.TrimPrefix(err.Error(), "governor: policy: "), ": ")
		return &fieldError{"policy." + field, problem}
	}
	return nil
}

// sensors asks package battery, which knows what each device needs.
func (c Config) sensors() *fieldError {
	for i, b := range c.Sensors.Batteries {
		if err := b.Validate(); err != nil {
			return &fieldError{fmt.Sprintf("sensors.batteries[%d]", i), strings.TrimPrefix(err.Error(), "battery: ")}
		}
	}
	return nil
}

func (c Config) simulation() *fieldError {
	if c.Simulate == nil {
		return nil
	}
	switch s := c.Simulate; {
	case !slices.Contains(SimulatedBoards(), s.Board):
		return oneOf("simulate.board", s.Board, SimulatedBoards()...)
	case !within(s.Acceleration, 1, 1000):
		return outside("simulate.acceleration", s.Acceleration, 1, 1000)
	case !within(s.Utilisation, 0.01, 1):
		return outside("simulate.utilisation", s.Utilisation, 0.01, 1)
	case !within(s.SunKelvin, 0, 30):
		return outside("simulate.sun_kelvin", s.SunKelvin, 0, 30)
	case s.SunKelvin > 0 && s.SunPeriod < Duration(time.Minute):
		return &fieldError{"simulate.sun_period", fmt.Sprintf("%v is too short: with a sun, at least 1m", time.Duration(s.SunPeriod))}
	}
	return nil
}

// outputs asks the packages that tell others; each begins its message with the field.
func (c Config) outputs() *fieldError {
	var kinds []string
	for _, k := range events.Kinds() {
		kinds = append(kinds, string(k))
	}
	for _, part := range []struct {
		name string
		err  error
	}{
		{"regions", scene.ValidateRegions(c.Regions)}, {"motion.", c.Motion.Validate()}, {"events.", c.Events.Validate()},
		{"snapshots.", c.Snapshots.Validate(kinds...)}, {"webhook.", c.Webhook.Validate(kinds...)}, {"mqtt.", c.MQTT.Validate()},
		{"logs.", c.Logs.Validate()},
	} {
		if part.err != nil {
			field, problem, _ := strings.Cut(part.err.Error(), ": ")
			return &fieldError{part.name + field, problem}
		}
	}
	return nil
}

// within is false for NaN.
func within(v, low, high float64) bool { return v >= low && v <= high && !math.IsNaN(v) }

func outside(field string, v, low, high float64) *fieldError {
	return &fieldError{field, fmt.Sprintf("%v is outside of %v to %v", v, low, high)}
}

func negative(field string) *fieldError { return &fieldError{field, "must not be negative"} }

func oneOf(field, got string, want ...string) *fieldError {
	return &fieldError{field, fmt.Sprintf("%q is none of %s", got, strings.Join(want, ", "))}
}
