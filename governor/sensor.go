package governor

import "time"

const (
	// A reading that stays the same to the last bit for so long, while the model
	// moves by so much, is stuck; it teaches nothing from half of that on.
	stuckAfter  = time.Minute
	stuckKelvin = 3
	// Even a board that heats little follows a share of the prior gains.
	leastOfPrior = 0.15
	// A reading so far below the model (or six standard deviations, if that is more)
	// is not believed until it has stood for a time. One above it is always believed.
	fallKelvin  = 15
	fallSigmas  = 6
	doubtAtMost = 30 * time.Second

	stuckWhy = "stuck: it does not follow the work"
	fellWhy  = "fell faster than a board can cool"
)

// judge looks at whether a fresh reading can be one, and makes it unknown if not.
// It reports whether the model may learn from it.
func (m *Thermal) judge(h *heat, now time.Time) (learnable bool) {
	if h.unknown != "" || !m.Started {
		return true
	}
	worth := 0.
	for i := range poles {
		worth += float64(max(m.Theta[1+i], leastOfPrior*priorGain[i]) * m.Heat[i])
	}
	if h.celsius != m.Constant || m.ConstantSince.IsZero() || m.ConstantSince.After(now) {
		m.Constant, m.ConstantSince, m.Low, m.High = h.celsius, now, worth, worth
	}
	m.Low, m.High = min(m.Low, worth), max(m.High, worth)
	swing := m.High - m.Low
	if swing >= stuckKelvin && now.Sub(m.ConstantSince) >= stuckAfter {
		m.doubt(h, now, stuckWhy)
		return false
	}

	y, variance, jump, _ := m.innovation(h.celsius)
	variance -= jump
	if y < -fallKelvin && float64(y*y) > fallSigmas*fallSigmas*variance {
		if m.DoubtedAt.IsZero() || now.Sub(m.DoubtedAt) < doubtAtMost {
			m.doubt(h, now, fellWhy)
			return false
		}
		m.begin(h.celsius) // it has stood for long enough
	}
	m.DoubtedAt = time.Time{}
	return swing < stuckKelvin/2.
}

func (m *Thermal) doubt(h *heat, now time.Time, why string) {
	if m.DoubtedAt.IsZero() || m.DoubtedAt.After(now) {
		m.DoubtedAt = now
	}
	h.unknown = why
}
