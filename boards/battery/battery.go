// Package battery drives fuel gauges on I²C that no kernel driver serves.
//
// An address does not identify a chip (0x36 alone is used by several gauges), so
// a gauge is configured by name, never searched for, and a driver writes nothing
// to the chip. A gauge asks its chip on every Sense; call it from one goroutine.
package battery

// State is what a fuel gauge measured.
type State struct {
	Volts float64
	// ChargePercent is the state of charge in [0, 100].
	ChargePercent float64
	// PercentPerHour is how fast the charge changes; negative while the battery is drained.
	PercentPerHour float64
}
