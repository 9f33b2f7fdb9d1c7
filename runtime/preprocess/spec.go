// Package preprocess turns camera frames into input tensors. It is pure Go and
// shared by the trainer, the converter and the engine, so that what a network
// was trained on, calibrated on and run on cannot drift apart.
//
// A tensor is NHWC float32 with N = 1, one value per channel computed as
// (p/255 - mean) / std from an 8-bit channel value p.
package preprocess

// Fit says how a frame of another shape is brought to the network's input.
type Fit string

const (
	// FitCrop keeps the aspect ratio: the largest centred window of the
	// input's shape is cut out and resized.
	FitCrop Fit = "crop"
	// FitStretch resizes the whole frame, changing the aspect ratio.
	FitStretch Fit = "stretch"
	// FitLetterbox keeps the aspect ratio and the whole frame: it is resized to
	// fit and centred. The bars left beside it are 0 in the tensor, which is the
	// mean colour.
	FitLetterbox Fit = "letterbox"
)

// Spec is how frames become tensors. It travels in family.json and in a
// bundle's manifest.json.
type Spec struct {
	Width  int `json:"width"`  // pixels
	Height int `json:"height"` // pixels
	// Channels is the order of colour channels in the tensor: "RGB" or "BGR".
	Channels string `json:"channels"`
	Fit      Fit    `json:"fit"`
	// Mean and Std are per tensor channel, for pixel values scaled to [0, 1].
	Mean [3]float32 `json:"mean"`
	Std  [3]float32 `json:"std"`
}
