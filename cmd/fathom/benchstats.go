package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
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

// interval is a median and its 95 % interval.
type interval struct {
	Median float64 `json:"median"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	// Samples are the paired values.
	Samples []float64 `json:"samples"`
}

// paired is a/b, pair by pair: the median, and its interval by a bootstrap of the pairs.
func paired(a, b []time.Duration) interval {
	const resamples = 2000
	n := min(len(a), len(b))
	i := interval{Samples: make([]float64, n)}
	for k := range n {
		i.Samples[k] = float64(a[k]) / float64(b[k])
	}
	i.Median = medianOf(slices.Clone(i.Samples))
	random := rand.New(rand.NewPCG(4, 0))
	medians, again := make([]float64, resamples), make([]float64, n)
	for k := range medians {
		for j := range again {
			again[j] = i.Samples[random.IntN(n)]
		}
		medians[k] = medianOf(again)
	}
	slices.Sort(medians)
	i.Low, i.High = medians[resamples*25/1000], medians[resamples*975/1000]
	return i
}

// medianOf sorts the values.
func medianOf(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}
