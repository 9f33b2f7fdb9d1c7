package mqtt

// State is what is told regularly, as a retained message. Nil is unknown.
type State struct {
	// Class is what the camera shows, as the page says it; Present are the classes of
	// which an appearance was told and no end.
	Class      *string  `json:"class"`
	Confidence *float64 `json:"confidence_percent"`
	Present    []string `json:"present"`
	Depth      *string  `json:"depth"`
	// FPS is the rate that was decided.
	FPS       *float64 `json:"fps"`
	LatencyMS *float64 `json:"latency_ms"`
	Celsius   *float64 `json:"temperature"`
	Battery   *float64 `json:"battery"`
	// Problem says that something does not work; see Problems.
	Problem   Switch `json:"problem"`
	Simulated bool   `json:"simulated"`
}

// Problems are told as attributes of the problem.
type Problems struct {
	Reasons []string `json:"reasons"`
}

// Switch is written as ON or OFF.
type Switch bool

// MarshalText implements encoding.TextMarshaler.
func (s Switch) MarshalText() ([]byte, error) {
	if s {
		return []byte(on), nil
	}
	return []byte(off), nil
}

// Settings are what the controls show, as a retained message. Nil is a default that
// is not known.
type Settings struct {
	Policy        string   `json:"policy"`
	LeastDepth    string   `json:"least_depth"`
	GreatestDepth string   `json:"greatest_depth"`
	FPS           float64  `json:"fps"`
	Ceiling       *float64 `json:"ceiling"`
	Paused        Switch   `json:"paused"`
}
