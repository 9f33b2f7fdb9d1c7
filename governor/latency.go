package governor

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/fathom-edge/fathom/runtime/profile"
)

// maxRungs is the longest ladder of the policies that learn each rung.
const maxRungs = 64

// perRung is a number for each rung; as JSON it ends with the last that is not 0.
type perRung [maxRungs]float64

// MarshalJSON writes an array.
func (p perRung) MarshalJSON() ([]byte, error) {
	n := len(p)
	for n > 0 && p[n-1] == 0 {
		n--
	}
	return json.Marshal(p[:n])
}

// UnmarshalJSON reads an array of at most 64 numbers.
func (p *perRung) UnmarshalJSON(data []byte) error {
	var list []float64
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	if len(list) > maxRungs {
		return fmt.Errorf("%d rungs, want at most %d", len(list), maxRungs)
	}
	*p = perRung{}
	copy(p[:], list)
	return nil
}

// Latency learns how much slower than profiled the board is: one factor for the
// whole ladder, and a smaller one for each rung, as logarithms, so that a
// latency is lognormal. It is ALERT's filter (Wan et al., USENIX ATC 2020) with
// some changes: the measured noise is learned instead of set, each rung has an
// offset of its own, single interruptions and the first frame after a switch are
// counted apart, and the spread is multiplied by a caution that is learned from
// the frames that were late.
//
//	ln(measured / profiled) = mean + offset(rung) + noise
type Latency struct {
	// Mean of the common factor's logarithm, its variance, and by how much that grows with each frame.
	Mean    float64 `json:"mean"`
	Var     float64 `json:"var"`
	Process float64 `json:"process"`
	// Noise is the variance of single frames.
	Noise float64 `json:"noise"`
	// Offset of each rung, and its variance.
	Offset    perRung `json:"offset"`
	OffsetVar perRung `json:"offset_var"`
	// Caution multiplies the standard deviation.
	Caution float64 `json:"caution"`
	// Spare is how many frames more than were late could have been, within ±spareFrames.
	Spare  float64 `json:"spare,omitempty"`
	Frames int     `json:"frames"`
	// Outliers in a row; the share of frames that something interrupts, and by how much longer they take, as a logarithm.
	Outliers         int     `json:"outliers,omitempty"`
	InterruptedShare float64 `json:"interrupted_share"`
	Interrupted      float64 `json:"interrupted"`
	// Switched is by how much longer the first frame after a change of the variant
	// takes, as a logarithm, and Last the rung of the last frame, plus one.
	Switched float64 `json:"switched"`
	Last     int     `json:"last,omitempty"`
}

const (
	// A rung's latency differs from the common factor by so much (one standard
	// deviation of the logarithm): networks of one family on one board differ in how
	// much of their time is memory.
	estimatedOffset = 0.15
	measuredOffset  = 0.03

	leastProcess  = 1e-5
	leastNoise    = 1e-4 // 1 %
	startNoise    = 2.5e-3
	processWeight = 0.3 // ALERT's alpha
	noiseWeight   = 0.03
	outlierSigmas = 4

	spareFrames       = 3
	shareWeight       = 1. / 2000
	startShare        = 0.001
	interruptedWeight = 0.2
	startInterrupted  = 0.4
	interruptedSpread = 0.2
	// ApproxDet and others measured that the first inference of a network that was
	// not in the caches takes longer; this much until it is learned.
	startSwitched, mostSwitched  = 0.2, 2.
	switchedWeight               = 0.1
	cautionStep                  = 0.2
	leastCaution, mostCaution    = 0.8, 4
	longestRatio                 = 1000
	leastLatencyVar, mostLatency = 1e-6, 30 * 365 * 24 * time.Hour
)

// start is what a ladder lets expect before the first frame.
func (l *Latency) start(p profile.Profile) {
	*l = Latency{Noise: startNoise, Process: leastProcess, Caution: 1, InterruptedShare: startShare, Interrupted: startInterrupted, Switched: startSwitched}
	for i := range min(len(p.Rungs), maxRungs) {
		cost := p.Rungs[i].Cost
		spread := float64(cost.StdDev) / float64(cost.Latency)
		offset := estimatedOffset
		if cost.Source == profile.Measured {
			offset = measuredOffset
		}
		l.OffsetVar[i] = offset * offset
		l.Var = max(l.Var, min(spread*spread, 1), leastLatencyVar)
	}
}

