//go:build cgo

package engine

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/runtime/bundle"
)

// A frame that goes from any variant over any to any gives at each what that
// variant gives alone, to the last bit.
func TestDeepenEqualsAlone(t *testing.T) {
	for name, b := range everyBundle(t) {
		t.Run(name, func(t *testing.T) {
			e, err := Open(b, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			img := picture(2, 40, 30)
			in := tensorOf(t, b.Manifest.Preprocess, img)
			want := alone(t, b, in)
			other := picture(3, 40, 30)
			for _, from := range e.Variants() {
				for _, over := range e.Variants() {
					for _, to := range e.Variants() {
						// Another frame first, so that nothing of this one is left over.
						activate(t, e, to)
						if _, err := e.Infer(other); err != nil {
							t.Fatal(err)
						}
						activate(t, e, from)
						first, err := e.Infer(img)
						if err != nil {
							t.Fatal(err)
						}
						for _, next := range []string{over, to} {
							res, err := e.Deepen(next)
							if err != nil {
								t.Fatal(err)
							}
							if diff := cmp.Diff(want[next], e.Logits()); diff != "" {
								t.Errorf("%s over %s to %s, at %s (-alone +deepened):\n%s", from, over, to, next, diff)
							}
							if res.Variant != next || res.First != first.Variant || res.FirstLatency != first.Latency || res.Latency < first.Latency {
								t.Errorf("%s deepened to %s: %+v", first.Variant, next, res)
							}
							first = res
						}
					}
				}
			}
			activate(t, e, e.Variants()[0])
			deepest := e.Variants()[len(want)-1]
			if n := testing.AllocsPerRun(3, func() {
				_, _ = e.InferTensor(in)
				_, _ = e.Deepen(deepest)
			}); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

func TestSharedPrefix(t *testing.T) {
	s := make([]*segment, 5)
	for i := range s {
		s[i] = &segment{operators: i}
	}
	path := func(numbers ...int) *variant {
		v := new(variant)
		for _, n := range numbers {
			v.path = append(v.path, s[n])
		}
		return v
	}
	for _, tc := range []struct {
		ran, next *variant
		want      int
	}{
		{path(0, 1, 4), path(0, 1, 4), 3},
		{path(0, 1, 4), path(0, 2, 4), 1},
		{path(0, 1, 4), path(3, 1, 4), 0},
		{path(0, 1), path(0, 1, 2, 4), 2},
		{path(0, 1, 2, 4), path(0, 1), 2},
		{path(0, 1, 1, 4), path(0, 1, 2), 1}, // 1 ran again, on its own output
		{path(0, 1, 0, 4), path(0, 2, 4), 0},
		{path(0, 1, 1, 4), path(0, 1, 1, 2), 3},
	} {
		if got := tc.ran.shared(tc.next); got != tc.want {
			t.Errorf("%v then %v: %d shared, want %d", tc.ran, tc.next, got, tc.want)
		}
	}
}

// doubtful is the tiny bundle with an escalation below the given margin.
func doubtful(t testing.TB, margin float64) *bundle.Bundle {
	t.Helper()
	b := openBundle(t)
	b.Manifest.Escalation = &bundle.Escalation{Dataset: "none", Split: "validation", Samples: 1, Steps: []bundle.EscalationStep{
		{From: b.Manifest.Variants[0].Name, To: b.Manifest.Variants[1].Name, Margin: margin},
	}}
	return b
}

func TestEscalationKeepsItsBudget(t *testing.T) {
	const frames = 200
	for _, tc := range []struct {
		name          string
		margin, share float64
		least, most   int
	}{
		{"off", 1, 0, 0, 0},
		{"all", 1, 1, frames, frames},
		{"half", 1, 0.5, frames / 2, frames / 2},
		{"a tenth", 1, 0.1, frames/10 - 1, frames / 10},
		{"no doubt", 1e-9, 1, 0, 0},
	} {
		b := doubtful(t, tc.margin)
		e, err := Open(b, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.SetEscalation(tc.share); err != nil {
			t.Fatal(err)
		}
		img := picture(4, 20, 20)
		want := alone(t, b, tensorOf(t, b.Manifest.Preprocess, img))
		shallow, deep := e.Variants()[0], e.Variants()[1]
		count := 0
		for range frames {
			res, err := e.Infer(img)
			if err != nil {
				t.Fatal(err)
			}
			wantVariant, wantFirst := shallow, ""
			if res.First != "" {
				count++
				wantVariant, wantFirst = deep, shallow
			}
			if res.Variant != wantVariant || res.First != wantFirst || (res.FirstLatency > 0) != (wantFirst != "") {
				t.Fatalf("%s: %+v", tc.name, res)
			}
			if diff := cmp.Diff(want[res.Variant], e.Logits()); diff != "" {
				t.Fatalf("%s: %s\n%s", tc.name, res.Variant, diff)
			}
		}
		if count < tc.least || count > tc.most {
			t.Errorf("%s: %d of %d frames escalated, want %d to %d", tc.name, count, frames, tc.least, tc.most)
		}
		activate(t, e, deep)
		if res, err := e.Infer(img); err != nil || res.First != "" {
			t.Errorf("%s: from the deepest, which has no next: %+v, %v", tc.name, res, err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

// After calm frames a few may escalate one after the other, and no more.
func TestEscalationBurst(t *testing.T) {
	var b bucket
	for range 1000 {
		b.fill(0.25)
	}
	if b.tokens != burst {
		t.Errorf("%v tokens after a calm time, want %d", b.tokens, burst)
	}
	b.fill(0)
	if b.tokens != 0 {
		t.Errorf("%v tokens when it is off", b.tokens)
	}
}

func TestEscalationRefuses(t *testing.T) {
	e := openEngine(t, Options{})
	for _, share := range []float64{-0.1, 1.1, math.NaN()} {
		wantError(t, e.SetEscalation(share), "must be in [0, 1]")
	}
	_, err := e.Deepen(e.Variants()[1])
	wantError(t, err, "no frame to go deeper on: infer first")
	if _, err := e.Infer(picture(5, 20, 20)); err != nil {
		t.Fatal(err)
	}
	_, err = e.Deepen("z-9")
	wantError(t, err, `no variant "z-9"`)
	if _, err := e.Deepen(e.Variants()[1]); err != nil {
		t.Errorf("after a refusal: %v", err)
	}
	if _, err := e.InferTensor(nil); err == nil {
		t.Error("an empty tensor was taken")
	}
	_, err = e.Deepen(e.Variants()[1])
	wantError(t, err, "infer first") // the frame that failed is none
}

// Doubt is left alone where going deeper would be late.
func TestEscalationKeepsTheDeadline(t *testing.T) {
	for rest, want := range map[time.Duration]bool{time.Nanosecond: true, 20 * time.Hour: false} {
		b := doubtful(t, 1)
		p := profileOf(b, func(id string) time.Duration {
			if id == b.Manifest.Variants[1].Path[1] { // only the deeper one has it
				return rest
			}
			return time.Millisecond
		})
		e, err := Open(b, Options{Profile: &p})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.SetEscalation(1); err != nil {
			t.Fatal(err)
		}
		res, err := e.InferBy(picture(6, 20, 20), time.Now().Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		if got := res.First != ""; got != want {
			t.Errorf("a rest of %v: escalated %t, want %t", rest, got, want)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}
