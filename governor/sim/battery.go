package sim

import (
	"fmt"
	"math"
	"time"
)

// Battery counts energy in and out; it has no voltage and no losses.
type Battery struct {
	CapacityWattHours float64
	StartPercent      float64
	// InputWatts is what a panel or supply delivers all the time.
	InputWatts float64
}

// Validate says what makes a battery impossible.
func (b Battery) Validate() error {
	if !(b.CapacityWattHours > 0) || math.IsInf(b.CapacityWattHours, 0) ||
		!(b.StartPercent >= 0 && b.StartPercent <= 100) || !(b.InputWatts >= 0) || math.IsInf(b.InputWatts, 0) {
		return fmt.Errorf("sim: battery of %g Wh at %g %% with %g W input: want a positive capacity, 0 to 100 %% and no negative input",
			b.CapacityWattHours, b.StartPercent, b.InputWatts)
	}
	return nil
}

// after is the charge in percent after a time at constant power.
func (b Battery) after(percent, watts float64, d time.Duration) float64 {
	percent += (b.InputWatts - watts) * d.Hours() / b.CapacityWattHours * 100
	return min(max(percent, 0), 100)
}
