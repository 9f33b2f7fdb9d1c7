package events

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func tracker(t *testing.T, change func(*Config)) *Tracker {
	t.Helper()
	c := DefaultConfig()
	change(&c)
	var ids IDs
	tr, err := NewTracker(c, []string{"cat", "dog", "empty"}, "lawn", ids.New)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// said is an event in short.
type said struct {
	At    float64 // seconds after noon
	Kind  Kind
	Class string
	Peak  float64
	Long  float64
}

// feed gives frames at 5 per second; each step holds its probability of a cat for some seconds.
func feed(t *Tracker, steps ...[2]float64) []said {
	var list []said
	at := noon
	for _, s := range steps {
		for range int(math.Round(s[1] * 5)) {
			for _, e := range t.Add(at, "a", []float64{s[0], 0, 1 - s[0]}) {
				list = append(list, said{e.Time.Sub(noon).Seconds(), e.Kind, e.Class, e.Peak, e.Seconds})
			}
			at = at.Add(200 * time.Millisecond)
		}
	}
	return list
}

func TestHysteresis(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Config)
		steps  [][2]float64
		want   []said
	}{
		"a class comes and goes": {
			nil, [][2]float64{{0.1, 1}, {0.8, 1}, {0.9, 1}, {0.1, 4}},
			[]said{{1.4, Appeared, "cat", 0.8, 0}, {6, Gone, "cat", 0.9, 4.6}}},
		"one frame is nothing": {nil, [][2]float64{{0.1, 1}, {0.99, 0.2}, {0.1, 1}}, nil},
		"a single frame without a wait": {
			func(c *Config) { c.AppearAfter, c.GoneAfter = 0, 0 }, [][2]float64{{0.99, 0.2}, {0.1, 1}},
			[]said{{0, Appeared, "cat", 0.99, 0}, {0.2, Gone, "cat", 0.99, 0.2}}},
		"wavering between the thresholds": {
			nil, [][2]float64{{0.8, 1}, {0.5, 5}, {0.69, 5}, {0.41, 5}}, []said{{0.4, Appeared, "cat", 0.8, 0}}},
		"not quite is never": {nil, [][2]float64{{0.69, 60}}, nil},
		"a short dip":        {nil, [][2]float64{{0.8, 1}, {0, 2.8}, {0.8, 1}, {0, 2.8}}, []said{{0.4, Appeared, "cat", 0.8, 0}}},
		"it stays": {
			func(c *Config) { c.PresentEvery = 2 * time.Second }, [][2]float64{{0.8, 5}},
			[]said{{0.4, Appeared, "cat", 0.8, 0}, {2.4, Present, "cat", 0.8, 2}, {4.4, Present, "cat", 0.8, 4}}},
		"ignored":      {func(c *Config) { c.Ignore = []string{"cat"} }, [][2]float64{{0.8, 5}}, nil},
		"another only": {func(c *Config) { c.Only = []string{"dog"} }, [][2]float64{{0.8, 5}}, nil},
		"thresholds of its own": {
			func(c *Config) { c.Classes = map[string]Thresholds{"cat": {Enter: 0.2, Leave: 0.15}} }, [][2]float64{{0.3, 1}, {0.16, 5}},
			[]said{{0.4, Appeared, "cat", 0.3, 0}}},
		"a lower enter pulls leave down": {
			func(c *Config) { c.Classes = map[string]Thresholds{"cat": {Enter: 0.2}} }, [][2]float64{{0.3, 1}, {0.2, 5}, {0.1, 4}},
			[]said{{0.4, Appeared, "cat", 0.3, 0}, {9, Gone, "cat", 0.3, 8.6}}},
	} {
		tr := tracker(t, func(c *Config) {
			c.Ignore = []string{"empty"}
			if tt.change != nil {
				tt.change(c)
			}
			if len(c.Only) == 0 && !strings.Contains(strings.Join(c.Ignore, ""), "empty") {
				c.Ignore = append(c.Ignore, "empty")
			}
		})
		if diff := cmp.Diff(tt.want, feed(tr, tt.steps...), rounded); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

var rounded = cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-6 })

func TestEventIsWhole(t *testing.T) {
	tr := tracker(t, func(c *Config) { c.AppearAfter = 0 })
	got := tr.Add(noon, "b-2", []float64{0.9, 0.1, 0})
	want := []Event{{ID: "20260501T120000.000Z-1", Kind: Appeared, Time: noon, Class: "cat", Region: "lawn", Confidence: 0.9, Peak: 0.9, Variant: "b-2"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"cat"}, tr.Present()); diff != "" {
		t.Error(diff)
	}
}

