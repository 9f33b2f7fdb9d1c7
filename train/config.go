package train

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/goccy/go-yaml"

	"github.com/fathom-edge/fathom/train/arch"
	"github.com/fathom-edge/fathom/train/dataset"
)

// Config is a whole training run. demo.yaml documents every field in place.
type Config struct {
	// Name of the family.
	Name string `yaml:"name"`
	// Seed of the initial weights, of the order of the images and of their augmentation.
	Seed uint64         `yaml:"seed"`
	Data dataset.Config `yaml:"data"`
	Net  Net            `yaml:"net"`
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
	arch.Config `yaml:",inline"`
	// Norm says which depths have normalization statistics in common; empty is shared.
	Norm Normalization `yaml:"norm,omitempty"`
	// Leader is the depth of the Leader net; empty is none.
	Leader Depth `yaml:"leader,omitempty"`
	// A and B are the depths of the Teammates, deepest first; the deepest is the Teammate, the others its sub-networks.
	// B may be empty.
	A []Depth `yaml:"a"`
	B []Depth `yaml:"b,omitempty"`
}

// Loss weighs the terms of the objective; see [Objective].
type Loss struct {
	CE           float64      `yaml:"ce"`
	SubCE        float64      `yaml:"sub_ce"`
	FromLeader   Distillation `yaml:"from_leader"`
	FromMate     Distillation `yaml:"from_mate"`
	FromTeammate Distillation `yaml:"from_teammate"`
	// DistillWarmup is the number of steps over which the weights of all distillation rise from 0.
	DistillWarmup int `yaml:"distill_warmup,omitempty"`
	// SubsPerStep is how many sub-networks of each Teammate a step trains, taking turns; 0 is all.
	SubsPerStep int `yaml:"subs_per_step,omitempty"`
}

// Distillation is the weight and the temperature of a term.
type Distillation struct {
	Weight      float64 `yaml:"weight"`
	Temperature float64 `yaml:"temperature"`
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
	// Final is the number of images of the validation and of the test split at the end, at most what a split has.
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

// rule is what a field must fulfil.
type rule struct {
	field string
	ok    bool
	want  string
}

// check returns the first field that is wrong.
func (c *Config) check() (field string, err error) {
	rules := []rule{
		{"$.name", c.Name != "", "must not be empty"},
		{"$.batch", c.Batch >= 2 && c.Batch <= 4096, "must be 2 to 4096"},
		{"$.steps", c.Steps >= 1, "must be at least 1"},
		{"$.checkpoint_every", c.CheckpointEvery >= 1, "must be at least 1"},
		{"$.loss.ce", c.Loss.CE > 0, "must be positive"},
		{"$.loss.sub_ce", c.Loss.SubCE >= 0, "must not be negative"},
		{"$.loss.distill_warmup", c.Loss.DistillWarmup >= 0, "must not be negative"},
		{"$.loss.subs_per_step", c.Loss.SubsPerStep >= 0, "must not be negative"},
		{"$.optimizer.learning_rate", c.Optimizer.LearningRate > 0, "must be positive"},
		{"$.optimizer.weight_decay", c.Optimizer.WeightDecay >= 0, "must not be negative"},
		{"$.optimizer.warmup", c.Optimizer.Warmup >= 0, "must not be negative"},
		{"$.eval.every", c.Eval.Every >= 1, "must be at least 1"},
		{"$.eval.samples", c.Eval.Samples >= 1, "must be at least 1"},
		{"$.eval.final", c.Eval.Final >= 1, "must be at least 1"},
		{"$.eval.recalibrate", c.Eval.Recalibrate >= 0, "must not be negative"},
	}
	for _, d := range []struct {
		field string
		Distillation
	}{{"from_leader", c.Loss.FromLeader}, {"from_mate", c.Loss.FromMate}, {"from_teammate", c.Loss.FromTeammate}} {
		rules = append(rules, rule{"$.loss." + d.field + ".weight", d.Weight >= 0, "must not be negative"},
			rule{"$.loss." + d.field + ".temperature", d.Temperature > 0 || d.Distillation == Distillation{}, "must be positive"})
	}
	for _, r := range append(rules, c.Net.rules()...) {
		if !r.ok {
			return r.field, fmt.Errorf("%s", r.want)
		}
	}
	if field, err := c.Data.Check(); err != nil {
		return "$.data." + field, err
	}
	var wrong *arch.FieldError
	if _, err := arch.New(c.Net.Config); errors.As(err, &wrong) {
		return "$.net." + wrong.Field, errors.New(wrong.Want)
	}
	return "", nil
}

func (n *Net) rules() []rule {
	rules := []rule{
		{"$.net.norm", slices.Contains([]Normalization{"", Shared, PerDepth, PerStage}, n.Norm), "must be shared, per-depth or per-stage"},
		{"$.net.leader", n.Leader == nil || len(n.Leader) == len(n.Channels), "must name as many stages as channels"},
		{"$.net.a", len(n.A) >= 1, "must have at least one depth"},
	}
	for _, mate := range []struct {
		field  string
		depths []Depth
	}{{"$.net.a", n.A}, {"$.net.b", n.B}} {
		for i, d := range mate.depths {
			field := fmt.Sprintf("%s[%d]", mate.field, i)
			rules = append(rules, rule{field, len(d) == len(n.Channels), "must name as many stages as channels"})
			if i > 0 && len(d) == len(n.Channels) {
				prev := mate.depths[i-1]
				rules = append(rules, rule{field, d.Within(prev) && !d.equal(prev), "must be shallower than the depth before it"})
			}
		}
	}
	return rules
}
