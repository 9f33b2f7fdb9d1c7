//go:build cgo

package engine

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// profileOf is a profile for one thread with invented costs and every variant on
// the ladder.
func profileOf(b *bundle.Bundle, cost func(id string) time.Duration) profile.Profile {
	var p profile.Profile
	for _, s := range b.Manifest.Segments {
		p.Segments = append(p.Segments, profile.Segment{ID: s.ID, Threads: 1, Cost: profile.Cost{Latency: cost(s.ID), Source: profile.Measured}})
	}
	for _, v := range b.Manifest.Variants {
		p.Rungs = append(p.Rungs, profile.Rung{Variant: v.Name})
	}
	return p
}

// tree is a network of four variants that is never run, with these costs in
// milliseconds:
//
//	a  0:1 ──── 3:1          2
//	b  0:1  1:2 3:1          4
//	c  0:1  1:2 2:4 3:1      8
//	d  4:3  5:9             12
func tree(t *testing.T, deviation time.Duration, worth ...string) *network {
	t.Helper()
	costs := []time.Duration{1, 2, 4, 1, 3, 9}
	b := &bundle.Bundle{Manifest: &bundle.Manifest{Variants: []bundle.Variant{
		{Name: "a", Path: []string{"0", "3"}}, {Name: "b", Path: []string{"0", "1", "3"}},
		{Name: "c", Path: []string{"0", "1", "2", "3"}}, {Name: "d", Path: []string{"4", "5"}},
	}}}
	p := &profile.Profile{}
	n := &network{bundle: b, opts: Options{Threads: 1, Profile: p}, variants: map[string]*variant{}}
	segments := map[string]*segment{}
	for i, c := range costs {
		id := string(rune('0' + i))
		segments[id] = &segment{operators: i}
		p.Segments = append(p.Segments, profile.Segment{ID: id, Threads: 1, Cost: profile.Cost{Latency: c * time.Millisecond, StdDev: deviation}})
	}
	for _, name := range worth {
		p.Rungs = append(p.Rungs, profile.Rung{Variant: name})
	}
	for _, mv := range b.Manifest.Variants {
		v := &variant{name: mv.Name}
		for _, id := range mv.Path {
			v.path = append(v.path, segments[id])
		}
		n.names = append(n.names, v.name)
		n.variants[v.name] = v
	}
	if err := n.plan(p); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPlan(t *testing.T) {
	n := tree(t, 0, "a", "b", "c", "d")
	open := map[string][][]string{}
	for _, v := range n.variants {
		for i := range v.path {
			var names []string
			for _, o := range v.steps[i].open {
				names = append(names, o.name)
			}
			open[v.name] = append(open[v.name], names)
		}
	}
	all, shared, late := []string{"d", "c", "b", "a"}, []string{"c", "b", "a"}, []string{"c", "b"}
	if diff := cmp.Diff(map[string][][]string{
		"a": {all, shared}, "b": {all, shared, late}, "c": {all, shared, late, nil}, "d": {all, nil},
	}, open); diff != "" {
		t.Errorf("open at each segment (-want +got):\n%s", diff)
	}
	if got := n.variants["c"].steps[1].mean; got != 7*time.Millisecond {
		t.Errorf("what remains of c after its first segment takes %v", got)
	}
	if got := n.variants["c"].steps[4].rest; got != 0 {
		t.Errorf("after the end %v remain", got)
	}
}

func TestChoose(t *testing.T) {
	ms := func(v float64) time.Duration { return time.Duration(v * float64(time.Millisecond)) }
	everything := []string{"a", "b", "c", "d"}
	for _, tc := range []struct {
		name          string
		worth         []string
		deviation     float64 // ms, of each segment
		slowdown      float64
		on            string
		at            int
		active        string
		elapsed, left float64 // ms
		want          string
	}{
		{"all the time", everything, 0, 0, "d", 0, "d", 0, 100, "d"},
		{"just enough", everything, 0, 0, "d", 0, "d", 0, 12, "d"},
		{"not for d", everything, 0, 0, "d", 0, "d", 0, 11, "c"},
		{"only for a", everything, 0, 0, "d", 0, "d", 0, 2, "a"},
		{"for none: the fastest", everything, 0, 0, "d", 0, "d", 0, 1, "a"},
		{"never above the active one", everything, 0, 0, "b", 0, "b", 0, 100, "b"},
		{"c is not on the ladder", []string{"a", "b", "d"}, 0, 0, "d", 0, "d", 0, 11, "b"},
		{"the active one need not be", []string{"a"}, 0, 0, "c", 0, "c", 0, 100, "c"},
		{"slow board", everything, 0, 2, "d", 0, "d", 0, 12, "b"},
		{"fast board", everything, 0, 0.5, "d", 0, "d", 0, 6, "d"},
		{"spread, enough", everything, 1, 0, "d", 0, "d", 0, 12 + 2*2.33 + 0.01, "d"},
		{"spread, which the four segments of c have more of", everything, 1, 0, "d", 0, "d", 0, 12 + 2*2.33 - 0.01, "b"},
		{"on the way, in time", everything, 0, 0, "c", 1, "d", 1, 7, "c"},
		{"on the way, d is gone", everything, 0, 0, "c", 1, "d", 1, 100, "c"},
		{"on the way, slowed down three times", everything, 0, 0, "c", 1, "d", 3, 20.9, "b"},
		{"on the way, still time for it", everything, 0, 0, "c", 1, "d", 3, 21, "c"},
		{"later, only b is left beside c", everything, 0, 0, "c", 2, "d", 3, 1, "b"},
		{"too late", everything, 0, 0, "c", 2, "d", 3, -5, "b"},
		{"deeper again, since it went fast", everything, 0, 0, "a", 1, "d", 0.5, 7, "c"},
	} {
		n := tree(t, ms(tc.deviation), tc.worth...)
		n.pace.slowdown = tc.slowdown
		got := n.choose(n.variants[tc.on], tc.at, n.variants[tc.active], ms(tc.elapsed), ms(tc.left))
		if got.name != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got.name, tc.want)
		}
	}
}

