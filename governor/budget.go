package governor

import (
	"math"
	"time"

	"github.com/fathom-edge/fathom/runtime/profile"
)

// budget is the least of what the concerns allow.
type budget struct {
	// least and greatest are the user's; top is the deepest rung that is allowed now.
	least, greatest, top int
	topCause             Cause
	topReason            Reason
	// The shares of all cores that inference may use, by the concerns that matter
	// more than depth and by those that matter more than the rate.
	depth, rate allowance
	// peak is what may be driven for the next peakSeconds, within a turn of the upper rung.
	peak    float64
	slowest bool // at the least rate, whatever the budget
	// fps at which the least rung is in time; 0 for any.
	lateFPS    float64
	lateReason Reason
	objectives Objectives
}

// allowance is a share of all cores and what set it.
type allowance struct {
	drive  float64
	cause  Cause
	reason Reason
}

func openBudget(in Input) budget {
	b := budget{peak: math.Inf(1), depth: allowance{drive: math.Inf(1)}, rate: allowance{drive: math.Inf(1)}, objectives: in.Objectives}
	b.least, b.greatest = in.Objectives.Range(in.Profile)
	b.greatest = max(b.greatest, b.least)
	b.top = b.greatest
	if b.greatest < len(in.Profile.Rungs)-1 {
		b.topCause, b.topReason = CauseRange, Reason{why: whyRange, word: in.Profile.Rungs[b.greatest].Variant}
	}
	return b
}

// rungs allows no deeper rung than the given one.
func (b *budget) rungs(deepest int, cause Cause, reason Reason) {
	if deepest = max(deepest, b.least); deepest < b.top {
		b.top, b.topCause, b.topReason = deepest, cause, reason
	}
}

// limit allows no more drive, at the cost of what matters less than the concern.
func (b *budget) limit(drive float64, concern Concern, cause Cause, reason Reason) {
	b.limitDepth(drive, concern, cause, reason)
	b.limitRate(drive, concern, cause, reason)
}

func (b *budget) limitDepth(drive float64, concern Concern, cause Cause, reason Reason) {
	if b.objectives.above(concern, Depth) && drive < b.depth.drive {
		b.depth = allowance{drive, cause, reason}
	}
}

func (b *budget) limitRate(drive float64, concern Concern, cause Cause, reason Reason) {
	if b.objectives.above(concern, Rate) && drive < b.rate.drive {
		b.rate = allowance{drive, cause, reason}
	}
}

// lostHeat goes no deeper than the middle without a temperature, after a grace,
// and to the least where it was hot.
func (b *budget) lostHeat(v view, lost, grace time.Duration, hot bool) {
	if lost < grace {
		return
	}
	deepest := (b.least + b.greatest) / 2
	if hot {
		deepest = b.least
	}
	b.rungs(deepest, CauseTemperature, Reason{why: whyNoTemperature, word: v.heat.unknown, value: [3]float64{lost.Seconds()}})
}

// share leaves the user's share of the processor to others.
func (b *budget) share(in Input) {
	if leave := in.Objectives.LeaveCPUPercent; leave > 0 {
		b.limit(1-leave/100, CPU, CauseCPU, Reason{why: whyCPU, value: [3]float64{leave}})
	}
}

