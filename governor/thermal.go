package governor

import (
	"math"
	"time"
)

// poles are the time constants of the thermal model in seconds. The die's is
// about 3 s on every board whose fast part was resolved. The case's, which is
// between 15 and 400 s, is learned as a mixture of two; what is slower still
// (a second wall, the sun) moves the offset.
var poles = [...]float64{3, 30, 240}

const nPoles = len(poles)

// Thermal learns on line how a board heats:
//
//	T(t) = offset(t) + Σ gain_i·x_i(t),   dx_i/dt = (drive - x_i) / pole_i
//
// The drive is the share of all cores that works, in [0, 1]. Since the poles are
// given, T is linear in what is unknown, and a Kalman filter (recursive least
// squares with a random walk of the offset) learns it from the *output*: noise,
// quantization and dropouts of the sensor do not bias it, as they would an
// autoregressive model. The prior is that of a small board: its width covers
// from a Pi 5 with a fan to a Zero in a case.
type Thermal struct {
	Started bool            `json:"started"`
	Updates int             `json:"updates"` // readings learned from
	Heat    [nPoles]float64 `json:"heat"`    // x: the drive after each pole
	// Lags are hypotheses on how old the readings are, and Lag the one that holds. Past are the last drives.
	Lags [nLags]Lagged       `json:"lags"`
	Lag  int                 `json:"lag"`
	Past [longestLag]float64 `json:"past"`
	// Theta are the offset in °C and the gains in K per full drive; Cov is its covariance.
	Theta [1 + nPoles]float64             `json:"theta"`
	Cov   [1 + nPoles][1 + nPoles]float64 `json:"cov"`
	// Noise is the variance of the readings about the model, and Process by how much that of the offset grows in a second.
	Noise   float64 `json:"noise"`
	Process float64 `json:"process"`
	// Surprise is the last of the differences to the model.
	Surprise float64 `json:"surprise"`
	// Rough is the mean square of the surprises to the hot side, which the margin follows.
	Rough float64 `json:"rough"`

	// Constant is the reading that does not change, since when, and Work the heat it ought to have followed: see stuck.
	Constant      float64   `json:"constant"`
	ConstantSince time.Time `json:"constant_since,omitzero"`
	Low           float64   `json:"low"`
	High          float64   `json:"high"`
	// DoubtedAt is since when the readings are not believed.
	DoubtedAt time.Time `json:"doubted_at,omitzero"`
}

var (
	priorGain   = [nPoles]float64{7, 9, 14}
	priorSpread = [nPoles]float64{4, 7, 10}
)

const (
	priorOffsetSpread = 3
	startTempNoise    = 0.25
	leastTempNoise    = 0.04
	mostTempNoise     = 16
	jumpSigmas        = 4
	jumpKelvin        = 1.5
	leastDrift        = 4e-4 // K² per second: 0.02 K in a second
	mostDrift         = 0.3
	driftWeight       = 0.1
	noiseShare        = 0.02
	gainDrift         = 1e-5
	leastTotalGain    = 2 // no board that needs a governor heats less
	mostGain          = 200
)

// settle takes the board to have had a drive for long: at the first step, and after a gap.
func (m *Thermal) settle(drive float64) {
	for i := range m.Past {
		m.Past[i] = drive
	}
	m.Heat = [nPoles]float64{drive, drive, drive}
	for k := range m.Lags {
		m.Lags[k].Heat = m.Heat
	}
}

// begin is the first reading, also after a gap. Gains that were learned before are kept.
func (m *Thermal) begin(celsius float64) {
	old := *m
	*m = Thermal{Started: true, Heat: old.Heat, Lags: old.Lags, Lag: old.Lag, Past: old.Past,
		Noise: startTempNoise, Process: leastDrift, Rough: startTempNoise}
	for k := range m.Lags {
		m.Lags[k].Offset, m.Lags[k].Score = 0, startTempNoise
	}
	m.Theta[0] = celsius
	m.Cov[0][0] = priorOffsetSpread * priorOffsetSpread
	for i := range poles {
		m.Theta[1+i], m.Cov[1+i][1+i] = priorGain[i], priorSpread[i]*priorSpread[i]
		if old.Noise > 0 {
			m.Theta[1+i], m.Cov[1+i][1+i] = old.Theta[1+i], old.Cov[1+i][1+i]
		}
		m.Theta[0] -= float64(m.Theta[1+i] * m.Lags[m.Lag].Heat[i])
	}
}

// advance lets time pass under a drive.
func (m *Thermal) advance(seconds, drive float64) {
	copy(m.Past[1:], m.Past[:longestLag-1])
	m.Past[0] = drive
	for i, tau := range poles {
		rest := exp(-seconds / tau)
		m.Heat[i] = drive + float64((m.Heat[i]-drive)*rest)
		for k, lag := range lags {
			old := m.Past[lag]
			m.Lags[k].Heat[i] = old + float64((m.Lags[k].Heat[i]-old)*rest)
		}
		m.Cov[1+i][1+i] += float64(gainDrift * seconds)
	}
	m.Cov[0][0] = min(m.Cov[0][0]+float64(m.Process*seconds), 400)
}

// celsius is the temperature that the model has now, and read what a reading of now ought to be.
func (m *Thermal) celsius() float64 { return m.Theta[0] + m.rise(&m.Heat) }
func (m *Thermal) read() float64    { return m.Theta[0] + m.rise(&m.Lags[m.Lag].Heat) }

func (m *Thermal) rise(heat *[nPoles]float64) float64 {
	sum := 0.
	for i, x := range heat {
		sum += float64(m.Theta[1+i] * x)
	}
	return sum
}

