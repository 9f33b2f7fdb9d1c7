package boards

import (
	"slices"
	"strings"
	"time"
)

// Figure is a number with where it comes from.
type Figure struct {
	Value  float64 `json:"value"`
	Source string  `json:"source"`
}

// Thermal is where a thermal model of a board may start before it has learned
// from measurements: a step of P watts ends Resistance · P kelvin higher, most of
// it with the time constant Tau; DieKelvin of a full load's heat come within DieTau.
type Thermal struct {
	Cooling                 string        `json:"cooling"` // what the figures are of, e.g. bare, fan
	ResistanceKelvinPerWatt float64       `json:"resistance_kelvin_per_watt"`
	Tau                     time.Duration `json:"tau_ns"`
	DieKelvin               float64       `json:"die_kelvin"`
	DieTau                  time.Duration `json:"die_tau_ns"`
	Source                  string        `json:"source"`
}

// Camera is a command that writes pictures of the board's own camera to its
// standard output, or a hint at one.
type Camera struct {
	Name    string `json:"name"`
	Command string `json:"command"` // with WIDTH, HEIGHT and FPS to be replaced
	Source  string `json:"source"`
}

// Model is what is known of a kind of board. A nil figure is not known: none was
// published that could be found. Whatever the kernel tells of a board goes
// before these figures.
type Model struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// LimitCelsius is where the firmware begins to take clock away although no trip
	// point says so. KernelLimitCelsius is what the trip point of the kernels that
	// were seen says, for a kernel that tells none.
	LimitCelsius       *Figure `json:"limit_celsius,omitempty"`
	KernelLimitCelsius *Figure `json:"kernel_limit_celsius,omitempty"`
	// IdleWatts and FullWatts are the whole board's, without and with all cores busy.
	IdleWatts *Figure   `json:"idle_watts,omitempty"`
	FullWatts *Figure   `json:"full_watts,omitempty"`
	Thermal   []Thermal `json:"thermal,omitempty"`
	// HeaderI2CBus is the number of the I²C bus on pins 3 and 5 of the 40-pin header.
	HeaderI2CBus *Figure  `json:"header_i2c_bus,omitempty"`
	Cameras      []Camera `json:"cameras,omitempty"`

	compatible []string // device tree names
	modules    []string // prefixes of the NVIDIA part numbers in device tree names
	names      []string // beginnings of the device tree's model
}

// Models lists the boards that Fathom knows.
func Models() []Model { return slices.Clone(models) }

// identify finds the board by its device tree: first by the compatible names,
// the most specific of which come first, then by the model.
func identify(model string, compatible []string) (Model, bool) {
	for _, name := range compatible {
		name = strings.TrimSuffix(name, "-super") // JetPack 6.2's faster power modes
		for _, m := range models {
			if slices.Contains(m.compatible, name) || m.hasModule(name) {
				return m, true
			}
		}
	}
	var best Model
	longest := 0
	for _, m := range models {
		for _, name := range m.names {
			if len(name) > longest && strings.HasPrefix(model, name) {
				best, longest = m, len(name)
			}
		}
	}
	return best, longest > 0
}

// hasModule looks for part numbers in a name like nvidia,p3768-0000+p3767-0005,
// carrier first. A developer kit's own number names its module, too.
func (m Model) hasModule(compatible string) bool {
	parts, ok := strings.CutPrefix(compatible, "nvidia,")
	if !ok {
		return false
	}
	for part := range strings.SplitSeq(parts, "+") {
		for _, module := range m.modules {
			if strings.HasPrefix(part, module) {
				return true
			}
		}
	}
	return false
}