// flags holds back what made the board throttle or its supply sag: it falls by a
// third at once and every flagRepeat while the flag stands, and comes back slowly.
func (b *budget) flags(s *State, in Input, v view, hold time.Duration) {
	throttled, throttledWhy := fresh(in.Snapshot.Throttle.Throttled, in.Now)
	low, lowWhy := fresh(in.Snapshot.Throttle.UnderVoltage, in.Now)
	s.ThrottledSeen = s.ThrottledSeen || throttledWhy == ""
	s.UnderVoltageSeen = s.UnderVoltageSeen || lowWhy == ""
	switch {
	case throttled, low:
		// Throttling of a board that is known to be hot is the thermal model's business.
		explained := throttled && !low && v.heat.unknown == "" && v.heat.celsius >= v.limit-flagKelvin
		before := v.drive - v.others
		if !explained && (s.FlagDrive == 0 || before > s.FlagDrive*flagFall && in.Now.Sub(s.FlagFellAt) >= flagRepeat) {
			s.FlagDrive, s.FlagFellAt = max(before*flagFall, leastFlagDrive), in.Now
		}
		s.FlaggedAt = in.Now
	case throttledWhy != "" && s.ThrottledSeen || lowWhy != "" && s.UnderVoltageSeen:
		// Lost: what they limited stays limited.
	case s.FlagDrive > 0 && in.Now.Sub(s.FlaggedAt) > hold:
		if s.FlagDrive *= 1 + float64(v.seconds*flagRise); s.FlagDrive > 1 {
			s.FlagDrive = 0
		}
	}
	switch {
	case throttled:
		b.rungs(b.least, CauseThrottled, Reason{why: whyThrottled})
	case low:
		b.limit(s.FlagDrive, Heat, CauseVoltage, Reason{why: whyVoltage})
	case s.FlagDrive > 0:
		b.limit(s.FlagDrive, Heat, CauseThrottled, Reason{why: whyFlagged, value: [3]float64{in.Now.Sub(s.FlaggedAt).Seconds()}})
	}
}

const (
	chargeGrace = 5 * time.Minute
	othersMean  = 1200. // s
)

const (
	flagFall   = 2. / 3
	flagRepeat = 3 * time.Second
	flagRise   = 1. / 120 // a share of itself in a second
	// A board that throttles this far below its limit tells a wrong temperature, or lacks power.
	flagKelvin     = 3
	leastFlagDrive = 0.02
)

// charge plans the battery.
func (b *budget) charge(s *State, in Input, v view, t *Terms) {
	charge, unknown := s.Energy.account(in, v.drive, v.seconds)
	s.Energy.Others += float64(min(v.seconds/othersMean, 1) * (v.others - s.Energy.Others))
	lost := time.Duration(0)
	if unknown == "" {
		t.add("charge", charge, "%")
		s.Energy.LostAt = time.Time{}
	} else if s.Energy.LostAt.IsZero() || s.Energy.LostAt.After(in.Now) {
		s.Energy.LostAt = in.Now
	}
	if unknown != "" {
		lost = in.Now.Sub(s.Energy.LostAt)
	}
	guessed := s.Energy.Charge > 0 && lost < chargeGrace // what flowed since the last reading is known well enough
	least := in.Objectives.MinChargePercent
	discharging, why := fresh(in.Snapshot.Power.Discharging, in.Now)
	fed := why == "" && !discharging
	switch {
	case least == 0 || fed:
		s.ChargeLow = false
	case unknown == "" || guessed:
		s.ChargeLow = charge < least || s.ChargeLow && charge < min(least+chargeBandPercent, 100)
	}
	if s.ChargeLow {
		b.rungs(b.least, CauseLowCharge, Reason{why: whyLowCharge, value: [3]float64{charge, least}})
	}
	if unknown != "" && !guessed && !fed && (least > 0 || in.Objectives.Battery.Until != 0 || in.Objectives.Battery.For != 0) {
		b.rungs((b.least+b.greatest)/2, CauseNoCharge, Reason{why: whyNoCharge, word: unknown})
	}
	shallowest := s.Latency.expected(in.Profile, b.least) * v.perBusy
	at := func(fps float64) float64 { return s.Energy.draw(min(float64(shallowest*fps)+s.Energy.Others, 1)) }
	plan, ok := s.Energy.plan(in, at(1/in.Objectives.LongestPeriod().Seconds()), at(in.Objectives.FPS))
	if !ok || s.Energy.Charge == 0 && in.Objectives.Battery.AverageWatts == 0 {
		return
	}
	t.add("power planned", plan.depth, "W")
	t.add("power", s.Energy.draw(v.drive), "W")
	reason := Reason{why: whyBattery, value: [3]float64{plan.depth, plan.hours, charge}}
	if in.Objectives.Battery.AverageWatts > 0 {
		reason.why = whyAverage
	}
	// Energy is a matter of hours: what others use counts as its mean, so that a job of theirs does not stop ours.
	afford := func(watts float64) float64 { return (watts-s.Energy.Watts[0])/s.Energy.Watts[1] - s.Energy.Others }
	b.limitDepth(afford(plan.depth), Charge, CauseCharge, reason)
	b.limitRate(afford(plan.rate), Charge, CauseCharge, reason)
}

