package main

import (
	"fmt"
	"math"
	"os"

	"github.com/fathom-edge/fathom/governor"
	"github.com/fathom-edge/fathom/internal/results"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/engine"
)

// spending gives the same budget, in MACs, to turns of the upper of two rungs and
// to what the governor does with it where doubt was calibrated: second looks, and
// turns for what these leave.
func spending() ([]results.Row, error) {
	const (
		name   = "demo-doubt"
		frames = 3400
	)
	if err := os.RemoveAll(cache + name); err != nil {
		return nil, err
	}
	if err := os.CopyFS(cache+name, os.DirFS(cache+"demo-float32")); err != nil {
		return nil, fmt.Errorf("%w (run the part families first)", err)
	}
	if _, err := results.Run("bin/fathom eval " + cache + name + " glyphs:validation:6800 --escalation --write"); err != nil {
		return nil, err
	}
	b, err := bundle.Open(cache + name)
	if err != nil {
		return nil, err
	}
	e, err := engine.Open(b, engine.Options{})
	if err != nil {
		return nil, err
	}
	defer e.Close()
	samples, err := testGlyphs(frames)
	if err != nil {
		return nil, err
	}
	s := spender{e, b.Manifest, samples}
	var rows []results.Row
	for i, from := range b.Manifest.Variants[:len(b.Manifest.Variants)-1] {
		step, upper := b.Manifest.Escalation.Step(from.Name), b.Manifest.Variants[i+1]
		if step == nil {
			continue
		}
		lower, above := s.macs(from.Path), s.macs(upper.Path)
		doubt := governor.Escalation{To: step.To, Share: step.Share, Cost: s.macs(b.Manifest.Beyond(from.Name, step.To)) / above}
		for _, share := range []float64{0.25, 0.5, 0.75} {
			turns, err := s.run(from.Name, upper.Name, 0, share)
			if err != nil {
				return nil, err
			}
			again, rest := doubt.Spend(share, lower, above)
			looks, err := s.run(from.Name, upper.Name, again, rest)
			if err != nil {
				return nil, err
			}
			low, mean, high := turns.below(looks)
			rows = append(rows, results.Row{
				ID: fmt.Sprintf("escalation-governed-%s-%g", from.Name, share), Unit: "points", Op: ">=", Limit: 0,
				Value: 100 * low, Samples: []float64{100 * low, 100 * mean, 100 * high},
				What: fmt.Sprintf("points of top-1 gained where the governor spends on doubt what %.0f %% of the time at %s, else %s, costs (%.2f and %.2f MMAC a frame; %.0f %% looked at twice; %d test images): lower end of the 95 %% interval (mean %+.2f)",
					100*share, upper.Name, from.Name, looks.macs/1e6, turns.macs/1e6, 100*looks.escalated, frames, 100*mean),
			})
		}
	}
	return rows, nil
}

// spender runs the samples.
type spender struct {
	engine   *engine.Engine
	manifest *bundle.Manifest
	samples  []sample
}

// spent is what came of it, over all frames.
type spent struct {
	right           []bool
	macs, escalated float64
}

func (s spender) macs(path []string) (sum float64) {
	for _, id := range path {
		for _, segment := range s.manifest.Segments {
			if segment.ID == id {
				sum += float64(segment.MACs)
			}
		}
	}
	return sum
}

// run gives the upper rung a share of the frames in turns, and lets a share of the
// lower one's be looked at twice. A turn of two seconds at five frames a second
// begins when it is owed.
func (s spender) run(lower, upper string, again, turns float64) (spent, error) {
	const slice = 10
	var out spent
	owed, on := 0., false
	for _, sample := range s.samples {
		variant, share := lower, again
		if on {
			variant, share = upper, 0
		}
		if err := s.engine.SetActive(variant); err != nil {
			return out, err
		}
		if err := s.engine.SetEscalation(share); err != nil {
			return out, err
		}
		res, err := s.engine.Infer(sample.picture)
		if err != nil {
			return out, err
		}
		n := float64(len(s.samples))
		out.right = append(out.right, res.Best == sample.label)
		out.macs += s.macs(s.manifest.Variant(variant).Path) / n
		if res.First != "" {
			out.macs += s.macs(s.manifest.Beyond(res.First, res.Variant)) / n
			out.escalated += 1 / n
		}
		if owed += turns; on {
			owed--
		}
		switch {
		case owed >= slice/2:
			on = true
		case owed <= -slice/2:
			on = false
		}
	}
	return out, nil
}

// below is by how much more often another is right, with its 95 % interval.
func (s spent) below(other spent) (low, mean, high float64) {
	n := float64(len(s.right))
	var squares float64
	for i := range s.right {
		d := float64(number(other.right[i]) - number(s.right[i]))
		mean += d / n
		squares += d * d
	}
	half := 1.96 * math.Sqrt((squares/n-mean*mean)/n)
	return mean - half, mean, mean + half
}