// A camera that is away ends what was there; skipped frames do not.
func TestBlindness(t *testing.T) {
	tr := tracker(t, func(c *Config) { c.AppearAfter = 0 })
	if n := len(tr.Add(noon, "a", []float64{0.9, 0, 0})); n != 1 {
		t.Fatalf("%d events", n)
	}
	for s := 10; s <= 300; s += 10 {
		tr.Unchanged(noon.Add(time.Duration(s) * time.Second))
		if got := tr.Tick(noon.Add(time.Duration(s) * time.Second)); got != nil {
			t.Fatalf("after %d s of gated frames: %v", s, got)
		}
	}
	if got := tr.Tick(noon.Add(330 * time.Second)); got != nil {
		t.Errorf("too early: %v", got)
	}
	got := tr.Tick(noon.Add(331 * time.Second))
	if len(got) != 1 || got[0].Kind != Gone || got[0].Cause != "no frame for 31s" || got[0].ID != "20260501T120000.000Z-1" {
		t.Errorf("%+v", got)
	}
	if again := tr.Tick(noon.Add(time.Hour)); again != nil {
		t.Errorf("told twice: %v", again)
	}
	// Without Tick in between, the next frame says it, and begins anew.
	tr.Add(noon.Add(2*time.Hour), "a", []float64{0.9, 0, 0})
	both := tr.Add(noon.Add(3*time.Hour), "a", []float64{0.9, 0, 0})
	if len(both) != 2 || both[0].Kind != Gone || both[1].Kind != Appeared || both[0].ID == both[1].ID {
		t.Errorf("%+v", both)
	}
}

// Whatever the probabilities are, each appearance has one end, in order, and a class is never told twice to appear.
func TestEventsAlternate(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	tr := tracker(t, func(c *Config) { c.PresentEvery = 3 * time.Second })
	open, at := map[string]string{}, noon
	for range 50000 {
		p := []float64{r.Float64(), r.Float64(), r.Float64()}
		if r.IntN(50) == 0 {
			p[r.IntN(3)] = math.NaN()
		}
		at = at.Add(time.Duration(r.IntN(900)-50) * time.Millisecond) // sometimes backwards
		if r.IntN(2000) == 0 {
			at = at.Add(time.Minute)
		}
		for _, e := range tr.Add(at, "a", p) {
			switch id := open[e.Class]; {
			case e.Kind == Appeared && id != "", e.Kind != Appeared && id != e.ID:
				t.Fatalf("%+v while %q is open", e, id)
			case e.Kind == Appeared:
				open[e.Class] = e.ID
			case e.Kind == Gone:
				delete(open, e.Class)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"enter: 0: ": func(c *Config) { c.Enter = 0 },
		"enter: NaN": func(c *Config) { c.Enter = math.NaN() },
		"leave: 0.8: want 0 up to enter": func(c *Config) {
			c.Leave = 0.8
			c.Enter = 0.8
			c.Classes = map[string]Thresholds{"cat": {Enter: 0.7, Leave: 0.8}}
		},
		"gone_after: -1s":                    func(c *Config) { c.GoneAfter = -time.Second },
		"present_every: 10ms":                func(c *Config) { c.PresentEvery = 10 * time.Millisecond },
		`the bundle has no class "hedgehog"`: func(c *Config) { c.Ignore = []string{"hedgehog"} },
		`ignore: "cat" also stands in only`:  func(c *Config) { c.Only, c.Ignore = []string{"cat"}, []string{"cat"} },
		"classes.dog.enter: 2":               func(c *Config) { c.Classes = map[string]Thresholds{"dog": {Enter: 2}} },
	} {
		c := DefaultConfig()
		change(&c)
		var ids IDs
		if tr, err := NewTracker(c, []string{"cat", "dog"}, "", ids.New); err == nil || tr != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// A class that is present when it is ignored from now on is still told to be gone, and then no more.
func TestConfigureWhilePresent(t *testing.T) {
	c := Config{Enter: 0.6, Leave: 0.4}
	tracker, err := NewTracker(c, []string{"cat", "dog"}, "", func(time.Time) string { return "id" })
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1000, 0)
	kinds := func(p float64) (list []Kind) {
		now = now.Add(time.Second)
		for _, e := range tracker.Add(now, "v", []float64{p, 0}) {
			list = append(list, e.Kind)
		}
		return list
	}
	got := [][]Kind{kinds(0.9)}
	c.Ignore = []string{"cat"}
	if err := tracker.Configure(c); err != nil {
		t.Fatal(err)
	}
	got = append(got, kinds(0.9), kinds(0.1), kinds(0.9))
	if diff := cmp.Diff([][]Kind{{Appeared}, nil, {Gone}, nil}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if err := tracker.Configure(Config{Enter: 0.6, Leave: 0.4, Only: []string{"horse"}}); err == nil || !slices.Contains(tracker.config.Ignore, "cat") {
		t.Errorf("%v, and now %+v", err, tracker.config)
	}
}
