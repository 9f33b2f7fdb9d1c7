package profile

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Candidate is a variant as a bundle states it, before its cost is known.
type Candidate struct {
	Name string
	MACs int64
	// Accuracy is top-1 on the *validation* split, in [0, 1]; nil if unknown.
	// Choices never use the test split.
	Accuracy *float64
}

// relativeSpread is the standard deviation of an estimate as a share of its
// latency. One board runs different networks at very different rates: on a Pi 4
// TFLite gives 4.0 GMAC/s for MobileNetV3-S, 5.3 for V3-L, 7.3 for V2 and
// 7.4-7.9 for ResNet-50 and V1, and ncnn 15 for ResNet-18 (XNNPACK README,
// ncnn benchmark, NetsPresso): a factor of two either way around the start value.
const relativeSpread = 0.5

// FromVariants estimates a profile from MACs alone, for a first start on a board
// that was not measured: latency = MACs / throughput with a standard deviation
// of half of it. The ladder keeps what Ladder keeps.
func FromVariants(candidates []Candidate, throughput MACsPerSecond, board string) (Profile, error) {
	if !(throughput > 0) || math.IsInf(float64(throughput), 0) {
		return Profile{}, fmt.Errorf("profile: throughput %g MAC/s, want a positive number", float64(throughput))
	}
	if len(candidates) == 0 {
		return Profile{}, errors.New("profile: no variants (the bundle is empty: convert the family again)")
	}
	seen := make(map[string]bool, len(candidates))
	rungs := make([]Rung, 0, len(candidates))
	for _, c := range candidates {
		if c.Name == "" || seen[c.Name] {
			return Profile{}, fmt.Errorf("profile: variant name %q is empty or stands twice", c.Name)
		}
		seen[c.Name] = true
		if c.MACs <= 0 {
			return Profile{}, fmt.Errorf("profile: %s: %d MACs, want more than 0", c.Name, c.MACs)
		}
		if err := checkAccuracy(c.Name, c.Accuracy); err != nil {
			return Profile{}, err
		}
		nanoseconds := float64(c.MACs) / float64(throughput) * 1e9
		if nanoseconds > float64(longestLatency) {
			return Profile{}, fmt.Errorf("profile: %s: %d MACs would take more than a day at %g MAC/s", c.Name, c.MACs, float64(throughput))
		}
		latency := max(time.Duration(nanoseconds), 1)
		rungs = append(rungs, Rung{
			Variant: c.Name, MACs: c.MACs, Accuracy: c.Accuracy,
			Cost: Cost{Latency: latency, StdDev: time.Duration(relativeSpread * float64(latency)), Source: Estimated},
		})
	}
	return Profile{Board: board, Rungs: Ladder(rungs)}, nil
}
