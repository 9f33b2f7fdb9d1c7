package sim

import "time"

// Account is what came of a case.
type Account struct {
	Seconds int // simulated
	// Requested frames are those at the wanted rate; Classified of them ran, of
	// which Late missed the deadline. Correct is the expected number of right labels.
	Requested, Classified, Late int
	Correct                     float64

	SecondsThrottled float64
	// AvoidableThrottled are those of them in which the rule of AvoidableSeconds would not have been throttled.
	AvoidableThrottled float64
	// SecondsAbove the ceiling; of these, AvoidableSeconds are those in which a rule
	// would have been below that went to the least depth and rate at the first reading
	// that showed the disturbance (Run says when that is).
	SecondsAbove, AvoidableSeconds float64
	MaxCelsius, MaxAboveKelvin     float64
	// SecondsOverCPU are those in which less was left to others than the user asked for, though they wanted it.
	SecondsOverCPU float64

	// EndPercent is the charge at the end and MissedPercent by how much it is below
	// the reserve, or would be: an empty battery counts on at the mean power so far.
	EndPercent, MissedPercent float64
	HasBattery                bool
	EmptyAfter                time.Duration // 0 if it never was

	Switches    int // changes of the variant
	PairChanges int // changes of the pair of rungs between which time is split
	RateChanges int
	MeanDepth   float64 // rung of the classified frames
}

// Utility is the accuracy over every requested frame.
func (a Account) Utility() float64 { return a.Correct / float64(max(a.Requested, 1)) }

// LateShare is over the frames that were classified.
func (a Account) LateShare() float64 { return float64(a.Late) / float64(max(a.Classified, 1)) }

// PerHour makes a count a rate.
func (a Account) PerHour(count int) float64 {
	return float64(count) * 3600 / float64(max(a.Seconds, 1))
}

// Limits are how much of each violation still counts as none.
type Limits struct {
	LateShare     float64
	Seconds       float64 // avoidably throttled or above the ceiling, or over the share of the CPU, each
	MissedPercent float64
}

// Meets says whether an account keeps the limits.
func (a Account) Meets(l Limits) bool {
	return a.LateShare() <= l.LateShare && a.AvoidableThrottled <= l.Seconds && a.AvoidableSeconds <= l.Seconds &&
		a.SecondsOverCPU <= l.Seconds && a.MissedPercent <= l.MissedPercent
}