// deadline keeps the share of late frames below the user's.
func (b *budget) deadline(s *State, in Input, t *Terms) {
	o := in.Objectives
	if !o.above(Deadline, Depth) && !o.above(Deadline, Rate) {
		return
	}
	deadline := o.DeadlineAt(o.FramePeriod())
	if o.rateFirst() {
		deadline = o.DeadlineAt(o.LongestPeriod())
	}
	most := o.LateShare()
	rung := b.top
	if o.above(Deadline, Depth) {
		for rung > b.least && s.Latency.late(in.Profile, rung, deadline) > most*strictness(s, rung, most) {
			rung--
		}
	}
	late := s.Latency.late(in.Profile, rung, deadline)
	t.add("late", 100*late, "%")
	if rung < b.top {
		b.rungs(rung, CauseDeadline, Reason{why: whyLate, word: in.Profile.Rungs[rung+1].Variant,
			value: [3]float64{100 * s.Latency.late(in.Profile, rung+1, deadline), 1000 * deadline.Seconds(), 100 * most}})
	}
	if o.Deadline == 0 && o.above(Deadline, Rate) && (late > most && rung == b.least || o.rateFirst()) {
		// Where even the shallowest does not fit, its time with what it varies is the period.
		need := s.Latency.expected(in.Profile, rung) * exp(quantile(most)*s.Latency.spread(rung))
		b.lateFPS = 1 / need
		b.lateReason = Reason{why: whyTooSlow, word: in.Profile.Rungs[rung].Variant, value: [3]float64{1000 * need, 1000 * deadline.Seconds()}}
	}
}

// strictness is how much of the allowed lateness a rung may use: going deeper
// wants twice the safety of staying, and while few frames were late a rung may
// stay that is late more often for a moment, and one that was never run be tried.
func strictness(s *State, rung int, most float64) float64 {
	if s.Started && rung <= s.LateTop {
		return 1 + float64(9*max(s.Latency.Spare, 0)/spareFrames)
	}
	if s.Latency.OffsetVar[rung] > notTried*notTried && s.Latency.Spare == spareFrames {
		return tryLate / most
	}
	return 0.5
}

const (
	// A rung whose own offset is known no better than this was hardly ever run. It is
	// tried where it may be late for so many of its frames: a few of them tell.
	notTried = 0.1
	tryLate  = 0.2
)

// quiet runs the least in the quiet hours.
func (b *budget) quiet(in Input) {
	if in.Objectives.Quiet(in.Now) {
		b.top, b.topCause, b.topReason = b.least, CauseQuiet, Reason{why: whyQuiet}
		b.slowest = true
	}
}

// settle adds the limits of everything but heat, which is all that the policies with a budget do differently, and spends
// the least of them.
func (b *budget) settle(s *State, in Input, v view, t turns, d *Decision) {
	b.flags(s, in, v, t.flagHold)
	b.charge(s, in, v, &d.Terms)
	b.share(in)
	b.deadline(s, in, &d.Terms)
	b.quiet(in)
	spendBudget(s, in, v, b, t, d)
}