// observe learns from one frame on a rung that had the given time, where a share of the frames may be late.
func (l *Latency) observe(p profile.Profile, rung int, latency, deadline time.Duration, share float64) {
	profiled := float64(p.Rungs[rung].Cost.Latency)
	ratio := min(max(float64(latency)/profiled, 1./longestRatio), longestRatio)
	y := ln(ratio) - l.Mean - l.Offset[rung]
	late := 0.
	if latency > deadline {
		late = 1
	}
	l.Spare = min(max(l.Spare+share-late, -spareFrames), spareFrames)
	last := l.Last
	if l.Last = rung + 1; last != 0 && last != l.Last {
		l.Switched += float64(switchedWeight * (min(max(y, 0), mostSwitched) - l.Switched))
		return
	}

	// What was said of this frame against what became of it.
	if l.Frames > 0 {
		said := l.late(p, rung, deadline)
		l.Caution = min(max(l.Caution+float64(cautionStep*(late-said)), leastCaution), mostCaution)
	}
	l.Frames++

	common := l.Var + l.Process
	all := common + l.OffsetVar[rung] + l.Noise
	if y*y > outlierSigmas*outlierSigmas*all {
		// One frame is an accident; two in a row are another load.
		if l.Outliers++; l.Outliers == 1 {
			if y > 0 {
				l.InterruptedShare += shareWeight
				l.Interrupted += float64(interruptedWeight * (min(y, mostSwitched) - l.Interrupted))
			}
			y = math.Copysign(outlierSigmas*math.Sqrt(all), y)
		} else {
			common = min(common+float64(y*y), 1)
			all = common + l.OffsetVar[rung] + l.Noise
		}
	} else {
		l.Outliers = 0
	}
	l.InterruptedShare -= float64(shareWeight * l.InterruptedShare)
	gain, offsetGain := common/all, l.OffsetVar[rung]/all
	step := float64(gain * y)
	l.Mean += step
	l.Offset[rung] += float64(offsetGain * y)
	l.Var = max((1-gain)*common, leastLatencyVar)
	l.OffsetVar[rung] = max((1-offsetGain)*l.OffsetVar[rung], leastLatencyVar)
	l.Process = max(leastProcess, float64(processWeight*l.Process)+float64((1-processWeight)*float64(step*step)))
	l.Process = min(l.Process, 0.1)
	if l.Outliers < 2 {
		l.Noise = min(max(l.Noise+float64(noiseWeight*(float64(y*y)-all)), leastNoise), 1)
	}
}

// observeAgain counts a frame that only its second look made late.
func (l *Latency) observeAgain(first, again, deadline time.Duration) {
	if again > 0 && first <= deadline && again > deadline-first {
		l.Spare = max(l.Spare-1, -spareFrames)
	}
}

// expected is the mean latency of a rung, in seconds.
func (l *Latency) expected(p profile.Profile, rung int) float64 {
	return min(p.Rungs[rung].Cost.Latency.Seconds()*exp(l.Mean+l.Offset[rung]), mostLatency.Seconds())
}

// late is the probability that a frame on a rung misses a deadline.
func (l *Latency) late(p profile.Profile, rung int, deadline time.Duration) float64 {
	room, spread := l.room(p, rung, deadline), l.spread(rung)
	interrupted := tail((room - l.Interrupted) / (spread + interruptedSpread))
	return float64(l.InterruptedShare*interrupted) + float64((1-l.InterruptedShare)*tail(room/spread))
}

// lateSwitched is that of the first frame after a switch to the rung.
func (l *Latency) lateSwitched(p profile.Profile, rung int, deadline time.Duration) float64 {
	return tail((l.room(p, rung, deadline) - l.Switched) / l.spread(rung))
}

// lateTwice is that of a frame that runs on the rung below and then for a multiple of what the rung takes.
func (l *Latency) lateTwice(p profile.Profile, rung int, cost float64, deadline time.Duration) float64 {
	both := l.expected(p, rung-1) + float64(cost*l.expected(p, rung))
	return tail((ln(deadline.Seconds()) - ln(both)) / l.spread(rung))
}

// room is the logarithm of the deadline over the expected latency.
func (l *Latency) room(p profile.Profile, rung int, deadline time.Duration) float64 {
	return ln(float64(deadline)) - ln(float64(p.Rungs[rung].Cost.Latency)) - l.Mean - l.Offset[rung]
}

// spread is the standard deviation of the logarithm of a rung's latency.
func (l *Latency) spread(rung int) float64 {
	return float64(l.Caution * math.Sqrt(l.Var+l.OffsetVar[rung]+l.Noise))
}

// slowdown is the common factor.
func (l *Latency) slowdown() float64 { return exp(l.Mean) }
