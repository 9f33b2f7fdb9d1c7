package governor

// Lagged is a hypothesis on how old the readings are without saying so: the
// heat as it was then, what has to be added to what it explains, and the mean
// square of what is left.
type Lagged struct {
	Heat   [nPoles]float64 `json:"heat"`
	Offset float64         `json:"offset"`
	Score  float64         `json:"score"`
}

// lags in steps of the loop. A driver that polls, a filter in the firmware or a
// sensor beside the processor make readings old; a governor that does not know it
// swings.
var lags = [...]int{0, 3, 6, 10, 15}

const (
	nLags       = len(lags)
	longestLag  = 16
	lagOffset   = 0.05 // weight of a reading in the offset
	lagScore    = 0.01 // and in the score
	lagBetter   = 0.85 // a lag is taken over when its score is below this share of the present one's
	lagReadings = 60   // before the first
	// Until so many readings came the die is taken to heat by half its prior at least:
	// old readings hide it.
	lagSettled = 300
)

// weigh compares the hypotheses. They are told apart by the fast pole, whose gain
// is learned to be none while the wrong one holds: so it counts as half its prior
// at least.
func (m *Thermal) weigh(celsius float64) {
	best := 0
	for k := range m.Lags {
		l := &m.Lags[k]
		rest := celsius
		for i, x := range l.Heat {
			rest -= float64(max(m.Theta[1+i], priorGain[i]/2) * x)
		}
		if m.Updates == 1 {
			l.Offset = rest
		}
		off := rest - l.Offset
		l.Offset += float64(lagOffset * off)
		l.Score += float64(lagScore * (min(float64(off*off), 25) - l.Score))
		if l.Score < m.Lags[best].Score {
			best = k
		}
	}
	if m.Updates >= lagReadings && m.Lags[best].Score < lagBetter*m.Lags[m.Lag].Score {
		m.Lag = best
		m.forgetDie()
	}
}

// forgetDie lets the gain of the fast pole be learned anew, from its prior if it was
// below: what was learned of it with another lag is worth nothing.
func (m *Thermal) forgetDie() {
	more := max(priorGain[0]-m.Theta[1], 0)
	m.Theta[1] += more
	m.Theta[0] -= float64(more * m.Lags[m.Lag].Heat[0])
	for i := range m.Cov {
		m.Cov[1][i], m.Cov[i][1] = 0, 0
	}
	m.Cov[1][1] = priorSpread[0] * priorSpread[0]
}
