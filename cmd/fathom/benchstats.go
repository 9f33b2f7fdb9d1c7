package main

import (
	"math"
	"slices"
	"time"

	"github.com/fathom-edge/fathom/internal/results"
)

// quantiles of run times.
type quantiles struct {
	Samples int           `json:"samples"`
	P50     time.Duration `json:"p50_ns"`
	P90     time.Duration `json:"p90_ns"`
	P99     time.Duration `json:"p99_ns"`
}

func quantilesOf(took []time.Duration) quantiles {
	sorted := slices.Sorted(slices.Values(took))
	at := func(q float64) time.Duration {
		return sorted[min(int(math.Ceil(q*float64(len(sorted))))-1, len(sorted)-1)]
	}
	return quantiles{len(sorted), at(0.5), at(0.9), at(0.99)}
}

func medianTime(took []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(took))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// deviation is the standard deviation of run times around their median, from the
// median absolute deviation (times 1.4826 for a normal distribution), so that a
// few runs that were interrupted do not decide it.
func deviation(took []time.Duration) time.Duration {
	middle := medianTime(took)
	away := make([]time.Duration, len(took))
	for i, t := range took {
		away[i] = (t - middle).Abs()
	}
	return time.Duration(1.4826 * float64(medianTime(away)))
}

// paired is a/b, pair by pair.
func paired(a, b []time.Duration) results.Interval {
	ratios := make([]float64, min(len(a), len(b)))
	for k := range ratios {
		ratios[k] = float64(a[k]) / float64(b[k])
	}
	return results.MedianInterval(ratios)
}
