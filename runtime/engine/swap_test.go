//go:build cgo

package engine

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/runtime/bundle"
)

// Frames flow while others swap bundles, change threads and switch variants:
// every frame is answered, by the variant that the result names, of the bundle
// whose labels it carries.
func TestSwappingWhileInferring(t *testing.T) {
	img := picture(1, 40, 30)
	bundles := map[string]*bundle.Bundle{"tiny": openBundle(t), "three depths": openForm(t, form{}), "int8": openForm(t, form{bundle.Int8, false})}
	want := map[*string]map[string][]float32{} // by the bundle's labels
	for _, b := range bundles {
		want[&b.Manifest.Labels[0]] = alone(t, b, tensorOf(t, b.Manifest.Preprocess, img))
	}
	e, err := Open(bundles["tiny"], Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	const changes = 9
	var wg sync.WaitGroup
	busy := func(change func(i int) error) {
		wg.Go(func() {
			for i := range changes {
				if err := change(i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	swapped := []*bundle.Bundle{bundles["three depths"], bundles["int8"], bundles["tiny"]}
	busy(func(i int) error { return e.Swap(swapped[i%len(swapped)], Options{Threads: 1 + i%2}) })
	busy(func(i int) error { return e.SetThreads(1 + i%2) })
	busy(func(i int) error {
		names := e.Variants()
		_ = e.SetActive(names[i%len(names)]) // a swap may just have taken that name away
		return nil
	})
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	answered := map[*string]bool{}
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		res, err := e.Infer(img)
		if err != nil {
			t.Fatal(err)
		}
		of := &res.Labels[0]
		answered[of] = true
		if diff := cmp.Diff(want[of][res.Variant], e.Logits()); diff != "" {
			t.Fatalf("%s (-alone +engine):\n%s", res.Variant, diff)
		}
	}
	if len(answered) != len(bundles) {
		t.Errorf("only %d of %d bundles ever answered", len(answered), len(bundles))
	}
}

// A swap keeps the active variant's name where it can, leaves the frame before
// it whole, and frees the old bundle when the next frame begins.
func TestSwap(t *testing.T) {
	e, err := Open(openForm(t, form{}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	deepest := e.Variants()[2]
	activate(t, e, e.Variants()[1])
	img := picture(2, 20, 20)
	if _, err := e.Infer(img); err != nil {
		t.Fatal(err)
	}
	old := e.current
	want := alone(t, old.bundle, tensorOf(t, old.bundle.Manifest.Preprocess, img))
	if err := e.Swap(openForm(t, form{bundle.Int8, true}), Options{Threads: 2}); err != nil {
		t.Fatal(err)
	}
	if e.Active() != old.names[1] || e.Threads() != 2 {
		t.Errorf("after the swap %s is active with %d threads", e.Active(), e.Threads())
	}
	if res, err := e.Deepen(deepest); err != nil || res.First != old.names[1] {
		t.Errorf("deeper on the frame before the swap: %+v, %v", res, err)
	}
	if diff := cmp.Diff(want[deepest], e.Logits()); diff != "" {
		t.Errorf("the frame before the swap (-alone +engine):\n%s", diff)
	}
	if old.segments[0].interpreter == nil {
		t.Error("freed while its frame was in use")
	}
	if _, err := e.Infer(img); err != nil {
		t.Fatal(err)
	}
	e.freeing.Wait()
	for _, s := range old.segments {
		if s.interpreter != nil || s.data != nil {
			t.Error("the old bundle is still in memory")
		}
	}

	// To a bundle without that variant.
	demo, err := bundle.Open("../../testdata/bundles/demo")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Swap(demo, Options{}); err != nil {
		t.Fatal(err)
	}
	if e.Active() != e.Variants()[0] {
		t.Errorf("active is %s, want the cheapest", e.Active())
	}
	last := []*network{e.frame.network, e.current}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	for _, n := range last {
		if n.segments[0].interpreter != nil {
			t.Error("Close left a bundle in memory")
		}
	}
	for what, err := range map[string]error{"Swap": e.Swap(openBundle(t), Options{}), "SetThreads": e.SetThreads(2)} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s after Close: %v", what, err)
		}
	}
}

func TestSetThreads(t *testing.T) {
	e := openEngine(t, Options{})
	img := picture(3, 20, 20)
	var want []float32
	for _, threads := range []int{1, 2, 2, 4, 1} {
		if err := e.SetThreads(threads); err != nil || e.Threads() != threads {
			t.Fatalf("%d threads: %v, now %d", threads, err, e.Threads())
		}
		if _, err := e.Infer(img); err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = append(want, e.Logits()...)
		}
		if diff := cmp.Diff(want, e.Logits()); diff != "" {
			t.Errorf("%d threads:\n%s", threads, diff)
		}
	}
	for _, threads := range []int{0, -1, 1000} {
		wantError(t, e.SetThreads(threads), fmt.Sprintf("%d threads: must be 1 to", threads))
	}
	if e.Threads() != 1 {
		t.Errorf("after a refusal: %d threads", e.Threads())
	}
}

// A bundle that cannot be loaded changes nothing.
func TestSwapThatFails(t *testing.T) {
	e := openEngine(t, Options{})
	activate(t, e, e.Variants()[1])
	before := e.current
	bad := rewrite(t, func(*bundle.Manifest, map[string][]byte) {})
	damage(t, bad, func(d []byte) []byte { d[len(d)/2] ^= 1; return d })
	wantError(t, e.Swap(bad, Options{}), "sha256 differs from the manifest")
	wantError(t, e.Swap(openBundle(t), Options{Threads: -1}), "threads: must be")
	if e.current != before || e.Active() != e.Variants()[1] {
		t.Error("something changed")
	}
	if _, err := e.Infer(picture(4, 20, 20)); err != nil {
		t.Error(err)
	}
}
