package train

import (
	"bytes"
	"fmt"
	"os"

	"github.com/goccy/go-yaml"
)

// Config is a whole training run. demo.yaml documents every field in place.
type Config struct {
	// Name of the family.
	Name string `yaml:"name"`
	// Seed of the initial weights. Training images are always samples 0, 1, 2, ... of the training split.
	Seed uint64 `yaml:"seed"`
	Net  Net    `yaml:"net"`
	// Loss weighs the terms of the objective.
	Loss Loss `yaml:"loss"`
	// Optimizer is AdamW with linear warm-up and a cosine schedule.
	Optimizer Optimizer `yaml:"optimizer"`
	// Batch is the number of images of one step, Steps the number of steps.
	Batch int  `yaml:"batch"`
	Steps int  `yaml:"steps"`
	Eval  Eval `yaml:"eval"`
	// CheckpointEvery is the number of steps between two checkpoints.
	CheckpointEvery int `yaml:"checkpoint_every"`
}

// Net describes the shape that the Leader and both Teammates share, and how deep each is.
type Net struct {
	// Stem is the number of channels after the first convolution (stride 2).
	Stem int `yaml:"stem"`
	// Channels of each stage. Stages after the first begin with a transition of stride 2. A first stage of another width
	// than the stem begins with a transition of stride 1.
	Channels []int `yaml:"channels"`
	// Leader is the depth of the Leader net.
	Leader Depth `yaml:"leader"`
	// A and B are the depths of the Teammates, deepest first; the deepest is the Teammate, the others its sub-networks.
	A []Depth `yaml:"a"`
	B []Depth `yaml:"b"`
}

// Loss weighs the terms of the objective; see [Objective].
type Loss struct {
	Temperature  float64 `yaml:"temperature"`
	CE           float64 `yaml:"ce"`
	SubCE        float64 `yaml:"sub_ce"`
	FromLeader   float64 `yaml:"from_leader"`
	FromMate     float64 `yaml:"from_mate"`
	FromTeammate float64 `yaml:"from_teammate"`
}

// Optimizer is AdamW.
type Optimizer struct {
	LearningRate float64 `yaml:"learning_rate"`
	WeightDecay  float64 `yaml:"weight_decay"`
	// Warmup is the number of steps over which the learning rate rises from 0.
	Warmup int `yaml:"warmup"`
}

// Eval says how the run is measured on the way and at its end.
type Eval struct {
	// Every is the number of steps between two measurements with Samples images of the validation split.
	Every   int `yaml:"every"`
	Samples int `yaml:"samples"`
	// Final is the number of images of the validation and of the test split at the end.
	Final int `yaml:"final"`
	// Recalibrate is the number of training batches for normalization statistics re-estimated after training, which are
	// kept if they validate better. 0 keeps the running averages.
	Recalibrate int `yaml:"recalibrate"`
}

// LoadConfig reads and checks a YAML file. Errors name the line.
func LoadConfig(path string) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	c, err := ParseConfig(data)
	if err != nil {
		return nil, fmt.Errorf("train: %s: %w", path, err)
	}
	return c, nil
}

// ParseConfig reads and checks YAML; unknown fields are errors.
func ParseConfig(data []byte) (*Config, error) {
	c := &Config{}
	if err := yaml.UnmarshalWithOptions(data, c, yaml.Strict()); err != nil {
		return nil, err
	}
	if field, err := c.check(); err != nil {
		return nil, locate(data, field, err)
	}
	return c, nil
}

// locate adds the line of a field such as $.net.stem to err.
func locate(data []byte, field string, err error) error {
	path, perr := yaml.PathString(field)
	if perr != nil {
		return fmt.Errorf("%s: %w", field, err)
	}
	file, perr := path.ReadNode(bytes.NewReader(data))
	if perr != nil || file == nil {
		return fmt.Errorf("%s is missing: %w", field[2:], err)
	}
	return fmt.Errorf("line %d: %s: %w", file.GetToken().Position.Line, field[2:], err)
}

// check returns the first field that is wrong.
func (c *Config) check() (field string, err error) {
	type rule struct {
		field string
		ok    bool
		want  string
	}
	rules := []rule{
		{"$.name", c.Name != "", "must not be empty"},
		{"$.batch", c.Batch >= 2 && c.Batch <= 4096, "must be 2 to 4096"},
		{"$.steps", c.Steps >= 1, "must be at least 1"},
		{"$.checkpoint_every", c.CheckpointEvery >= 1, "must be at least 1"},
		{"$.net.stem", goodChannels(c.Net.Stem), "must be a multiple of 16, up to 1024"},
		{"$.net.channels", len(c.Net.Channels) >= 1 && len(c.Net.Channels) <= 4, "must have 1 to 4 stages"},
		{"$.loss.temperature", c.Loss.Temperature > 0, "must be positive"},
		{"$.loss.ce", c.Loss.CE > 0, "must be positive"},
		{"$.loss.sub_ce", c.Loss.SubCE >= 0, "must not be negative"},
		{"$.loss.from_leader", c.Loss.FromLeader >= 0, "must not be negative"},
		{"$.loss.from_mate", c.Loss.FromMate >= 0, "must not be negative"},
		{"$.loss.from_teammate", c.Loss.FromTeammate >= 0, "must not be negative"},
		{"$.optimizer.learning_rate", c.Optimizer.LearningRate > 0, "must be positive"},
		{"$.optimizer.weight_decay", c.Optimizer.WeightDecay >= 0, "must not be negative"},
		{"$.optimizer.warmup", c.Optimizer.Warmup >= 0, "must not be negative"},
		{"$.eval.every", c.Eval.Every >= 1, "must be at least 1"},
		{"$.eval.samples", c.Eval.Samples >= 1, "must be at least 1"},
		{"$.eval.final", c.Eval.Final >= 1, "must be at least 1"},
		{"$.eval.recalibrate", c.Eval.Recalibrate >= 0, "must not be negative"},
	}
	for i, ch := range c.Net.Channels {
		rules = append(rules, rule{fmt.Sprintf("$.net.channels[%d]", i), goodChannels(ch), "must be a multiple of 16, up to 1024"})
	}
	rules = append(rules, rule{"$.net.leader", len(c.Net.Leader) == len(c.Net.Channels), "must name as many stages as channels"})
	for _, mate := range []struct {
		field  string
		depths []Depth
	}{{"$.net.a", c.Net.A}, {"$.net.b", c.Net.B}} {
		rules = append(rules, rule{mate.field, len(mate.depths) >= 1, "must have at least one depth"})
		for i, d := range mate.depths {
			field := fmt.Sprintf("%s[%d]", mate.field, i)
			rules = append(rules, rule{field, len(d) == len(c.Net.Channels), "must name as many stages as channels"})
			if i > 0 && len(d) == len(c.Net.Channels) {
				prev := mate.depths[i-1]
				rules = append(rules, rule{field, d.within(prev) && !d.equal(prev), "must be shallower than the depth before it"})
			}
		}
	}
	for _, r := range rules {
		if !r.ok {
			return r.field, fmt.Errorf("%s", r.want)
		}
	}
	return "", nil
}

// goodChannels: the kernels of the backend and of the boards work on 16 channels at a time.
func goodChannels(n int) bool { return n >= 16 && n <= 1024 && n%16 == 0 }
