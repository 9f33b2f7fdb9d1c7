package daemon

import (
	"fmt"
	"time"

	"github.com/fathom-edge/fathom/boards/battery"
	"github.com/fathom-edge/fathom/governor"
)

// Config is the content of fathomd.yaml. Every field may be left out; the
// defaults are those of DefaultConfig. docs/fathomd.md documents it for users.
type Config struct {
	// Bundle is the folder of the converted family. Paths are relative to the configuration file.
	Bundle string `yaml:"bundle"`
	// Listen is the address of the page, host:port. Port 0 takes any free port.
	Listen string `yaml:"listen"`
	// AllowedHosts are further host names by which the page may be asked for (a reverse proxy's, say) while
	// it listens on a loopback address.
	AllowedHosts []string `yaml:"allowed_hosts"`
	Source       Source   `yaml:"source"`
	// TargetRate is how many frames are classified in a second while the board can
	// afford it; objectives.fps says the same.
	TargetRate float64 `yaml:"target_rate"`
	// Threads of one inference.
	Threads int `yaml:"threads"`
	// Smoothing is the time constant over which probabilities are averaged; 0 shows every frame for itself.
	Smoothing Duration `yaml:"smoothing"`
	// Policy chooses how the depth is decided, and Objectives are what the user wants of the board.
	Policy     governor.Spec       `yaml:"policy"`
	Objectives governor.Objectives `yaml:"objectives"`
	Sensors    Sensors             `yaml:"sensors"`
	// Simulate replaces the board's sensors by a simulated board; nil reads the real ones.
	Simulate *Simulate `yaml:"simulate"`
	// DecisionLog is a file to which every decision is appended, one JSON object a line; empty for none.
	DecisionLog string `yaml:"decision_log"`
	// PredictionLog is a file to which what every frame was taken for is appended, one JSON object a line; empty for none.
	PredictionLog string `yaml:"prediction_log"`
	// StaleAfter is how long no frame may have been classified before /healthz answers 503.
	StaleAfter Duration `yaml:"stale_after"`
}

// The kinds of frame sources.
const (
	SourceFolder    = "folder"
	SourceMJPEG     = "mjpeg"
	SourceSynthetic = "synthetic"
)

// Source says where frames come from.
type Source struct {
	Kind string `yaml:"kind"` // SourceFolder, SourceMJPEG or SourceSynthetic
	// Path is the image folder (kind folder).
	Path string `yaml:"path"`
	// Loop begins again at the first image instead of ending (kind folder).
	Loop bool `yaml:"loop"`
	// URL is the stream, http or https (kind mjpeg).
	URL string `yaml:"url"`
	// FPS is the camera's frame rate (kinds folder and synthetic). 0 shows a folder's pictures one by one, as
	// they are asked for, and takes 15 for the synthetic camera.
	FPS float64 `yaml:"fps"`
	// Width and Height of the picture in pixels (kind synthetic).
	Width  int `yaml:"width"`
	Height int `yaml:"height"`
	// Hold is how long one glyph stays (kind synthetic).
	Hold Duration `yaml:"hold"`
	// Seed chooses the scenes (kind synthetic).
	Seed uint64 `yaml:"seed"`
}

// Sensors says where the board's sensors are.
type Sensors struct {
	// Root is the folder that holds sys and proc; another one than / shows what a board would read like.
	Root string `yaml:"root"`
	// Batteries are devices on I²C and GPIO lines that no kernel driver serves; see docs/boards.md.
	Batteries []battery.Config `yaml:"batteries"`
}

// Simulate describes a simulated board.
type Simulate struct {
	// Board names the model; see SimulatedBoards.
	Board string `yaml:"board"`
	// Acceleration is how many simulated seconds pass in a real one.
	Acceleration float64 `yaml:"acceleration"`
	// Utilisation is the share of the simulated processor that the deepest variant takes at the target rate.
	// It sets how many simulated milliseconds one real millisecond of inference counts for.
	Utilisation float64 `yaml:"utilisation"`
	// SunKelvin is by how much simulated sunshine warms and shade cools the board, as a sine; 0 is an even climate.
	SunKelvin float64 `yaml:"sun_kelvin"`
	// SunPeriod is the simulated time from one midday to the next.
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

// DefaultConfig returns the configuration of an empty file. It is not complete: it names no bundle.
func DefaultConfig() Config {
	return Config{
		Listen: "127.0.0.1:8080",
		Source: Source{
			Kind:  SourceSynthetic,
			Width: 320, Height: 240,
			Hold: Duration(3 * time.Second),
			Seed: 1,
		},
		TargetRate: defaultTargetRate,
		Threads:    1,
		Smoothing:  Duration(600 * time.Millisecond),
		Policy:     governor.Spec{Name: governor.PredictiveName},
		Sensors:    Sensors{Root: "/"},
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
