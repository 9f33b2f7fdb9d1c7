package daemon

import (
	"fmt"
	"time"

	"github.com/fathom-edge/fathom/boards/battery"
	"github.com/fathom-edge/fathom/daemon/events"
	"github.com/fathom-edge/fathom/daemon/journal"
	"github.com/fathom-edge/fathom/daemon/mqtt"
	"github.com/fathom-edge/fathom/daemon/scene"
	"github.com/fathom-edge/fathom/daemon/snapshots"
	"github.com/fathom-edge/fathom/daemon/webhook"
	"github.com/fathom-edge/fathom/governor"
	"github.com/fathom-edge/fathom/runtime/bundle"
)

// Config is the content of fathomd.yaml. Every field may be left out; the
// defaults are those of DefaultConfig. docs/configuration.md is generated from
// these comments, which speak to users. A field with the tag reload:"restart"
// takes effect at the next start only, all others when the file is read again.
type Config struct {
	// Folder of the converted family. Relative paths in the file start from the file's folder.
	Bundle string `yaml:"bundle" reload:"restart"`
	// Public keys (RW..., or files that hold one), with one of which the bundle must be signed; see verify.md. None by default.
	RequireSignature []string `yaml:"require_signature" reload:"restart"`
	// Load a bundle that was not seen before in a process of its own first, so that a file which crashes TensorFlow Lite is
	// told and not run; see verify.md.
	Probe bool `yaml:"probe" reload:"restart"`
	// Folder for what is remembered from one start to the next; systemd's state directory by default.
	StateDir string `yaml:"state_dir" reload:"restart"`
	// Costs of the variants, as fathom bench -o wrote them on this board; profile.json in state_dir by default, if it is there.
	Profile string `yaml:"profile" reload:"restart"`
	// Address of the page, host:port. Port 0 takes any free one. Any other than a loopback address needs a token.
	Listen string `yaml:"listen" reload:"restart"`
	// Further host names by which the page may be asked for: those of a reverse proxy, or of the local network's DNS. Needs a token.
	AllowedHosts []string `yaml:"allowed_hosts" reload:"restart"`
	// File with the token of the page, mode 0600; fathomd token writes one. Without a token nothing can be changed from the page.
	TokenFile string `yaml:"token_file" reload:"restart"`
	TLS       TLS    `yaml:"tls" reload:"restart"`
	Source    Source `yaml:"source" reload:"restart"`
	// Frames classified in a second while the board can afford it; objectives.fps says the same.
	TargetRate float64 `yaml:"target_rate"`
	// Threads of one inference.
	Threads int `yaml:"threads" reload:"restart"`
	// Answer a frame shallower than chosen where it would take longer than objectives.deadline; needs measured costs (see profile and engine.md).
	KeepDeadline bool `yaml:"keep_deadline" reload:"restart"`
	// auto or off. With auto, frames whose answer is in doubt are run on at a deeper variant as far as the budget goes, rather than
	// running that variant for part of the time, if fathom eval --escalation calibrated the bundle for it (see engine.md).
	Escalation string `yaml:"escalation" reload:"restart"`
	// Time constant over which probabilities are averaged; 0s for none. A new scene starts anew.
	Smoothing  Duration            `yaml:"smoothing"`
	Policy     governor.Spec       `yaml:"policy"`
	Objectives governor.Objectives `yaml:"objectives"`
	Sensors    Sensors             `yaml:"sensors" reload:"restart"`
	Simulate   *Simulate           `yaml:"simulate" reload:"restart"`
	// File to which each decision is appended with all that led to it, one JSON object a line; none by default.
	DecisionLog string `yaml:"decision_log" reload:"restart"`
	// File to which what every frame was taken for is appended, unsmoothed, one JSON object a line; none by default.
	PredictionLog string `yaml:"prediction_log" reload:"restart"`
	// Parts of the picture that are classified in turn, each by itself, at most 8; the whole picture by default.
	Regions []scene.Region     `yaml:"regions" reload:"restart"`
	Motion  scene.MotionConfig `yaml:"motion" reload:"restart"`
	Events  events.Config      `yaml:"events"`
	// File to which each event is appended, one JSON object a line; - for standard output; none by default.
	EventLog  string           `yaml:"event_log" reload:"restart"`
	Snapshots snapshots.Config `yaml:"snapshots"`
	Webhook   webhook.Config   `yaml:"webhook"`
	MQTT      mqtt.Config      `yaml:"mqtt"`
	// Logs bounds each of decision_log, prediction_log and event_log.
	Logs journal.Config `yaml:"logs" reload:"restart"`
	// How long no frame may have been classified before /healthz answers 503.
	StaleAfter Duration `yaml:"stale_after"`
}

// paths are the fields that name files.
func (c *Config) paths() []*string {
	list := []*string{&c.Bundle, &c.StateDir, &c.Profile, &c.TokenFile, &c.TLS.Certificate, &c.TLS.Key, &c.Source.Path, &c.Sensors.Root,
		&c.DecisionLog, &c.PredictionLog, &c.Snapshots.Folder, &c.Webhook.SecretFile, &c.MQTT.PasswordFile, &c.MQTT.CAFile,
		&c.MQTT.CertFile, &c.MQTT.KeyFile}
	if c.EventLog != standardOutput {
		list = append(list, &c.EventLog)
	}
	for i, k := range c.RequireSignature {
		if _, isKey := bundle.ParsePublicKey(k); !isKey {
			list = append(list, &c.RequireSignature[i])
		}
	}
	return list
}

