package governor

import (
	"fmt"

	"github.com/fathom-edge/fathom/runtime/profile"
)

// Reason is one short sentence that explains a decision. It is put into words
// when it is read, so that deciding needs no memory. The zero Reason says nothing.
type Reason struct {
	text  string // where the words were known at once, or read from a log
	why   why
	value [3]float64
	word  string
	// What runs: the rungs of a pair, the share of the upper, and the rate; no fps where the reason does not say.
	// again is the share of the lower rung's frames that may run once more, at to.
	lower, upper, to  string
	share, again, fps float64
}

// Say is a reason in words.
func Say(text string) Reason { return Reason{text: text} }

// IsZero says that there is no reason.
func (r Reason) IsZero() bool { return r.why == 0 && r.text == "" }

// String is the sentence.
func (r Reason) String() string {
	if r.why == 0 {
		return r.text
	}
	return r.why.say(r.value[0], r.value[1], r.value[2], r.word) + r.runs()
}

// runs adds what the decision leads to.
func (r Reason) runs() string {
	switch {
	case r.fps == 0:
		return ""
	case r.lower == r.upper:
		return fmt.Sprintf("; %s at %.3g frames/s", r.lower, r.fps)
	case r.again > 0 && r.share == 0:
		return fmt.Sprintf("; %s, and up to %.0f %% of the frames, the doubtful ones, again at %s, at %.3g frames/s", r.lower, 100*r.again, r.to, r.fps)
	case r.again > 0:
		return fmt.Sprintf("; %s for %.0f %% of the time, else %s, and up to %.0f %% of its frames, the doubtful ones, again at %s, at %.3g frames/s",
			r.upper, 100*r.share, r.lower, 100*r.again, r.to, r.fps)
	}
	return fmt.Sprintf("; %s for %.0f %% of the time, else %s, at %.3g frames/s", r.upper, 100*r.share, r.lower, r.fps)
}

// MarshalText writes the sentence.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText keeps a sentence as it was written.
func (r *Reason) UnmarshalText(text []byte) error {
	*r = Reason{text: string(text)}
	return nil
}

// Equal says whether two reasons read the same.
func (r Reason) Equal(o Reason) bool { return r.String() == o.String() }

// pair adds what runs: the upper rung for a share of the time, and frames of the lower again.
func (r *Reason) pair(p profile.Profile, s Split, upper int, to string, turns, again, fps float64) {
	r.lower, r.upper, r.to = p.Rungs[s.Pair].Variant, p.Rungs[upper].Variant, to
	r.share, r.again, r.fps = turns, again, fps
	switch s.Share {
	case 0:
		r.upper = r.lower
	case 1:
		r.lower = r.upper
	}
}

// Cause is what keeps a decision from being deeper or faster, in a word: one of
// the concerns, or what is wrong with what the policy knows.
type Cause string

// The causes of the policies that plan.
const (
	CauseHeat        = Cause(Heat)
	CauseDeadline    = Cause(Deadline)
	CauseCharge      = Cause(Charge)
	CauseCPU         = Cause(CPU)
	CauseRange       = Cause("greatest-depth")
	CauseQuiet       = Cause("quiet-hours")
	CauseThrottled   = Cause("throttled")
	CauseVoltage     = Cause("under-voltage")
	CauseTemperature = Cause("temperature-unknown")
	CauseNoCharge    = Cause("charge-unknown")
	CauseLowCharge   = Cause("charge-low")
)

// why is a sentence with places for three numbers and a word.
type why uint8

const (
	whyNothing why = 1 + iota
	whyRange
	whyHeat
	whyBurst
	whyPID
	whyNoTemperature
	whyThrottled
	whyVoltage
	whyFlagged
	whyBattery
	whyAverage
	whyLowCharge
	whyNoCharge
	whyCPU
	whyLate
	whyTooSlow
	whyQuiet
	whyOtherBoard
	whyProfileOff
	whySwapped
)

func (w why) say(a, b, c float64, word string) string {
	switch w {
	case whyNothing:
		return "nothing limits"
	case whyRange:
		return fmt.Sprintf("%s is the greatest depth allowed", word)
	case whyHeat:
		return fmt.Sprintf("%.0f %% of the processor keeps it below %.1f °C for the next %.0f s", max(100*a, 0), b, c)
	case whyBurst:
		return fmt.Sprintf("%.0f %% of the processor leave room for another %.0f s in which other programs take %.0f %%", max(100*a, 0), c, b)
	case whyPID:
		return fmt.Sprintf("%.1f K below the target, which affords %.0f %% of the processor", a, max(100*b, 0))
	case whyNoTemperature:
		return fmt.Sprintf("temperature unknown (%s) for %.0f s", word, a)
	case whyThrottled:
		return "the board throttles"
	case whyVoltage:
		return "the supply voltage is too low"
	case whyFlagged:
		return fmt.Sprintf("throttled or short of voltage %.0f s ago", a)
	case whyBattery:
		return fmt.Sprintf("%.2f W let the charge of %.0f %% last for %.1f h", max(a, 0), c, b)
	case whyAverage:
		return fmt.Sprintf("%.2f W keep the average power", max(a, 0))
	case whyLowCharge:
		return fmt.Sprintf("charge %.0f %%, least %.0f", a, b)
	case whyNoCharge:
		return fmt.Sprintf("charge unknown (%s)", word)
	case whyCPU:
		return fmt.Sprintf("%.0f %% of the processor are left to others", a)
	case whyLate:
		return fmt.Sprintf("%s would miss %.1f ms for %.1f %% of the frames, allowed %.3g", word, b, a, c)
	case whyTooSlow:
		return fmt.Sprintf("even %s needs up to %.1f ms and has %.1f: the rate falls", word, a, b)
	case whyQuiet:
		return "quiet hours"
	case whyOtherBoard:
		return fmt.Sprintf("the profile is of another board, %s: measure this one with fathom bench", word)
	case whyProfileOff:
		return fmt.Sprintf("frames take %.2f times as long as the profile measured: is it of this board?", a)
	case whySwapped:
		return "the charge jumped: another battery?"
	}
	return ""
}