func TestPace(t *testing.T) {
	var p pace
	for i, tc := range []struct {
		took     time.Duration // of 100
		slowdown float64
		longest  time.Duration
	}{{100, 1, 0}, {300, 3, 200}, {100, 2.5, 200}, {100, 2.125, 200}, {200, 2.09375, 200}, {50, 1.6953125, 200}} {
		if p.observe(tc.took, 100); p.slowdown != tc.slowdown || p.longest != tc.longest {
			t.Errorf("frame %d: slowdown %v, longest delay %v, want %v and %v", i, p.slowdown, p.longest, tc.slowdown, tc.longest)
		}
	}
	for range remembered - 4 {
		p.observe(100, 100)
	}
	if p.longest != 100 {
		t.Errorf("of the last %d frames the longest delay was %v", remembered, p.longest)
	}
	p = pace{}
	if p.observe(50, 100); p.slowdown != 0.5 || p.longest != 0 {
		t.Errorf("after one fast frame: slowdown %v, delay %v", p.slowdown, p.longest)
	}
}

// A delay that one frame had is kept free in the frames after it, until it has come again.
func TestDelayIsKeptFree(t *testing.T) {
	p := pace{slowdown: 1, longest: 3}
	for _, tc := range []struct {
		elapsed, profiled, left time.Duration
		want                    bool
	}{
		{0, 0, 13, true}, {0, 0, 12, false},
		{50, 48, 11, true}, {50, 48, 10, false}, // 2 of the 3 have come
		{55, 50, 11, true}, // more than that has: the slowdown counts
	} {
		if got := p.within(tc.elapsed, tc.profiled).fits(step{mean: 10, rest: 10}, tc.left); got != tc.want {
			t.Errorf("10 ahead, %d left after %d of %d: %v", tc.left, tc.elapsed, tc.profiled, got)
		}
	}
}