// innovation is by how much a reading differs from the model, the variance of
// that, and the gains of the filter. What is far outside of the variance is taken
// for a jump of the offset (the sun, a fan), whose own variance jump then is.
func (m *Thermal) innovation(celsius float64) (y, variance, jump float64, gain [1 + nPoles]float64) {
	y = celsius - m.read()
	h := m.row()
	variance = m.Noise
	for i := range h {
		for j := range h {
			gain[i] += float64(m.Cov[i][j] * h[j])
		}
		variance += float64(h[i] * gain[i])
	}
	if square := float64(y * y); m.Updates > 0 && square > max(jumpSigmas*jumpSigmas*variance, jumpKelvin*jumpKelvin) {
		jump = square
		gain[0] += jump
		variance += jump
	}
	for i := range gain {
		gain[i] /= variance
	}
	if m.Updates < longestLag { // the first work may not show yet, and silence would teach that it heats nothing
		clear(gain[1:])
	}
	return y, variance, jump, gain
}

func (m *Thermal) row() (h [1 + nPoles]float64) {
	h[0] = 1
	copy(h[1:], m.Lags[m.Lag].Heat[:])
	return h
}

// observe learns from a reading.
func (m *Thermal) observe(celsius, seconds float64) {
	y, variance, jump, gain := m.innovation(celsius)
	m.Updates++
	m.Cov[0][0] += jump
	for i := range gain {
		step := float64(gain[i] * y)
		m.Theta[i] += step
		for j := range gain {
			m.Cov[i][j] -= float64(float64(gain[i]*gain[j]) * variance)
		}
	}
	for i := range m.Cov { // rounding must not make it lopsided
		m.Cov[i][i] = max(m.Cov[i][i], 1e-9)
		for j := range i {
			mean := (m.Cov[i][j] + m.Cov[j][i]) / 2
			m.Cov[i][j], m.Cov[j][i] = mean, mean
		}
	}
	total := 0.
	for i := range poles {
		least := 0.
		if i == 0 && m.Updates < lagSettled {
			least = priorGain[0] / 2
		}
		m.Theta[1+i] = min(max(m.Theta[1+i], least), mostGain)
		total += m.Theta[1+i]
	}
	if total < leastTotalGain {
		m.Theta[nPoles] += leastTotalGain - total
	}
	// What a reading differs from the last one's surprise is noise, also where both are off.
	change := y - m.Surprise
	m.Noise = min(max(m.Noise+float64(noiseShare*(min(float64(change*change)/2, 9*variance)-m.Noise)), leastTempNoise), mostTempNoise)
	rough := 0.
	if y > 0 {
		rough = 2 * min(float64(y*y), 9*variance)
	}
	m.Rough = min(max(m.Rough+float64(0.02*(rough-m.Rough)), leastTempNoise), mostTempNoise)
	// Surprises that follow one another on the same side mean that the offset moves
	// faster than thought; those that alternate are noise.
	m.Process *= 1 + float64(driftWeight*min(max(y*m.Surprise/variance, -1), 1))
	m.Process = min(max(m.Process, leastDrift), mostDrift)
	m.Surprise = y
	m.weigh(celsius)
}

// affordable is the greatest constant drive that keeps the model at or below a
// temperature over the horizon, looked at in five instants of it.
func (m *Thermal) affordable(offset, celsius, horizon float64) float64 {
	least := math.Inf(1)
	for _, share := range [...]float64{1. / 16, 1. / 8, 1. / 4, 1. / 2, 1} {
		room, slope := celsius-offset, 0.
		for i, tau := range poles {
			rest := exp(-horizon * share / tau)
			room -= float64(m.Theta[1+i] * float64(m.Heat[i]*rest))
			slope += float64(m.Theta[1+i] * (1 - rest))
		}
		least = min(least, room/max(slope, 1e-3))
	}
	return least
}

// unsure is the standard deviation of the rise within some seconds of full drive, as
// far as it comes from gains that are not learned yet.
func (m *Thermal) unsure(seconds float64) float64 {
	var rise [nPoles]float64
	for i, tau := range poles {
		rise[i] = (1 - m.Heat[i]) * (1 - exp(-seconds/tau))
	}
	variance := 0.
	for i := range rise {
		for j := range rise {
			variance += float64(float64(rise[i]*rise[j]) * m.Cov[1+i][1+j])
		}
	}
	return math.Sqrt(max(variance, 0))
}

// affordableBefore is the greatest drive of inference beside that of others over
// the horizon, if for some seconds after it the others take burst and inference
// the given share of that drive.
func (m *Thermal) affordableBefore(offset, celsius, horizon, others, seconds, burst, share float64) float64 {
	room, slope := celsius-offset, 0.
	for i, tau := range poles {
		rest, later := exp(-horizon/tau), exp(-seconds/tau)
		before := float64(m.Heat[i]*rest) + float64(others*(1-rest))
		room -= float64(m.Theta[1+i] * (float64(before*later) + float64(burst*(1-later))))
		slope += float64(m.Theta[1+i] * (float64((1-rest)*later) + float64(share*(1-later))))
	}
	return room / max(slope, 1e-3)
}

// predicted is the temperature after a time of constant drive.
func (m *Thermal) predicted(offset, drive, seconds float64) float64 {
	sum := offset
	for i, tau := range poles {
		x := drive + float64((m.Heat[i]-drive)*exp(-seconds/tau))
		sum += float64(m.Theta[1+i] * x)
	}
	return sum
}
