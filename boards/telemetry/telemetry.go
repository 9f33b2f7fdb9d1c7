// Package telemetry holds the types in which a board says how it is. It
// imports nothing of Fathom's.
//
// The rule of the package: a value and its validity are inseparable. A Reading
// is either known, with the time at which it was taken, or unknown, with the
// reason and, where there was one, the time of the last known value; a failed
// sensor never looks like a cold board or a full battery.
//
// A Snapshot holds sums (the hottest zone, the charge of all batteries), which a
// governor decides by, and behind them what each sensor said.
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

// Lost returns an unknown reading whose last known value was taken at the given time.
func Lost[T any](reason string, lastKnown time.Time) Reading[T] {
	return Reading[T]{reason: reason, at: lastKnown}
}

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

// At returns when the reading was taken; of an unknown one, when its value was
// last known, or the zero time if it never was.
func (r Reading[T]) At() time.Time { return r.at }

// Age returns how old the value is at a time, or how long it has been unknown;
// ok is false where it never was known.
func (r Reading[T]) Age(now time.Time) (age time.Duration, ok bool) {
	if r.at.IsZero() {
		return 0, false
	}
	return now.Sub(r.at), true
}

type readingJSON[T any] struct {
	Value   *T         `json:"value,omitempty"`
	At      *time.Time `json:"at,omitempty"`
	Unknown string     `json:"unknown,omitempty"`
}

// MarshalJSON writes {"value":…,"at":…} or {"unknown":"reason"}, the latter with
// "at" where the value was known before.
func (r Reading[T]) MarshalJSON() ([]byte, error) {
	j := readingJSON[T]{Unknown: r.Reason()}
	if r.known {
		j.Value = &r.value
	}
	if r.known || !r.at.IsZero() {
		j.At = &r.at
	}
	return json.Marshal(j)
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
	}
	if j.At != nil {
		r.at = *j.At
	}
	return nil
}

// Snapshot is what the board says at one instant.
type Snapshot struct {
	Time time.Time `json:"time"`
	// Board names the machine; Simulated says that its readings are not of real hardware.
	Board     string `json:"board"`
	Simulated bool   `json:"simulated,omitempty"`
	// BoardID is the board's name in the tables of package boards, e.g. raspberry-pi-4b; empty for others.
	BoardID  string   `json:"board_id,omitempty"`
	Heat     Heat     `json:"heat"`
	Power    Power    `json:"power"`
	Throttle Throttle `json:"throttle"`
	Load     Load     `json:"load"`
	// Probes tells what became of every sensor that was looked for.
	Probes []Probe `json:"probes,omitempty"`
}

// Heat is the board's temperature, in degrees Celsius.
type Heat struct {
	// HottestCelsius is the hottest relevant zone.
	HottestCelsius Reading[float64] `json:"hottest_celsius"`
	// LimitCelsius is where the board itself begins to throttle, and LimitSource who says so.
	LimitCelsius Reading[float64] `json:"limit_celsius"`
	LimitSource  string           `json:"limit_source,omitempty"`
	// MarginKelvin is the smallest distance of a relevant zone to its own limit, or
	// to LimitCelsius where it has none; negative above it.
	MarginKelvin Reading[float64] `json:"margin_kelvin"`
	Zones        []Zone           `json:"zones,omitempty"`
}

// Zone is one thermal zone or hardware monitor.
type Zone struct {
	Type        string           `json:"type"`
	TempCelsius Reading[float64] `json:"temp_celsius"`
	// Relevant zones take part in HottestCelsius; virtual and fixed ones do not.
	Relevant bool `json:"relevant"`
	// Source is the kernel's name, e.g. thermal_zone0 or hwmon2/temp1, which may change with every boot.
	Source string `json:"source,omitempty"`
	// LimitCelsius is the zone's own lowest limit; 0 where it has none.
	LimitCelsius float64 `json:"limit_celsius,omitempty"`
}

// Power is where the board's energy comes from.
type Power struct {
	// ChargePercent is the state of charge in [0, 100], and ChargeUncertaintyPercent
	// by how many points it may be off (one standard deviation), where the gauge says.
	ChargePercent            Reading[float64] `json:"charge_percent"`
	ChargeUncertaintyPercent Reading[float64] `json:"charge_uncertainty_percent"`
	// Discharging tells whether the board lives off its battery.
	Discharging Reading[bool] `json:"discharging"`
	// Watts is the power that the board draws.
	Watts Reading[float64] `json:"watts"`
	// BatteryWatts flows into the batteries; negative while they feed the board.
	BatteryWatts Reading[float64] `json:"battery_watts"`
	// CapacityWattHours is what the batteries hold when full, and RemainingHours how
	// long they last at the power that they give now, with RemainingUncertaintyHours
	// as its standard deviation.
	CapacityWattHours         Reading[float64] `json:"capacity_watt_hours"`
	RemainingHours            Reading[float64] `json:"remaining_hours"`
	RemainingUncertaintyHours Reading[float64] `json:"remaining_uncertainty_hours"`
	// BatteryLow tells that the supply itself warns that its battery is nearly empty.
	BatteryLow Reading[bool] `json:"battery_low"`
	// ExternalPower tells whether a charger, mains or USB feeds the board.
	ExternalPower Reading[bool] `json:"external_power"`
	Supplies      []Supply      `json:"supplies,omitempty"`
	Rails         []Rail        `json:"rails,omitempty"`
}

