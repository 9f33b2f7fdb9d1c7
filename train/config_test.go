package train

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/train/arch"
)

func TestDemoConfig(t *testing.T) {
	c, err := LoadConfig("demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := Net{Config: arch.Config{Kind: "resnet", Stem: 16, Channels: []int{16, 32, 64}}, Leader: Depth{5, 5, 5}, A: []Depth{{1, 1, 1}, {0, 0, 0}}, B: []Depth{{4, 4, 4}, {2, 2, 2}}}
	if diff := cmp.Diff(want, c.Net); diff != "" {
		t.Errorf("nets (-want +got):\n%s", diff)
	}
}

func TestConfigErrorsNameTheLine(t *testing.T) {
	data, err := os.ReadFile("demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	demo := string(data)
	for _, c := range []struct{ name, old, new, want string }{
		{"unknown field", "seed: 1", "sede: 1", `unknown field "sede"`},
		{"unknown field of the nets", "  stem: 16", "  stemm: 16", `unknown field "stemm"`},
		{"unknown field of a term", "from_mate: {weight: 0.5, temperature: 2}", "from_mate: {weight: 0.5, temp: 2}", `unknown field "temp"`},
		{"a word for a number", "batch: 64", "batch: many", "many"},
		{"a field given twice", "batch: 64", "seed: 2", "already defined"},
		{"normalization", "  stem: 16", "  norm: sharde\n  stem: 16", "net.norm: must be shared"},
		{"channels", "  stem: 16", "  stem: 20", "net.stem: must be a multiple of 8"},
		{"stage channels", "[16, 32, 64]", "[16, 32, 60]", "net.channels[2]: must be a multiple of 8"},
		{"depth text", "leader: 5-5-5", "leader: 5-x-5", `depth "5-x-5"`},
		{"depth stages", "leader: 5-5-5", "leader: 5-5", "net.leader: must name as many stages"},
		{"depth order", "a: [1-1-1, 0-0-0]", "a: [1-1-1, 0-3-0]", "net.a[1]: must be shallower"},
		{"temperature", "from_mate: {weight: 0.5, temperature: 2}", "from_mate: {weight: 0.5, temperature: 0}", "loss.from_mate.temperature: must be positive"},
		{"architecture", "arch: resnet", "arch: renset", "net.arch: is \"renset\", must be one of"},
		{"data", "kind: glyphs", "kind: glphs", "data.kind: must be"},
		{"missing", "name: glyphs\n", "\n", "name is missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseConfig([]byte(strings.Replace(demo, c.old, c.new, 1)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want an error with %q", err, c.want)
			}
			if c.name == "missing" {
				return
			}
			before, _, ok := strings.Cut(demo, c.old)
			if !ok {
				t.Fatalf("demo.yaml has no %q", c.old)
			}
			// Ours say "line 12:", those of the YAML library "[12:3]".
			n := strings.Count(before, "\n") + 1
			if !strings.Contains(err.Error(), fmt.Sprintf("line %d:", n)) && !strings.Contains(err.Error(), fmt.Sprintf("[%d:", n)) {
				t.Errorf("error does not name line %d: %v", n, err)
			}
		})
	}
}

func TestLearningRate(t *testing.T) {
	c := &Config{Steps: 110, Optimizer: Optimizer{LearningRate: 2, Warmup: 10}}
	for _, x := range []struct {
		step int
		want float64
	}{{0, 0.2}, {9, 2}, {10, 2}, {60, 1}, {110, 0}} {
		if got := c.LearningRate(x.step); got < x.want-1e-9 || got > x.want+1e-9 {
			t.Errorf("rate of step %d is %v, want %v", x.step, got, x.want)
		}
	}
}