// The first segment takes far longer than its profile says. The frame that
// began deep leaves that path at the next fork, and gives what the shallower
// variant gives alone.
func TestDeadlineLeavesTheDeepPath(t *testing.T) {
	b := openBundle(t)
	deep := b.Manifest.Variants[1]
	p := profileOf(b, func(id string) time.Duration {
		if id == deep.Path[1] {
			return 5 * time.Second
		}
		return time.Nanosecond
	})
	e := openEngine(t, Options{Profile: &p})
	img := picture(1, 40, 30)
	want := alone(t, b, tensorOf(t, b.Manifest.Preprocess, img))
	activate(t, e, deep.Name)
	for name, tc := range map[string]struct {
		deadline time.Time
		variant  string
	}{
		"a minute":    {time.Now().Add(time.Minute), b.Manifest.Variants[0].Name},
		"many years":  {time.Now().Add(2e6 * time.Hour), deep.Name},
		"no deadline": {time.Time{}, deep.Name},
	} {
		e.current.pace = pace{}
		res, err := e.InferBy(img, tc.deadline)
		if err != nil || res.Variant != tc.variant || res.Late {
			t.Errorf("%s: %+v, %v; want %s", name, res, err, tc.variant)
		}
		if diff := cmp.Diff(want[tc.variant], e.Logits()); diff != "" {
			t.Errorf("%s (-alone +engine):\n%s", name, diff)
		}
		if e.Active() != deep.Name {
			t.Errorf("%s: active is %s", name, e.Active())
		}
	}
	in := tensorOf(t, b.Manifest.Preprocess, img)
	if n := testing.AllocsPerRun(20, func() { _, _ = e.InferTensorBy(in, time.Now().Add(time.Minute)) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestDeadlineMissed(t *testing.T) {
	b := openBundle(t)
	p := profileOf(b, func(string) time.Duration { return time.Second })
	e := openEngine(t, Options{Profile: &p})
	img := picture(2, 40, 30)
	activate(t, e, e.Variants()[1])
	if _, err := e.InferBy(img, time.Now().Add(-time.Millisecond)); !errors.Is(err, ErrDeadline) {
		t.Errorf("a deadline in the past: %v", err)
	}
	if e.current.pace != (pace{}) {
		t.Error("a frame that was not run counts")
	}
	// One that passes on the way: the shallowest path, and the result says so.
	for range 1000 {
		res, err := e.InferBy(img, time.Now().Add(5*time.Microsecond))
		if errors.Is(err, ErrDeadline) {
			continue
		}
		if err != nil || !res.Late || res.Variant != e.Variants()[0] {
			t.Errorf("%+v, %v", res, err)
		}
		return
	}
	t.Error("no frame began within 5 µs")
}

func TestProfileThatDoesNotFit(t *testing.T) {
	b := openBundle(t)
	if _, err := openEngine(t, Options{}).InferBy(picture(3, 20, 20), time.Now().Add(time.Hour)); err == nil {
		t.Error("a deadline was taken without a profile")
	} else {
		wantError(t, err, "measure one with fathom bench")
	}
	p := profileOf(b, func(string) time.Duration { return time.Millisecond })
	_, err := Open(b, Options{Threads: 2, Profile: &p})
	wantError(t, err, "with 2 threads (measure this bundle with fathom bench --threads 2)")
	e := openEngine(t, Options{Profile: &p})
	lacking := profile.Profile{Rungs: p.Rungs, Segments: p.Segments[1:]}
	_, err = Open(b, Options{Profile: &lacking})
	wantError(t, err, "the profile has no cost of segment "+b.Manifest.Segments[0].ID)
	wantError(t, e.SetProfile(&lacking), "the profile has no cost of segment "+b.Manifest.Segments[0].ID)
	far := time.Now().Add(time.Hour)
	if _, err := e.InferBy(picture(3, 20, 20), far); err != nil {
		t.Errorf("after a profile that was refused: %v", err)
	}
	for _, tc := range []struct {
		profile *profile.Profile
		ok      bool
	}{{nil, false}, {&p, true}} {
		if err := e.SetProfile(tc.profile); err != nil {
			t.Fatal(err)
		}
		if _, err := e.InferBy(picture(3, 20, 20), far); (err == nil) != tc.ok {
			t.Errorf("with the profile %v: %v", tc.profile, err)
		}
	}
}

// What a deadline costs where it changes nothing, beside an inference without one.
func BenchmarkDeadline(b *testing.B) {
	bundle := openBundle(b)
	p := profileOf(bundle, func(string) time.Duration { return time.Microsecond })
	e := openEngine(b, Options{Profile: &p})
	activate(b, e, e.Variants()[1])
	in := make([]float32, bundle.Manifest.Preprocess.Len())
	far := time.Now().Add(time.Hour)
	for name, deadline := range map[string]time.Time{"off": {}, "on": far} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.InferTensorBy(in, deadline); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
