package probe

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/engine"
)

// task is what the child is given, as one line of JSON.
type task struct {
	Dir    string
	Digest string // of the manifest
	Limits Limits
}

// said is a line of the child: a step that begins, or the end.
type said struct {
	Step    Step   `json:"step"`
	Passed  bool   `json:"passed,omitempty"`
	Refused string `json:"refused,omitempty"`
}

// Main makes this process a probe and does not return, if Run started it as
// one. A program that calls Run calls Main before anything else.
func Main() {
	if os.Getenv(asProbe) == "" {
		return
	}
	in := bufio.NewReader(os.Stdin)
	line, err := in.ReadBytes('\n')
	var t task
	if err == nil {
		err = json.Unmarshal(line, &t)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s is set, but standard input holds no task: %v\n", asProbe, err)
		os.Exit(1)
	}
	go func() {
		_, _ = io.Copy(io.Discard, in)
		os.Exit(1) // the parent is gone
	}()
	end := said{Passed: true}
	if err := t.run(); err != nil {
		end = said{Refused: err.Error()}
	}
	say(end)
	os.Exit(0)
}

func say(s said) {
	line, err := json.Marshal(s)
	if err == nil {
		_, err = os.Stdout.Write(append(line, '\n'))
	}
	if err != nil {
		os.Exit(1) // nobody listens
	}
}

// run is the probe: each segment by itself, so that the one which crashes is
// known, and then each variant.
func (t task) run() error {
	if err := t.Limits.apply(); err != nil {
		return fmt.Errorf("the limits of the probe cannot be set: %w", err)
	}
	b, err := bundle.Open(t.Dir)
	if err != nil {
		return err
	}
	if b.Digest != t.Digest {
		return fmt.Errorf("the manifest has changed since the bundle was opened")
	}
	options := engine.Options{Threads: t.Limits.Threads}
	for _, s := range b.Manifest.Segments {
		if err := runSegment(b.SegmentPath(s.ID), s, options); err != nil {
			return err
		}
	}
	say(said{Step: Step{Doing: "loading"}})
	e, err := engine.Open(b, options)
	if err != nil {
		return err
	}
	defer e.Close()
	for _, name := range e.Variants() {
		say(said{Step: Step{Doing: "running", Variant: name}})
		if err := e.SetActive(name); err != nil {
			return err
		}
		if _, err := e.InferTensor(ramp(b.Manifest.Preprocess.Len())); err != nil {
			return err
		}
	}
	return nil
}

func runSegment(file string, s bundle.Segment, options engine.Options) error {
	say(said{Step: Step{Doing: "loading", Segment: s.File}})
	m, err := engine.OpenModel(file, options)
	if err != nil {
		return err
	}
	defer m.Close()
	say(said{Step: Step{Doing: "running", Segment: s.File}})
	values := 1
	for _, d := range m.InputShape() { // engine.Open compares it with the manifest
		values *= d
	}
	_, err = m.Run(ramp(values))
	return err
}

// ramp is an input without zeros, from -1 to 1.
func ramp(values int) []float32 {
	in := make([]float32, values)
	for i := range in {
		in[i] = float32(2*i+1)/float32(values) - 1
	}
	return in
}
