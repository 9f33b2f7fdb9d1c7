package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/fathom-edge/fathom/runtime/profile"
)

// Depth is one rung of a ladder: its work relative to the others, and its accuracy in [0, 1].
type Depth struct {
	Variant  string
	Work     float64
	Accuracy float64
}

// DefaultLadder is a residual family of six depths: accuracy rises by less with
// every block, as it does from ResNet-18 to ResNet-50.
func DefaultLadder() []Depth {
	return []Depth{
		{"1-1-1", 1, 0.700}, {"2-1-2", 1.8, 0.780}, {"2-2-2", 2.8, 0.830},
		{"3-3-3", 4, 0.865}, {"4-4-4", 5.4, 0.890}, {"5-5-5", 7, 0.905},
	}
}

// LadderOf is the ladder of a profile.
func LadderOf(p profile.Profile) ([]Depth, error) {
	var ladder []Depth
	for _, r := range p.Rungs {
		if r.Accuracy == nil {
			return nil, fmt.Errorf("sim: the accuracy of %s is not known (run fathom eval): a simulation counts nothing else", r.Variant)
		}
		ladder = append(ladder, Depth{r.Variant, float64(r.Cost.Latency), *r.Accuracy})
	}
	return ladder, nil
}

func validateLadder(ladder []Depth) error {
	if len(ladder) == 0 {
		return fmt.Errorf("sim: the ladder is empty")
	}
	for i, d := range ladder {
		if d.Variant == "" || !(d.Work > 0) || !(d.Accuracy > 0 && d.Accuracy <= 1) || !finite(d.Work) ||
			i > 0 && (d.Work <= ladder[i-1].Work || d.Accuracy <= ladder[i-1].Accuracy) {
			return fmt.Errorf("sim: ladder: %s with work %g and accuracy %g: want both to rise from rung to rung", d.Variant, d.Work, d.Accuracy)
		}
	}
	return nil
}

// deepestLatency is what the deepest variant takes alone on a board at full
// clock: of no weight, since utilisation fixes the rate by it.
const deepestLatency = 160 * time.Millisecond

// latencies are what the rungs take on an idle board at full clock.
func latencies(ladder []Depth) []time.Duration {
	list := make([]time.Duration, len(ladder))
	for i, d := range ladder {
		list[i] = time.Duration(float64(deepestLatency) * d.Work / ladder[len(ladder)-1].Work)
	}
	return list
}

const (
	// profileSpread is by how much a profile is wrong as a whole (another board of the
	// kind, another clock), and rungSpread by how much its rungs are against each other.
	profileSpread = 0.15
	rungSpread    = 0.03
	toldSpread    = 0.05 // what the profile says of itself
)

// toldProfile is a measured profile as wrong as they are.
func toldProfile(board string, ladder []Depth, exact []time.Duration, r *rand.Rand) profile.Profile {
	all := math.Exp(profileSpread * r.NormFloat64())
	p := profile.Profile{Board: board}
	for i, d := range ladder {
		latency := float64(exact[i]) * all * math.Exp(rungSpread*r.NormFloat64())
		if i > 0 {
			latency = max(latency, float64(p.Rungs[i-1].Cost.Latency))
		}
		accuracy := d.Accuracy
		p.Rungs = append(p.Rungs, profile.Rung{
			Variant: d.Variant, MACs: int64(d.Work * 1e8), Accuracy: &accuracy,
			Cost: profile.Cost{Latency: time.Duration(latency), StdDev: time.Duration(toldSpread * latency), Source: profile.Measured},
		})
	}
	return p
}