// spendBudget moves the state along the ladder and completes the decision.
func spendBudget(s *State, in Input, v view, b *budget, c turns, d *Decision) {
	o := in.Objectives
	w := spend{
		least: b.least, top: b.top, fps: o.FPS, leastFPS: 1 / o.LongestPeriod().Seconds(),
		rateFirst: o.rateFirst(),
		switching: c.switchCost.Seconds() * v.perBusy, slice: c.slice.Seconds(), dwell: c.dwell, now: in.Now, seconds: v.seconds,
	}
	for i := range min(len(in.Profile.Rungs), maxRungs) {
		w.cost[i] = s.Latency.expected(in.Profile, i) * v.perBusy
		if i > 0 { // what was learned may say that a deeper rung is the cheaper
			w.cost[i] = max(w.cost[i], w.cost[i-1])
		}
	}
	for i := b.least; i <= b.top; i++ {
		w.lateSwitch[i] = s.Latency.lateSwitched(in.Profile, i, o.DeadlineAt(o.FramePeriod()))
		w.again[i] = secondLook(s, in, b, i)
	}
	w.lateShare, w.overLate = o.LateShare(), s.Latency.Spare < 0
	if b.lateFPS > 0 {
		w.fps = max(min(w.fps, b.lateFPS), w.leastFPS)
	}
	if b.slowest {
		w.fps = w.leastFPS
	}
	w.peak = b.peak
	w.depthDrive, w.rateDrive = b.depth.drive, b.rate.drive
	first := !s.Started
	rung, fps := s.Split.spend(&w, first)

	if first || s.Rung != rung {
		s.ChangedAt = in.Now
	}
	s.Started, s.Rung, s.Stretches = true, rung, 0
	s.LateTop = b.top
	s.Work.FPS = fps
	d.Variant = in.Profile.Rungs[rung].Variant
	d.FramePeriod = period(fps)
	again := s.Split.escalation(&w)
	if !s.Split.On {
		d.Escalation = again
	}
	upper := max(min(s.Split.Pair+1, b.top), s.Split.Pair)
	d.Pair = [2]int{s.Split.Pair, upper}
	explain(s, in, b, d)
	d.Reason.pair(in.Profile, s.Split, upper, w.again[upper].To, s.Split.turns(&w), again, fps)
	d.Terms.add("budget", b.depth.drive, "")
	d.Terms.add("drive", v.drive, "")
	d.Terms.add("others", v.others, "")
	d.Terms.add("share", s.Split.Share, "")
	d.Terms.add("slowdown", s.Latency.slowdown(), "")
	d.Terms.add("spread", s.Latency.spread(rung), "")
	d.Terms.add("rung", float64(rung), "")
	d.Terms.add("slower", float64(s.Split.Slower), "")
}

// secondLook is what doubtful frames of the rung below a rung may have instead of
// turns of it: zero where nothing was calibrated, or where both together would be
// late or deeper than allowed.
func secondLook(s *State, in Input, b *budget, rung int) Escalation {
	if rung <= b.least || rung > len(in.Escalations) || s.Latency.Spare < 0 {
		return Escalation{}
	}
	e := in.Escalations[rung-1]
	to, ok := in.Profile.Index(e.To)
	o := in.Objectives
	if !ok || to > b.top || s.Latency.lateTwice(in.Profile, rung, e.Cost, o.DeadlineAt(o.FramePeriod())) > o.LateShare() {
		return Escalation{}
	}
	return e
}

// explain says what keeps the decision from being deeper or faster.
func explain(s *State, in Input, b *budget, d *Decision) {
	atTop := s.Split.Pair >= b.top || s.Split.Pair == b.top-1 && s.Split.Share == 1
	switch {
	case b.slowest:
		d.Cause, d.Reason = b.topCause, b.topReason
	case s.Split.Slower > 0:
		d.Cause, d.Reason = b.rate.cause, b.rate.reason
	case b.lateFPS > 0 && b.lateFPS < in.Objectives.FPS:
		d.Cause, d.Reason = CauseDeadline, b.lateReason
	case atTop && b.topCause != "":
		d.Cause, d.Reason = b.topCause, b.topReason
	case atTop:
		d.Reason = Reason{why: whyNothing}
	default:
		d.Cause, d.Reason = b.depth.cause, b.depth.reason
	}
	d.Warning = warning(s, in)
}

const (
	warnAfterFrames = 50
	warnRatio       = 1.5
	warnSwapped     = 10 * time.Minute
)

// warning is what the user ought to look at.
func warning(s *State, in Input) Reason {
	slowdown := s.Latency.slowdown()
	switch p := in.Profile; {
	case p.Board != "" && in.Snapshot.Board != "" && p.Board != in.Snapshot.Board:
		return Reason{why: whyOtherBoard, word: p.Board}
	case p.Rungs[0].Cost.Source == profile.Measured && s.Latency.Frames >= warnAfterFrames && (slowdown > warnRatio || slowdown < 1/warnRatio):
		return Reason{why: whyProfileOff, value: [3]float64{slowdown}}
	case !s.Energy.SwappedAt.IsZero() && in.Now.Sub(s.Energy.SwappedAt) < warnSwapped:
		return Reason{why: whySwapped}
	}
	return Reason{}
}