// Supply is one power supply of the kernel, or one fuel gauge.
type Supply struct {
	Name          string           `json:"name"`
	Type          string           `json:"type"`
	Status        Reading[string]  `json:"status"`
	ChargePercent Reading[float64] `json:"charge_percent"`
	Volts         Reading[float64] `json:"volts"`
	// Amps and Watts are positive while the battery charges.
	Amps   Reading[float64] `json:"amps"`
	Watts  Reading[float64] `json:"watts"`
	Online Reading[bool]    `json:"online"`
}

// Rail is one supply line that the board measures.
type Rail struct {
	Name string `json:"name"`
	// Board rails feed the whole board; the others are parts of them.
	Board bool             `json:"board,omitempty"`
	Volts Reading[float64] `json:"volts"`
	Amps  Reading[float64] `json:"amps"`
	Watts Reading[float64] `json:"watts"`
}

// Throttle is what the firmware or kernel takes away from the clock.
type Throttle struct {
	// UnderVoltage and Throttled are states now, not since boot.
	UnderVoltage Reading[bool] `json:"under_voltage"`
	Throttled    Reading[bool] `json:"throttled"`
	// ClockHertz is the *requested* clock of the fastest core. On a Raspberry Pi the
	// firmware may grant less, which nothing but Throttled tells.
	ClockHertz Reading[float64] `json:"clock_hertz"`
	// FirmwareFlags is the word of a Raspberry Pi's get_throttled.
	FirmwareFlags Reading[uint32] `json:"firmware_flags"`
	Caps          []Cap           `json:"caps,omitempty"`
	Clocks        []Clock         `json:"clocks,omitempty"`
	Events        []Events        `json:"events,omitempty"`
}

// Cap is a cooling device of the kernel: a fan, or a cap on a clock.
type Cap struct {
	Type string `json:"type"`
	// OfCPU caps take clock away from the processor; fans and others do not.
	OfCPU bool `json:"of_cpu"`
	// State is 0 while the device does nothing, up to Max.
	State Reading[float64] `json:"state"`
	Max   Reading[float64] `json:"max"`
}

// Clock is one group of cores that share a clock, in hertz.
type Clock struct {
	Policy    string           `json:"policy"`
	Requested Reading[float64] `json:"requested_hertz"`
	// Allowed is the highest clock that may be requested now (scaling_max_freq).
	Allowed  Reading[float64] `json:"allowed_hertz"`
	Governor Reading[string]  `json:"governor"`
}

// Events counts something since boot, as a Jetson's over-current throttling.
type Events struct {
	Name  string          `json:"name"`
	Count Reading[uint64] `json:"count"`
	// PerMinute is the rate since the last snapshot.
	PerMinute Reading[float64] `json:"per_minute"`
}

// Load is what the processor and memory are busy with.
type Load struct {
	// CPUPercent is the share of all cores that was busy since the last snapshot, [0, 100].
	CPUPercent Reading[float64] `json:"cpu_percent"`
	// OwnCPUPercent is this process's share of all cores, and OthersCPUPercent that of everybody else.
	OwnCPUPercent    Reading[float64] `json:"own_cpu_percent"`
	OthersCPUPercent Reading[float64] `json:"others_cpu_percent"`
	Cores            []Core           `json:"cores,omitempty"`
	// LoadAverage1, 5 and 15 are the kernel's load averages over so many minutes.
	LoadAverage1  Reading[float64] `json:"load_average_1"`
	LoadAverage5  Reading[float64] `json:"load_average_5"`
	LoadAverage15 Reading[float64] `json:"load_average_15"`
	// MemoryTotalBytes and MemoryAvailableBytes are of the machine; see Limits for a container's.
	MemoryTotalBytes     Reading[uint64] `json:"memory_total_bytes"`
	MemoryAvailableBytes Reading[uint64] `json:"memory_available_bytes"`
	OwnMemoryBytes       Reading[uint64] `json:"own_memory_bytes"`
	// Pressure is the machine's; Limits holds that of the process's control group.
	Pressure Pressure `json:"pressure"`
	Limits   Limits   `json:"limits"`
}

// Core is one processor core that is switched on.
type Core struct {
	Number     int              `json:"number"`
	CPUPercent Reading[float64] `json:"cpu_percent"`
}

// Pressure is the share of the last ten seconds in which some task waited for a
// resource, in per cent (the kernel's PSI, avg10).
type Pressure struct {
	CPUPercent    Reading[float64] `json:"cpu_percent"`
	MemoryPercent Reading[float64] `json:"memory_percent"`
	IOPercent     Reading[float64] `json:"io_percent"`
}

// Limits is what the process's control group (a container, a systemd unit) may
// use at most; unknown where there is no limit.
type Limits struct {
	// CPUCores is the processor time per time, e.g. 1.5 for one and a half cores.
	CPUCores Reading[float64] `json:"cpu_cores"`
	// CPUThrottledPercent is the share of the group's periods since the last snapshot that ran into CPUCores.
	CPUThrottledPercent  Reading[float64] `json:"cpu_throttled_percent"`
	MemoryBytes          Reading[uint64]  `json:"memory_bytes"`
	MemoryAvailableBytes Reading[uint64]  `json:"memory_available_bytes"`
	Pressure             Pressure         `json:"pressure"`
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
	// Feeds names the sums of the snapshot that come from this probe, e.g.
	// heat.hottest_celsius: what a governor decides by.
	Feeds []string `json:"feeds,omitempty"`
}

// Source yields snapshots. Read returns within the context's deadline and never
// fails as a whole: what could not be read is unknown. Called from one goroutine.
type Source interface {
	Read(ctx context.Context) Snapshot
}
