package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/fathom-edge/fathom/boards"
	"github.com/fathom-edge/fathom/runtime/bundle"
)

const (
	layoutSegments   = "segments"
	layoutMonolithic = "monolithic"
	layoutBare       = "bare"
)

// benchCommand measures a bundle on this board.
type benchCommand struct {
	Bundle   string   `arg:"" help:"Folder of the bundle."`
	Threads  []int    `default:"1" placeholder:"N,N" help:"Threads per inference; each number is measured (${default})."`
	Variants []string `placeholder:"NAME,…" help:"Only these variants."`
	Layout   []string `enum:"segments,monolithic,bare" default:"segments,monolithic,bare" placeholder:"NAME,…" help:"Only these of ${enum}: the bundle as it is, one file for each variant, and a loop in C around that file."`
	Against  string   `placeholder:"DIR" help:"Monolithic bundle of the same family; BUNDLE.monolithic where there is one, as convert --layout both writes it."`
	Seconds  float64  `default:"10" placeholder:"N" help:"Steady inferences for each number of threads, in seconds (${default})."`
	Out      string   `short:"o" placeholder:"FILE" help:"Write the profile that fathomd and fathom simulate take."`
	JSON     bool     `name:"json" help:"Print as JSON."`
}

// Help implements kong's HelpProvider.
func (benchCommand) Help() string {
	return `Measures start-up, memory, the first inference after a switch and steady
latency, per variant, number of threads and layout, beside a bare loop in C around
the monolithic model. All of them take turns in short blocks, so that a slow moment
of the board meets all alike. Power is measured where the board can.

  fathom convert FAMILY -o birds.bundle --layout both
  fathom bench birds.bundle --threads 1,2,4 -o birds.profile.json
  fathomd --bundle birds.bundle --profile birds.profile.json

For figures that hold: let nothing else run, and set the clocks' governor to
performance. A board that throttles meanwhile is named in a warning.`
}

// Run measures, and writes the profile at the very end.
func (c *benchCommand) Run(out *output) error {
	if err := c.check(); err != nil {
		return &usageError{err}
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	layouts, err := c.open()
	if err != nil {
		return err
	}
	if c.Out != "" && !c.wantsLayout(layouts[0].name) {
		return &usageError{fmt.Errorf("--out: a profile is of layout %s, which --layout leaves out", layouts[0].name)}
	}
	board, err := boards.New("/", boards.Options{})
	if err != nil {
		return err
	}
	watch := newBoardWatch(ctx, board)
	own := layouts[0].bundle.Manifest
	report := &benchReport{
		Bundle: own.Name, Precision: own.Precision.String(), Arch: runtime.GOARCH, Begin: watch.begin,
	}
	bar := progress(1000, "measuring")
	defer bar.Finish()
	err = c.measure(ctx, report, layouts, watch, func(share float64) { _ = bar.Set(int(1000 * share)) })
	if ctx.Err() != nil {
		return errors.New("bench: interrupted: nothing was written")
	}
	if err != nil {
		return err
	}
	_ = bar.Finish()
	report.End = watch.end(ctx)
	report.Warnings = watch.warnings(slices.Max(c.Threads))
	if c.Out != "" {
		if err := report.writeProfile(c.Out, layouts[0].bundle); err != nil {
			return err
		}
	}
	if c.JSON {
		return writeJSON(out, report)
	}
	return report.print(out)
}

func (c *benchCommand) check() error {
	for i, t := range c.Threads {
		if t < 1 || slices.Contains(c.Threads[:i], t) {
			return fmt.Errorf("--threads %d: want numbers above 0, each once", t)
		}
	}
	if len(c.Threads) == 0 {
		return errors.New("--threads names no number")
	}
	const longest = 3600
	if !(c.Seconds > 0 && c.Seconds <= longest) {
		return fmt.Errorf("--seconds %g: want more than 0, at most %d", c.Seconds, longest)
	}
	return nil
}

// layout is a bundle in one of the ways in which it can be stored.
type layout struct {
	name   string
	bundle *bundle.Bundle
}

// open returns the layouts to measure, the bundle's own first.
func (c *benchCommand) open() ([]layout, error) {
	b, err := bundle.Open(c.Bundle)
	if err != nil {
		return nil, err
	}
	if err := c.checkVariants(b.Manifest); err != nil {
		return nil, &usageError{err}
	}
	own := layout{layoutOf(b.Manifest), subset(b, c.wanted)}
	if own.name == layoutMonolithic {
		if c.Against != "" {
			return nil, &usageError{fmt.Errorf("--against: %s is monolithic itself", c.Bundle)}
		}
		return []layout{own}, nil
	}
	dir := c.Against
	if dir == "" {
		dir = filepath.Clean(c.Bundle) + ".monolithic"
		if _, err := os.Stat(dir); err != nil {
			return []layout{own}, nil
		}
	}
	peer, err := bundle.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := sameFamily(b.Manifest, peer.Manifest); err != nil {
		return nil, fmt.Errorf("bench: %s is no other layout of %s: %w", dir, c.Bundle, err)
	}
	if layoutOf(peer.Manifest) != layoutMonolithic {
		return nil, fmt.Errorf("bench: %s is not monolithic: make one with fathom convert --layout monolithic", dir)
	}
	return []layout{own, {layoutMonolithic, subset(peer, c.wanted)}}, nil
}

func (c *benchCommand) wanted(variant string) bool {
	return len(c.Variants) == 0 || slices.Contains(c.Variants, variant)
}

// checkVariants refuses names that the bundle does not have.
func (c *benchCommand) checkVariants(m *bundle.Manifest) error {
	var known []string
	for _, v := range m.Variants {
		known = append(known, v.Name)
	}
	for _, name := range c.Variants {
		if !slices.Contains(known, name) {
			return fmt.Errorf("--variants: no variant %q: the bundle has %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}

// subset is the bundle with some of its variants only, and their segments.
func subset(b *bundle.Bundle, wanted func(variant string) bool) *bundle.Bundle {
	m := *b.Manifest
	m.Variants = slices.DeleteFunc(slices.Clone(m.Variants), func(v bundle.Variant) bool { return !wanted(v.Name) })
	m.Segments = slices.DeleteFunc(slices.Clone(m.Segments), func(s bundle.Segment) bool {
		return !slices.ContainsFunc(m.Variants, func(v bundle.Variant) bool { return slices.Contains(v.Path, s.ID) })
	})
	part := *b
	part.Manifest = &m
	return &part
}

// layoutOf is monolithic where every path has one segment.
func layoutOf(m *bundle.Manifest) string {
	for _, v := range m.Variants {
		if len(v.Path) > 1 {
			return layoutSegments
		}
	}
	return layoutMonolithic
}

func sameFamily(a, b *bundle.Manifest) error {
	switch {
	case !slices.Equal(a.Labels, b.Labels):
		return errors.New("labels differ")
	case a.Preprocess != b.Preprocess:
		return errors.New("preprocessing differs")
	case a.Precision != b.Precision:
		return fmt.Errorf("%s and %s", a.Precision, b.Precision)
	case !slices.EqualFunc(a.Variants, b.Variants, func(v, w bundle.Variant) bool { return v.Name == w.Name && v.MACs == w.MACs }):
		return errors.New("variants differ")
	}
	return nil
}
