// Package telemetry holds the types in which a board says how it is. It
// imports nothing of Fathom's.
//
// The rule of the package: a value and its validity are inseparable. A Reading
// is either known, with the time at which it was taken, or unknown, with the
// reason; a failed sensor never looks like a cold board or a full battery.
package telemetry

import (
	"context"
	"encoding/json"
	"time"
)

// Reading is one measured value or the reason why there is none.
// The zero Reading is unknown ("not read").
type Reading[T any] struct {
	value  T
	at     time.Time
	known  bool
	reason string
}

// Known returns a reading taken at the given time.
func Known[T any](value T, at time.Time) Reading[T] {
	return Reading[T]{value: value, at: at, known: true}
}

// Unknown returns a reading that could not be taken, with the reason in words.
func Unknown[T any](reason string) Reading[T] { return Reading[T]{reason: reason} }

// Get returns the value and whether it is known.
func (r Reading[T]) Get() (T, bool) { return r.value, r.known }

// Reason says why the reading is unknown; it is empty for a known one.
func (r Reading[T]) Reason() string {
	if r.known {
		return ""
	}
	if r.reason == "" {
		return "not read"
	}
	return r.reason
}

// At returns when a known reading was taken.
func (r Reading[T]) At() time.Time { return r.at }

type readingJSON[T any] struct {
	Value   *T         `json:"value,omitempty"`
	At      *time.Time `json:"at,omitempty"`
	Unknown string     `json:"unknown,omitempty"`
}

// MarshalJSON writes {"value":…,"at":…} or {"unknown":"reason"}.
func (r Reading[T]) MarshalJSON() ([]byte, error) {
	if !r.known {
		return json.Marshal(readingJSON[T]{Unknown: r.Reason()})
	}
	return json.Marshal(readingJSON[T]{Value: &r.value, At: &r.at})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (r *Reading[T]) UnmarshalJSON(b []byte) error {
	var j readingJSON[T]
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*r = Reading[T]{reason: j.Unknown}
	if j.Value != nil {
		r.value, r.known, r.reason = *j.Value, true, ""
		if j.At != nil {
			r.at = *j.At
		}
	}
	return nil
}

// Snapshot is what the board says at one instant.
type Snapshot struct {
	Time time.Time `json:"time"`
	// Board names the machine; Simulated says that its readings are not of real hardware.
	Board     string   `json:"board"`
	Simulated bool     `json:"simulated,omitempty"`
	Heat      Heat     `json:"heat"`
	Power     Power    `json:"power"`
	Throttle  Throttle `json:"throttle"`
	Load      Load     `json:"load"`
	// Probes tells what became of every sensor that was looked for.
	Probes []Probe `json:"probes,omitempty"`
}

// Heat is the board's temperature, in degrees Celsius.
type Heat struct {
	// HottestCelsius is the hottest relevant zone.
	HottestCelsius Reading[float64] `json:"hottest_celsius"`
	// LimitCelsius is where the board itself begins to throttle.
	LimitCelsius Reading[float64] `json:"limit_celsius"`
	Zones        []Zone           `json:"zones,omitempty"`
}

// Zone is one thermal zone.
type Zone struct {
	Type        string           `json:"type"`
	TempCelsius Reading[float64] `json:"temp_celsius"`
	// Relevant zones take part in HottestCelsius; virtual and fixed ones do not.
	Relevant bool `json:"relevant"`
}

// Power is where the board's energy comes from.
type Power struct {
	// ChargePercent is the state of charge in [0, 100].
	ChargePercent Reading[float64] `json:"charge_percent"`
	// Discharging tells whether the board lives off its battery.
	Discharging Reading[bool] `json:"discharging"`
	// Watts is the power that the board draws.
	Watts    Reading[float64] `json:"watts"`
	Supplies []Supply         `json:"supplies,omitempty"`
}

// Supply is one kernel power supply.
type Supply struct {
	Name          string           `json:"name"`
	Type          string           `json:"type"`
	Status        Reading[string]  `json:"status"`
	ChargePercent Reading[float64] `json:"charge_percent"`
	Volts         Reading[float64] `json:"volts"`
	// Amps is positive while the battery charges.
	Amps   Reading[float64] `json:"amps"`
	Online Reading[bool]    `json:"online"`
}

// Throttle is what the firmware or kernel takes away from the clock.
type Throttle struct {
	// UnderVoltage and Throttled are states now, not since boot.
	UnderVoltage Reading[bool] `json:"under_voltage"`
	Throttled    Reading[bool] `json:"throttled"`
	// ClockHertz is the *requested* clock of the fastest core.
	ClockHertz Reading[float64] `json:"clock_hertz"`
}

// Load is what the processor and memory are busy with.
type Load struct {
	// CPUPercent is the share of all cores that was busy since the last snapshot, [0, 100].
	CPUPercent Reading[float64] `json:"cpu_percent"`
	// OwnCPUPercent is this process's share of all cores.
	OwnCPUPercent        Reading[float64] `json:"own_cpu_percent"`
	LoadAverage1         Reading[float64] `json:"load_average_1"`
	MemoryTotalBytes     Reading[uint64]  `json:"memory_total_bytes"`
	MemoryAvailableBytes Reading[uint64]  `json:"memory_available_bytes"`
}

// ProbeState is how the search for a sensor ended.
type ProbeState string

const (
	Loaded  ProbeState = "loaded"
	Skipped ProbeState = "skipped" // not on this board
	Failed  ProbeState = "failed"  // on this board, but broken
)

// Probe is the result of looking for one kind of sensor.
type Probe struct {
	Name   string     `json:"name"`
	State  ProbeState `json:"state"`
	Reason string     `json:"reason,omitempty"`
}

// Source yields snapshots. Read returns within the context's deadline and never
// fails as a whole: what could not be read is unknown. Called from one goroutine.
type Source interface {
	Read(ctx context.Context) Snapshot
}
