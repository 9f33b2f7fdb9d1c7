package results

import (
	"math/rand/v2"
	"slices"
)

// Interval is the median of some values and its 95 % interval.
type Interval struct {
	Median float64 `json:"median"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	// Samples are the values, in the order in which they were given.
	Samples []float64 `json:"samples"`
}

// MedianInterval bootstraps the median of the values, of which there is at least
// one: ratios of blocks that took turns, say. Equal values give equal intervals.
func MedianInterval(values []float64) Interval {
	const resamples = 2000
	random := rand.New(rand.NewPCG(1, 0))
	medians, again := make([]float64, resamples), make([]float64, len(values))
	for k := range medians {
		for j := range again {
			again[j] = values[random.IntN(len(values))]
		}
		medians[k] = Median(again)
	}
	slices.Sort(medians)
	return Interval{Median(values), medians[resamples*25/1000], medians[resamples*975/1000], values}
}

// Median of at least one value; of an even number, the mean of the two in the middle.
func Median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
