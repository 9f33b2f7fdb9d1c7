package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/boards/battery"
	"github.com/fathom-edge/fathom/governor"
)

func TestParseConfig(t *testing.T) {
	with := func(change func(*Config)) Config {
		c := DefaultConfig()
		change(&c)
		return c
	}
	for name, test := range map[string]struct {
		text string
		want Config
	}{
		"empty":    {"", DefaultConfig()},
		"comments": {"# nothing\n", DefaultConfig()},
		"folder": {
			"bundle: b\nsource:\n  kind: folder\n  path: pictures\n  loop: true\n",
			with(func(c *Config) {
				c.Bundle, c.Source.Kind, c.Source.Path, c.Source.Loop = "b", SourceFolder, "pictures", true
			}),
		},
		"durations and simulation": {
			"smoothing: 0s\nstale_after: 1m\nsimulate: {board: pi4-bare, acceleration: 10, utilisation: 0.5}\n",
			with(func(c *Config) {
				c.Smoothing, c.StaleAfter = 0, Duration(time.Minute)
				c.Simulate = &Simulate{Board: "pi4-bare", Acceleration: 10, Utilisation: 0.5}
			}),
		},
		"batteries": {
			"sensors:\n  batteries:\n    - {device: ina219, bus: 1, address: 0x41, shunt_ohms: 0.1, cells: 2, capacity_ah: 3}\n    - device: pipower\n",
			with(func(c *Config) {
				c.Sensors.Batteries = []battery.Config{
					{Device: "ina219", Bus: new(1), Address: 0x41, ShuntOhms: 0.1, Cells: 2, CapacityAh: 3}, {Device: "pipower"},
				}
			}),
		},
		"keys without a value keep their defaults": {"source:\n  kind:\nlisten:\npolicy: ~\n", DefaultConfig()},
		"anchors": {
			"source: {width: &w 640, height: *w}\n",
			with(func(c *Config) { c.Source.Width, c.Source.Height = 640, 640 }),
		},
		"fixed policy": {
			"policy: {kind: fixed, variant: a-1-1-1}\n",
			with(func(c *Config) { c.Policy = governor.Spec{Name: governor.FixedName, Variant: "a-1-1-1"} }),
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseConfig(strings.NewReader(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestParseConfigRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"bundel: x\n":                               `line 1:1: unknown field "bundel" (did you mean bundle?)`,
		"source:\n  - x\n":                          "line 2:",
		"source:\n  heigth: 3\n":                    `line 2:3: source: unknown field "heigth" (did you mean height?)`,
		"ceiling_celsius: 60\n":                     `line 1:1: unknown field "ceiling_celsius" (did you mean objectives.ceiling_celsius?)`,
		"tls: {zzzzzz: 1}\n":                        `line 1:7: tls: unknown field "zzzzzz" (known here: certificate, key)`,
		"bundel: x\nthread: 2\n":                    "; and 1 more (fathomd check-config lists them)",
		"listen: :1\nlisten: :2\n":                  "line 2:1: ",
		"bundle: [\n":                               "line 1:",
		"bundle: a\n---\nbundle: b\n":               "more than one document",
		"threads: many\n":                           "line 1:10: ",
		"\nsmoothing: 5\n":                          "not a duration",
		"bundle: b\nlisten: nowhere\n":              `line 2:1: listen: "nowhere" is not host:port`,
		"listen: localhost:http\n":                  "line 1:1: listen: port",
		"tls: {key: k.pem}\n":                       "line 1:1: tls.certificate: missing",
		"source:\n  kind: webcam\n":                 `line 2:3: source.kind: "webcam" is none of`,
		"source:\n  url: rtsp://x/\n":               "line 2:3: source.url: not an http",
		"source:\n  fps: 1000\n":                    "line 2:3: source.fps: 1000 is outside",
		"source: {width: 1}\n":                      "line 1:10: source.width",
		"sensors:\n  batteries: [{device: ina219}]": "line 2:15: sensors.batteries[0]: device ina219: bus: missing",
		"sensors: {batteries: [{shunt: 1}]}\n":      "line 1:24: sensors.batteries[0]: unknown field",
		"source: {height: 99999}\n":                 "line 1:10: source.height",
		"source: {hold: -1s}\n":                     "line 1:10: source.hold: must not be negative",
		"target_rate: 0\n":                          "line 1:1: target_rate: 0 is outside",
		"target_rate: .nan\n":                       "target_rate: NaN is outside",
		"threads: 0\n":                              "threads: 0 is outside",
		"smoothing: -1s\n":                          "smoothing: must not be negative",
		"stale_after: 0s\n":                         "stale_after: must be longer",
		"policy: {kind: magic}\n":                   "policy.kind",
		"policy: {variant: x}\n":                    "policy.variant: only the policy fixed",
		"policy:\n  kind: step-wise\n  step_wise: {band_kelvin: 0.1}":                       "line 3:3: policy.step_wise: band 0.1 K",
		"objectives: {ceiling_celsius: 500}\n":                                              "objectives.ceiling_celsius",
		"objectives: {min_charge_percent: 101}\n":                                           "objectives.min_charge_percent",
		"simulate: {board: toaster}\n":                                                      `simulate.board: "toaster" is none of`,
		"simulate: {board: pi4-bare, acceleration: 0, utilisation: 0.5}\n":                  "simulate.acceleration",
		"simulate: {board: pi4-bare, acceleration: 10, utilisation: 1.5}\n":                 "simulate.utilisation",
		"simulate: {board: pi4-bare, acceleration: 10, utilisation: 0.5, sun_kelvin: -1}\n": "simulate.sun_kelvin",
		"simulate: {board: pi4-bare, acceleration: 10, utilisation: 0.5, sun_kelvin: 5}\n":  "simulate.sun_period",
	} {
		c, err := ParseConfig(strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: error %q, want one line with %q", text, err, want)
		}
		if diff := cmp.Diff(Config{}, c); diff != "" {
			t.Errorf("%q: a configuration beside the error:\n%s", text, diff)
		}
	}
}

func TestCheckWantsWhatTheSourceNeeds(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"bundle: missing":      func(c *Config) { c.Bundle = "" },
		"source.path: missing": func(c *Config) { c.Source.Kind = SourceFolder },
		"source.url: missing":  func(c *Config) { c.Source.Kind = SourceMJPEG },
		"listen: ":             func(c *Config) { c.Listen = "x" },
	} {
		c := DefaultConfig()
		c.Bundle = "b"
		if err := c.Check(); err != nil {
			t.Fatal(err)
		}
		change(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func TestLoadConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fathomd.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("bundle: ../b\ndecision_log: /var/log/x\nthreads: 99\nsource: {fps: 3}\n")
	c, err := LoadConfig(path, []string{"HOME=/x", "FATHOM_THREADS=2", "FATHOM_SOURCE_KIND=folder", "FATHOM_SMOOTHING=1s",
		"FATHOM_ALLOWED_HOSTS=[a, b]", "FATHOM_SIMULATE_BOARD=pi4-bare", "FATHOM_SIMULATE_ACCELERATION=2", "FATHOM_SIMULATE_UTILISATION=.5",
		"FATHOM_TOKEN=secret", "FATHOM_OBJECTIVES_BATTERY_UNTIL=06:30"})
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultConfig()
	want.Bundle = filepath.Join(filepath.Dir(filepath.Dir(path)), "b")
	want.DecisionLog, want.Threads, want.Smoothing = "/var/log/x", 2, Duration(time.Second)
	want.Source.FPS, want.Source.Kind = 3, SourceFolder
	want.AllowedHosts = []string{"a", "b"}
	want.Simulate = &Simulate{Board: "pi4-bare", Acceleration: 2, Utilisation: 0.5}
	want.Objectives.Battery.Until = governor.ClockAt(6, 30)
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if c, err := LoadConfig("", []string{"FATHOM_LISTEN=:0"}); err != nil || c.Listen != ":0" {
		t.Errorf("without a file: %q, %v", c.Listen, err)
	}
	if _, err := LoadConfig(path+"x", nil); err == nil || !strings.Contains(err.Error(), path+"x") {
		t.Errorf("missing file: %v", err)
	}
	for _, test := range []struct {
		text, variable, want string
	}{
		{"a: b\n", "", `fathomd.yaml:1:1: unknown field "a"`},
		{"", "FATHOM_TRESHOLD=1", "config: environment variable FATHOM_TRESHOLD: no field"},
		{"", "FATHOM_TARGETRATE=1", "did you mean FATHOM_TARGET_RATE?"},
		{"threads: 1\n", "FATHOM_THREADS=many", `config: environment variable FATHOM_THREADS: threads: "many": `},
		{"threads: 1\n", "FATHOM_THREADS=0", `config: environment variable FATHOM_THREADS: threads: 0 is outside of 1 to 64`},
		{"threads: 0\n", "FATHOM_LISTEN=:1", `fathomd.yaml:1:1: threads: 0 is outside of 1 to 64`},
	} {
		write(test.text)
		c, err := LoadConfig(path, []string{test.variable})
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q, %s: %v", test.text, test.variable, err)
		}
		if diff := cmp.Diff(Config{}, c); diff != "" {
			t.Errorf("a configuration beside the error:\n%s", diff)
		}
	}
}

// Every field must be within reach of a variable of its own.
func TestVariablesAreUnique(t *testing.T) {
	seen := map[string]string{}
	for _, f := range Fields() {
		if other, twice := seen[f.Variable()]; twice || f.Variable() == TokenVariable {
			t.Errorf("%s: both %s and %s", f.Variable(), other, f.Path)
		}
		seen[f.Variable()] = f.Path
	}
}

func TestChanged(t *testing.T) {
	a, b := DefaultConfig(), DefaultConfig()
	b.Threads, b.Source.URL, b.Objectives.CeilingCelsius = 2, "http://x/", 60
	b.Simulate = &Simulate{Board: "pi4-bare"}
	got := map[string]bool{}
	for _, f := range Changed(a, b) {
		got[f.Path] = f.Restart
	}
	want := map[string]bool{"threads": true, "source.url": true, "objectives.ceiling_celsius": false,
		"simulate.board": true, "simulate.acceleration": true, "simulate.utilisation": true, "simulate.sun_kelvin": true, "simulate.sun_period": true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestDemoConfigIsFine(t *testing.T) {
	c, err := LoadConfig("../testdata/demo/fathomd.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join("..", "testdata", "bundles", "demo"); c.Bundle != want {
		t.Errorf("bundle %s, want %s", c.Bundle, want)
	}
}

func FuzzParseConfig(f *testing.F) {
	demo, err := os.ReadFile("../testdata/demo/fathomd.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(demo))
	f.Add("source: {kind: mjpeg, url: http://c/}\nsmoothing: 1s\n")
	f.Add("a: &x [*x]\n<<: *x")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseConfig(strings.NewReader(text))
		if err == nil {
			if bad := c.values(); len(bad) > 0 {
				t.Errorf("accepted, but %v", bad)
			}
			return
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("error of several lines: %q", err)
		}
		if diff := cmp.Diff(Config{}, c); diff != "" {
			t.Errorf("a configuration beside the error:\n%s", diff)
		}
	})
}
