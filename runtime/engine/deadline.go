package engine

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fathom-edge/fathom/runtime/profile"
)

// ErrDeadline is returned for a frame whose deadline had passed before anything
// was done for it. Nothing was run; whoever wants the answer all the same calls
// again without a deadline.
var ErrDeadline = errors.New("engine: the deadline had passed before the inference began")

// caution is how many standard deviations are left between the mean cost of what
// remains and the deadline: 99 % of a normal distribution lie below it.
const caution = 2.33

// step is what lies ahead at a segment of a path.
type step struct {
	// mean is the profiled time from here to the end of the path, rest the same with a margin
	// of caution. Spreads are added, not their squares: what slows one segment slows the next.
	mean, rest time.Duration
	// open lists the variants that begin with the path so far, the dearest first, where
	// they part here; nil where there is nothing to choose.
	open []*variant
}

// SetProfile replaces Options.Profile, where that is known only after the bundle
// was opened. On an error the old one stays.
func (e *Engine) SetProfile(p *profile.Profile) error {
	e.loading.Lock()
	defer e.loading.Unlock()
	e.frames.Lock()
	defer e.frames.Unlock()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return ErrClosed
	}
	return e.current.plan(p)
}

// plan prepares deadlines, if there is a profile.
func (n *network) plan(p *profile.Profile) error {
	if p == nil {
		n.opts.Profile = nil
		return nil
	}
	costs := p.SegmentCosts(n.opts.Threads)
	steps := make(map[string][]step, len(n.variants))
	for _, mv := range n.bundle.Manifest.Variants {
		var err error
		if steps[mv.Name], err = stepsOf(mv.Path, costs, n.opts.Threads); err != nil {
			return err
		}
	}
	n.opts.Profile, n.pace = p, pace{}
	for order, name := range n.names {
		v := n.variants[name]
		v.order, v.steps = order, steps[name]
		_, v.worth = p.Index(name)
	}
	for _, v := range n.variants {
		for i := range v.path {
			v.steps[i].open = n.parting(v.path[:i])
		}
	}
	return nil
}

// stepsOf adds costs up from the end of a path; the last step is the end itself.
func stepsOf(path []string, costs map[string]profile.Cost, threads int) ([]step, error) {
	steps := make([]step, len(path)+1)
	for i, id := range slices.Backward(path) {
		c, ok := costs[id]
		if !ok {
			return nil, fmt.Errorf("engine: the profile has no cost of segment %s with %d threads (measure this bundle with fathom bench --threads %[2]d)", id, threads)
		}
		steps[i].mean = steps[i+1].mean + c.Latency
		steps[i].rest = steps[i+1].rest + c.Latency + time.Duration(caution*float64(c.StdDev))
	}
	return steps, nil
}

// parting lists the variants whose path begins with the segments of begin, the
// dearest first, or nothing if all of them run the same segment next.
func (n *network) parting(begin []*segment) []*variant {
	var open []*variant
	parts := false
	for _, name := range slices.Backward(n.names) {
		v := n.variants[name]
		if len(v.path) <= len(begin) || !slices.Equal(v.path[:len(begin)], begin) {
			continue
		}
		open = append(open, v)
		parts = parts || v.path[len(begin)] != open[0].path[len(begin)]
	}
	if !parts {
		return nil
	}
	return open
}

func (n *network) checkDeadline(deadline, now time.Time) error {
	if n.opts.Profile == nil {
		return errors.New("engine: a deadline without Options.Profile: measure one with fathom bench")
	}
	if !deadline.After(now) {
		return ErrDeadline
	}
	return nil
}

// runBy infers with the dearest variant up to the active one that is expected to
// end in time. Wherever paths part it looks at the time left again. If nothing
// fits, it takes the fastest of those that are still open. It returns the variant
// at whose end it came out.
func (n *network) runBy(active *variant, in tensor, start, deadline time.Time) (*variant, error) {
	v := active
	for i := 0; i < len(v.path); i++ {
		if len(v.steps[i].open) > 0 {
			now := time.Now()
			v = n.choose(v, i, active, now.Sub(start), deadline.Sub(now))
		}
		if err := v.invoke(i, in); err != nil {
			return nil, err
		}
	}
	n.pace.observe(time.Since(start), v.steps[0].mean)
	return v, nil
}

// choose picks the variant to go on with at segment i of the path of v.
func (n *network) choose(v *variant, i int, active *variant, elapsed, left time.Duration) *variant {
	ahead := n.pace.within(elapsed, v.steps[0].mean-v.steps[i].mean)
	var fastest *variant
	for _, o := range v.steps[i].open {
		if o != active && (o.order > active.order || !o.worth) {
			continue
		}
		if ahead.fits(o.steps[i], left) {
			return o
		}
		if fastest == nil || o.steps[i].mean < fastest.steps[i].mean {
			fastest = o
		}
	}
	return fastest
}