// TLS encrypts the page. Both files or none; fathomd init --tls writes a pair.
type TLS struct {
	// Certificate with its chain, PEM.
	Certificate string `yaml:"certificate"`
	// Key of the certificate, PEM, mode 0600.
	Key string `yaml:"key"`
}

// The kinds of frame sources.
const (
	SourceCamera    = "camera"
	SourceFolder    = "folder"
	SourceMJPEG     = "mjpeg"
	SourceSynthetic = "synthetic"
)

// Source says where frames come from.
type Source struct {
	// camera, folder, mjpeg or synthetic.
	Kind string `yaml:"kind"`
	// Address of camera: v4l2:/dev/video0, rpicam:, csi:0, rtsp://HOST/PATH, http://HOST/PATH, command:PROGRAM, a video file; see fathomd.md.
	Address string `yaml:"address"`
	// Image folder of folder: PNG and JPEG; a subfolder named like a label tells the truth.
	Path string `yaml:"path"`
	// Begin a folder or a video file again instead of ending.
	Loop bool `yaml:"loop"`
	// Stream of mjpeg, http or https.
	URL string `yaml:"url"`
	// Frame rate of camera and synthetic (0: 15) and folder (0: every picture in its turn).
	FPS float64 `yaml:"fps"`
	// Picture of synthetic, pixels.
	Width  int `yaml:"width"`
	Height int `yaml:"height"`
	// How long synthetic shows one glyph.
	Hold Duration `yaml:"hold"`
	// Which scenes synthetic shows.
	Seed uint64 `yaml:"seed"`
}

// Sensors says where the board's sensors are.
type Sensors struct {
	// Folder that holds sys and proc; another one than / shows what a board would read like.
	Root string `yaml:"root"`
	// Batteries, gauges and power boards on I²C and GPIO lines that no kernel driver serves, e.g. [{device: max17048, bus: 1}]; see boards.md.
	Batteries []battery.Config `yaml:"batteries"`
}

// Simulate replaces the board's sensors by a simulated board. Absent, the real ones are read; where it is present, board,
// acceleration and utilisation are required.
type Simulate struct {
	// A board of simulate.md, e.g. pi4-closed-case.
	Board string `yaml:"board"`
	// Simulated seconds in a real one, 1 to 1000.
	Acceleration float64 `yaml:"acceleration"`
	// Share of the simulated processor that the deepest variant takes at the target rate, more than 0 to 1. It sets how many
	// simulated milliseconds one real millisecond of inference counts for.
	Utilisation float64 `yaml:"utilisation"`
	// By how much simulated sun warms and shade cools the board, as a sine, 0 to 30.
	SunKelvin float64 `yaml:"sun_kelvin"`
	// Simulated time from one midday to the next, at least 1m.
	SunPeriod Duration `yaml:"sun_period"`
}

// Duration is a time.Duration that YAML writes with a unit: "200ms", "3s".
type Duration time.Duration

// UnmarshalYAML accepts a string with a unit and the number 0.
func (d *Duration) UnmarshalYAML(unmarshal func(any) error) error {
	var s string
	if err := unmarshal(&s); err != nil {
		return err
	}
	v, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf("%q is not a duration (write a number and a unit: 200ms, 3s, 1m)", s)
	}
	*d = Duration(v)
	return nil
}

const defaultTargetRate = 5

// standardOutput stands for it in Config.EventLog.
const standardOutput = "-"

// DefaultConfig returns the configuration of an empty file. It is not complete: it names no bundle.
func DefaultConfig() Config {
	return Config{
		Listen: "127.0.0.1:8080",
		Probe:  true,
		Source: Source{
			Kind:  SourceSynthetic,
			Width: 320, Height: 240,
			Hold: Duration(3 * time.Second),
			Seed: 1,
		},
		TargetRate: defaultTargetRate,
		Threads:    1,
		Escalation: escalationAuto,
		Smoothing:  Duration(600 * time.Millisecond),
		Policy:     governor.Spec{Name: governor.PredictiveName},
		Sensors:    Sensors{Root: "/"},
		Motion:     scene.DefaultMotion(),
		Events:     events.DefaultConfig(),
		Snapshots:  snapshots.DefaultConfig(),
		Webhook:    webhook.DefaultConfig(),
		MQTT:       mqtt.DefaultConfig(),
		Logs:       journal.DefaultConfig(),
		StaleAfter: Duration(10 * time.Second),
	}
}

// FramePeriod is the time between two frames at the wanted rate.
func (c Config) FramePeriod() time.Duration { return c.GovernorObjectives().FramePeriod() }

// GovernorObjectives are the objectives, complete with the target rate.
func (c Config) GovernorObjectives() governor.Objectives {
	o := c.Objectives
	if o.FPS == 0 {
		o.FPS = c.TargetRate
	}
	return o
}
