package daemon

import (
	"os"
	"path/filepath"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
	"github.com/fathom-edge/fathom/governor"
	"github.com/fathom-edge/fathom/runtime/bundle"
)

// State is what the daemon is doing: the content of /api/state.
type State struct {
	Now     time.Time `json:"now"`
	Started time.Time `json:"started"`
	// Bundle and Source name what runs and where its frames come from.
	Bundle BundleState `json:"bundle"`
	Source string      `json:"source"`
	Health Health      `json:"health"`
	// Simulated tells what is not real; nil where everything is.
	Simulated *Simulation `json:"simulated,omitempty"`
	// Ladder stands from the shallowest to the deepest.
	Ladder []LadderRung `json:"ladder"`
	// Active is the index in Ladder of the variant that classified the last frame, before any second look; -1 before the first frame.
	Active int `json:"active"`
	// Frame is the last classified frame; nil before the first.
	Frame *FrameState `json:"frame,omitempty"`
	// Recent are the labels that were shown last, the newest first.
	Recent []Shown `json:"recent"`
	// Accuracy of the labels shown in the last minute; nil where the source knows no truth.
	Accuracy *Tally `json:"accuracy,omitempty"`
	// Decision is the governor's last; nil before the first.
	Decision *governor.Decision `json:"decision,omitempty"`
	Policy   string             `json:"policy"`
	// Paused is set while nothing is classified because somebody wants it so.
	Paused  bool                `json:"paused,omitempty"`
	Ceiling float64             `json:"ceiling_celsius"` // 0 where unknown
	Board   *telemetry.Snapshot `json:"board,omitempty"`
	Frames  uint64              `json:"frames"`  // classified
	Dropped uint64              `json:"dropped"` // delivered by the camera, but not looked at
	Gated   uint64              `json:"gated"`   // looked at, but not classified, as nothing moved
	// Events changes whenever Monitor.Events does.
	Events   uint64 `json:"events"`
	Switches uint64 `json:"switches"`
	// Escalated frames were in doubt, and looked at again by a deeper variant.
	Escalated uint64 `json:"escalated"`
}

// BundleState is the bundle in use.
type BundleState struct {
	Name string `json:"name"`
	// Digest is the SHA-256 of its manifest, which holds those of all its files.
	Digest    string `json:"digest"`
	Signature string `json:"signature"` // one of the Signature constants
}

// The values of BundleState.Signature.
const (
	SignatureVerified  = "verified"    // with one of the trusted keys
	SignatureUnchecked = "not checked" // there is one, but no trusted key to check it with
	SignatureNone      = "none"
)

// bundleState tells how far an opened bundle was checked.
func bundleState(b *bundle.Bundle, c Config) BundleState {
	s := BundleState{Name: b.Manifest.Name, Digest: b.Digest, Signature: SignatureNone}
	if len(c.RequireSignature) > 0 {
		s.Signature = SignatureVerified
	} else if _, err := os.Stat(filepath.Join(b.Dir, bundle.SignatureFile)); err == nil {
		s.Signature = SignatureUnchecked
	}
	return s
}

// Shown is a label for as long as it was shown.
type Shown struct {
	Label string    `json:"label"`
	Since time.Time `json:"since"`
	// Probability is the greatest, smoothed.
	Probability float64 `json:"probability"`
}

// recentShown is how many labels State.Recent has at most.
const recentShown = 12

// Simulation says what is simulated, in words, and with which factors.
type Simulation struct {
	Board        string  `json:"board,omitempty"`
	Camera       string  `json:"camera,omitempty"`
	Acceleration float64 `json:"acceleration,omitempty"`
	// WorkScale is how many simulated milliseconds one real millisecond of inference counts for.
	WorkScale float64 `json:"work_scale,omitempty"`
	// SunKelvin is by how much simulated sun and shade move the temperature.
	SunKelvin float64 `json:"sun_kelvin,omitempty"`
}

// LadderRung is one variant, what is known of it and what was seen of it in this run.
type LadderRung struct {
	Variant string `json:"variant"`
	// Depth is the number of residual blocks per stage.
	Depth []int `json:"depth"`
	MACs  int64 `json:"macs"`
	// Stated is the accuracy in the bundle; nil if it states none.
	Stated *float64 `json:"stated_accuracy,omitempty"`
	// LatencyMS is the median of the variant's last frames. Before it first ran it is the profile's, times
	// what the other variants take over theirs.
	LatencyMS float64 `json:"latency_ms"`
	Frames    uint64  `json:"frames"`
	// Seen counts single, unsmoothed frames against the truth.
	Seen *Tally `json:"seen,omitempty"`
}

// Tally is how many answers were right.
type Tally struct {
	Right uint64 `json:"right"`
	Of    uint64 `json:"of"`
}

// FrameState is one classified frame.
type FrameState struct {
	// ID names the frame wherever it is told of: here, with its picture, and in its events.
	ID           string    `json:"id"`
	Sequence     uint64    `json:"sequence"`
	Captured     time.Time `json:"captured"`
	Label        string    `json:"label"`
	Probability  float64   `json:"probability"` // smoothed
	Truth        string    `json:"truth,omitempty"`
	Region       string    `json:"region,omitempty"` // empty for the whole picture
	Seen         Part      `json:"seen"`             // what of the picture the network saw
	Top          []Guess   `json:"top"`              // the best labels, best first
	Variant      string    `json:"variant"`          // that gave the answer
	First        string    `json:"first,omitempty"`  // whose answer was in doubt before
	LatencyMS    float64   `json:"latency_ms"`
	PreprocessMS float64   `json:"preprocess_ms"`
}

// Part is a rectangle of a picture, in shares of its width and height.
type Part struct {
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
}

// Guess is a label with its probability.
type Guess struct {
	Label       string  `json:"label"`
	Probability float64 `json:"probability"`
}

// Health is whether everything works.
type Health struct {
	Status  string   `json:"status"` // HealthOK or HealthDegraded
	Reasons []string `json:"reasons"`
	// Stale is set while no frame has been classified for too long.
	Stale bool `json:"stale"`
}

// The values of Health.Status.
const (
	HealthOK       = "ok"
	HealthDegraded = "degraded"
)
