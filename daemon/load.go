package daemon

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxConfigBytes bounds a configuration file; a real one has some hundred bytes.
const maxConfigBytes = 1 << 20

// LoadConfig reads a configuration file over the defaults and resolves its
// paths against the file's folder. It does not check the configuration as a
// whole, so that flags may still complete it; see Config.Check. The error names
// the file and the line.
func LoadConfig(path string) (Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return Config{}, fmt.Errorf("config: %w", err)
	}
	defer f.Close()
	c, err := ParseConfig(f)
	if err != nil {
		return Config{}, fmt.Errorf("config: %s: %w", path, err)
	}
	dir := filepath.Dir(path)
	for _, p := range []*string{&c.Bundle, &c.Source.Path, &c.Sensors.Root, &c.DecisionLog, &c.PredictionLog} {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	return c, nil
}

// ParseConfig reads a configuration over the defaults. Unknown and repeated
// fields and values that make no sense are errors with their line. On an error
// the Config is zero.
func ParseConfig(r io.Reader) (Config, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxConfigBytes+1))
	if err != nil {
		return Config{}, err
	}
	if len(text) > maxConfigBytes {
		return Config{}, fmt.Errorf("larger than %d bytes (is it a configuration?)", maxConfigBytes)
	}
	c := DefaultConfig()
	if err := decodeStrict(text, &c); err != nil {
		return Config{}, err
	}
	if bad := c.values(); bad != nil {
		return Config{}, fmt.Errorf("%s%w", lineOf(text, bad.field), bad)
	}
	return c, nil
}

// decodeStrict decodes YAML and returns an error of one line.
func decodeStrict(text []byte, into *Config) (err error) {
	defer func() {
		if r := recover(); r != nil { // the library is not ours
			err = fmt.Errorf("not valid YAML: %v", r)
		}
	}()
	file, err := parser.ParseBytes(text, 0)
	switch {
	case err != nil:
		return errors.New(oneLine(yaml.FormatError(err, false, false)))
	case len(file.Docs) > 1:
		return errors.New("holds more than one document (remove the --- lines)")
	case len(file.Docs) == 0 || file.Docs[0].Body == nil || file.Docs[0].Body.Type() == ast.CommentType:
		return nil // nothing to decode, which would clear the defaults
	}
	if err := yaml.UnmarshalWithOptions(text, into, yaml.Strict()); err != nil {
		return errors.New(oneLine(yaml.FormatError(err, false, false)))
	}
	return nil
}

// oneLine turns "[3:5] unknown field" into "line 3: unknown field" and drops what follows a line break.
func oneLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	if rest, ok := strings.CutPrefix(s, "["); ok {
		if at, message, ok := strings.Cut(rest, "] "); ok {
			line, _, _ := strings.Cut(at, ":")
			return "line " + line + ": " + message
		}
	}
	return s
}

// fieldError says what is wrong with one field; its name is a path in the file: "source.url".
type fieldError struct{ field, problem string }

func (e *fieldError) Error() string { return e.field + ": " + e.problem }

// lineOf returns "line N: " for a field of the file, or nothing where the file leaves it out.
func lineOf(text []byte, field string) string {
	file, err := parser.ParseBytes(text, 0)
	if err != nil || len(file.Docs) == 0 {
		return ""
	}
	node, line := file.Docs[0].Body, 0
	for name := range strings.SplitSeq(field, ".") {
		value := child(node, name)
		if value == nil {
			break
		}
		node, line = value.Value, value.Key.GetToken().Position.Line
	}
	if line == 0 {
		return ""
	}
	return "line " + strconv.Itoa(line) + ": "
}

func child(node ast.Node, name string) *ast.MappingValueNode {
	mapping, ok := node.(*ast.MappingNode)
	if !ok {
		return nil
	}
	for _, v := range mapping.Values {
		if v.Key.String() == name {
			return v
		}
	}
	return nil
}

// Check refuses a configuration that cannot run. Call it after the flags are merged in.
func (c Config) Check() error {
	if bad := c.values(); bad != nil {
		return fmt.Errorf("config: %w", bad)
	}
	if bad := c.complete(); bad != nil {
		return fmt.Errorf("config: %w", bad)
	}
	return nil
}

// complete finds what is missing.
func (c Config) complete() *fieldError {
	switch {
	case c.Bundle == "":
		return &fieldError{"bundle", "missing (give the folder of a converted family, or try fathomd --demo)"}
	case c.Source.Kind == SourceFolder && c.Source.Path == "":
		return &fieldError{"source.path", "missing (give the image folder)"}
	case c.Source.Kind == SourceMJPEG && c.Source.URL == "":
		return &fieldError{"source.url", "missing (give the stream, e.g. http://camera.local:8081/stream)"}
	}
	return nil
}

// values finds the first value that makes no sense by itself.
func (c Config) values() *fieldError {
	for _, check := range []func() *fieldError{c.server, c.source, c.rates, c.policy, c.sensors, c.simulation} {
		if bad := check(); bad != nil {
			return bad
		}
	}
	return nil
}

func (c Config) server() *fieldError {
	_, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return &fieldError{"listen", fmt.Sprintf("%q is not host:port (e.g. 127.0.0.1:8080)", c.Listen)}
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return &fieldError{"listen", fmt.Sprintf("port %q is not a number from 0 to 65535", port)}
	}
	return nil
}

func (c Config) source() *fieldError {
	s := c.Source
	switch {
	case !slices.Contains([]string{SourceFolder, SourceMJPEG, SourceSynthetic}, s.Kind):
		return oneOf("source.kind", s.Kind, SourceFolder, SourceMJPEG, SourceSynthetic)
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
	for _, b := range c.Sensors.Batteries {
		if err := b.Validate(); err != nil {
			return &fieldError{"sensors.batteries", strings.TrimPrefix(err.Error(), "battery: ")}
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

// within is false for NaN.
func within(v, low, high float64) bool { return v >= low && v <= high && !math.IsNaN(v) }

func outside(field string, v, low, high float64) *fieldError {
	return &fieldError{field, fmt.Sprintf("%v is outside of %v to %v", v, low, high)}
}

func negative(field string) *fieldError { return &fieldError{field, "must not be negative"} }

func oneOf(field, got string, want ...string) *fieldError {
	return &fieldError{field, fmt.Sprintf("%q is none of %s", got, strings.Join(want, ", "))}
}
