//go:build cgo

package engine_test

import (
	"errors"
	"fmt"
	"image"
	"log"
	"time"

	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/engine"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// open is the tiny bundle of the tests, of two variants.
func open() *bundle.Bundle {
	b, err := bundle.Open("../../testdata/bundles/tiny")
	if err != nil {
		log.Fatal(err)
	}
	return b
}

func Example() {
	b, err := bundle.Open("../../testdata/bundles/tiny")
	if err != nil {
		log.Fatal(err)
	}
	e, err := engine.Open(b, engine.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()

	picture := image.NewRGBA(image.Rect(0, 0, 640, 480)) // of any size
	for _, name := range e.Variants() {
		if err := e.SetActive(name); err != nil {
			log.Fatal(err)
		}
		result, err := e.Infer(picture)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %s (%.0f %%)\n", result.Variant, result.Labels[result.Best], 100*result.Scores[result.Best])
	}
	// Output:
	// net-A-1-1: class 4 (29 %)
	// net-A-2-1: class 4 (50 %)
}

// A frame that is worth nothing after a minute, on a board where the deeper
// variant takes an hour.
func ExampleEngine_InferBy() {
	b := open()
	// fathom bench measures such a profile, and profile.Read reads it.
	var p profile.Profile
	for _, v := range b.Manifest.Variants {
		p.Rungs = append(p.Rungs, profile.Rung{Variant: v.Name})
	}
	deep := b.Manifest.Variants[1]
	for _, s := range b.Manifest.Segments {
		cost := profile.Cost{Latency: time.Millisecond, StdDev: 100 * time.Microsecond}
		if s.ID == deep.Path[1] {
			cost.Latency = time.Hour
		}
		p.Segments = append(p.Segments, profile.Segment{ID: s.ID, Threads: 1, Cost: cost})
	}
	e, err := engine.Open(b, engine.Options{Profile: &p})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	if err := e.SetActive(deep.Name); err != nil {
		log.Fatal(err)
	}

	picture := image.NewRGBA(image.Rect(0, 0, 640, 480))
	result, err := e.InferBy(picture, time.Now().Add(time.Minute))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("in time with", result.Variant)

	_, err = e.InferBy(picture, time.Now().Add(-time.Second))
	fmt.Println(errors.Is(err, engine.ErrDeadline))
	// Output:
	// in time with net-A-1-1
	// true
}

// Doubt decides which frames are worth a deeper look.
func ExampleEngine_Deepen() {
	e, err := engine.Open(open(), engine.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	result, err := e.Infer(image.NewRGBA(image.Rect(0, 0, 640, 480)))
	if err != nil {
		log.Fatal(err)
	}
	if result.Margin < 0.3 {
		if result, err = e.Deepen("net-A-2-1"); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(result.First, "was in doubt,", result.Variant, "decides")
	// Output: net-A-1-1 was in doubt, net-A-2-1 decides
}

// The same without asking: the manifest says below which margin an answer is in
// doubt, and the caller how many frames may cost more.
func ExampleEngine_SetEscalation() {
	b := open()
	// fathom eval --escalation calibrates this and writes it to the manifest.
	b.Manifest.Escalation = &bundle.Escalation{Dataset: "birds", Split: "validation", Samples: 1000, Steps: []bundle.EscalationStep{
		{From: "net-A-1-1", To: "net-A-2-1", Margin: 0.3},
	}}
	e, err := engine.Open(b, engine.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	if err := e.SetEscalation(0.25); err != nil {
		log.Fatal(err)
	}
	picture := image.NewRGBA(image.Rect(0, 0, 640, 480))
	for range 8 {
		result, err := e.Infer(picture)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(result.Variant, " ")
	}
	// Output: net-A-1-1 net-A-1-1 net-A-1-1 net-A-2-1 net-A-1-1 net-A-1-1 net-A-1-1 net-A-2-1
}

// A new bundle, and two threads for it, while another goroutine infers.
func ExampleEngine_Swap() {
	e, err := engine.Open(open(), engine.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	picture := image.NewRGBA(image.Rect(0, 0, 640, 480))
	done := make(chan error)
	go func() {
		for range 100 {
			if _, err := e.Infer(picture); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	next, err := bundle.Open("../../testdata/bundles/demo")
	if err != nil {
		log.Fatal(err)
	}
	if err := e.Swap(next, engine.Options{Threads: 2}); err != nil {
		log.Fatal(err) // the old bundle goes on
	}
	fmt.Println("frames lost to the swap:", <-done)
	fmt.Println(e.Active(), "with", e.Threads(), "threads")
	// Output:
	// frames lost to the swap: <nil>
	// a-0-0-0 with 2 threads
}
