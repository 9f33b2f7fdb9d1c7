package governor

import "math"

// planned is what a battery goal allows, in watts.
type planned struct {
	// depth is the power that depth follows: it counts on a cautious share of the sun to come.
	// rate is that which frames are given up for, since one that is dropped costs more than a shallow one.
	depth, rate float64
	hours       float64 // to the goal
}

const (
	shortestPlan = 1. / 60 // hours
	planParts    = 48      // in which it looks ahead
	longestPart  = 1.5     // hours that still tell day from night
	// Hours for which the present input is counted on by night.
	inputPersists = 1
	// Of the charge, in percent: what an account of it may be off, beside half a step of the gauge.
	accountPercent = 0.15
	// Of the charge, in percent: how far below the reserve the goal may be missed before
	// frames are given up. Where a board draws most of its power idle, an hour without
	// frames saves less than a gauge can be off.
	lentPercent = 1.
	// Hours of spare energy with which frames begin to be given up before the sun was seen.
	lastMoment = 0.15
	// Where this share of what the least depth and rate need is missing, the goal is lost without sun.
	lostShare = 0.03
)

// plan is anew at each step; least and full are what the board draws at the least
// depth, at the least rate and at the wanted one. ok is false where there is no
// goal or it is over.
func (e *Energy) plan(in Input, least, full float64) (p planned, ok bool) {
	b := in.Objectives.Battery
	switch {
	case b.AverageWatts > 0:
		watts := b.AverageWatts + e.Saved*3600/averageSeconds
		return planned{depth: watts, rate: watts}, true
	case b.Until != 0:
		p.hours = b.Until.next(in.Now).Sub(in.Now).Hours()
	case b.For != 0:
		if e.Goal != b.For || e.Since.After(in.Now) {
			e.Goal, e.Since = b.For, in.Now
		}
		p.hours = e.Since.Add(b.For).Sub(in.Now).Hours()
		if p.hours <= 0 {
			return p, false
		}
	default:
		return p, false
	}
	reserve := min(b.Reserve()+accountPercent+e.Step/2, 100)
	perShare := e.capacity(in) / e.Converter
	left := (stored(e.Charge) - stored(reserve)) * perShare
	lent := (stored(reserve) - stored(max(reserve-lentPercent, accountPercent+e.Step/2))) * perShare
	room := (1 - stored(reserve)) * perShare
	hours := max(p.hours, shortestPlan)

	hour, level := hourOf(in.Now), e.Sun.level(b.statedWatts())
	factor, sure := e.Sun.today(level)
	share := unseenShare + float64((seenShare-unseenShare)*sure)
	depth, rate := widest, widest
	coming := 0.
	if e.Sun.dark(hour) { // a charger, most likely
		coming = e.Input * min(inputPersists, hours)
	}
	cautious := seenShare * coming
	part := hours / planParts
	mean := e.Sun.mean(level)
	for i := range planParts {
		more := mean
		if part <= longestPart {
			more = e.Sun.expected(hour+float64(part*(float64(i)+0.5)), level)
		}
		if more <= float64(darkShare*level) || part > longestPart { // another day is another
			factor, share = 1, unseenShare
		}
		more *= factor * part
		coming += more
		cautious += float64(share * more)
		after := part * float64(i+1)
		depth.narrow(left+cautious, room, after)
		rate.narrow(left+lent+coming, room+lent, after)
	}
	p.depth, p.rate = depth.end(left+cautious, hours), rate.end(left+lent+coming, hours)

	// Frames that are given up later save as much as those given up now, so they are
	// kept until the sun was seen, as long as the least rate can make up for it, or
	// where only the sun can.
	if wait := e.Sun.unseen(hour, level, hours); wait > 0 {
		need := float64(least * hours)
		spare := left + lent + coming - need
		until := least + spare/lastMoment
		if spare < 0 {
			until = least + float64((full-least)*min(-spare/max(lostShare*need, 1e-9), 1))
		}
		if until >= full { // nothing is to be given up, for no rounding either
			until = math.Inf(1)
		}
		p.rate = max(p.rate, min(until, (left+lent)/wait))
	}
	if e.Charge >= fullPercent { // what comes in would be lost
		p.depth, p.rate = max(p.depth, e.Input), max(p.rate, e.Input)
	}
	return p, true
}

// funnel holds the powers that, from now on, neither empty the battery nor let it
// overflow. What is even for longest loses least.
type funnel struct {
	low, high float64
	bent      bool // some time ahead needs another power: both are that until then
}

var widest = funnel{high: math.Inf(1)}

// narrow takes in what there is to spend until some hours from now, and the room of the battery.
func (f *funnel) narrow(left, room, hours float64) {
	low, high := (left-room)/hours, left/hours
	switch {
	case f.bent:
	case low > f.high:
		f.low, f.bent = f.high, true
	case high < f.low:
		f.high, f.bent = f.low, true
	default:
		f.low, f.high = max(f.low, low), min(f.high, high)
	}
}

// end is the power where all that is left is spent at the goal.
func (f *funnel) end(left, hours float64) float64 {
	return min(max(left/hours, f.low), f.high)
}
