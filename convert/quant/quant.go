// Package quant brings a family of lowered networks to int8 or to float16
// weights.
//
// It works on the family DAG: the distinct pieces of all variants, and each
// variant as a path through them. The DAG is quantized once. The range of a
// tensor is the union over all paths that lead through it, and tensors that meet
// at a cut form one class with one scale, so that a piece is the same bytes in
// every variant and any depth can be chained. Whether a node stays in float32 is
// likewise said of the node, never of a variant.
//
// # int8
//
//	real = scale*(code - zero)
//
// Activations have one scale and zero a tensor, which Range chooses from what the
// calibration images gave. Weights of convolutions have a scale for each output
// channel, those of fully connected layers one for all (TFLite 2.9 knows no
// other), with zero at 0 and codes of -127 to 127; biases are int32 in units of
// input scale × weight scale. What has no int8 form stays float32 between
// DEQUANTIZE and QUANTIZE.
//
// Every choice (the way to choose ranges, bias correction, which nodes stay
// float32) is made by evaluating the family with package evaluate, in the
// arithmetic that boards run, and so is the same on every machine.
package quant

import (
	"errors"

	"github.com/fathom-edge/fathom/convert/graph"
)

// Net is the family DAG.
type Net struct {
	// Pieces are lowered graphs that follow one another.
	Pieces []*graph.Graph
	// Words are the variants: the pieces that each runs, in order.
	Words [][]int
	// Names of the variants, for messages.
	Names []string
}

// Options of Quantize.
type Options struct {
	// Calibration gives the images that ranges are taken from.
	Calibration Data
	// Eval gives the images that choices are measured on; nil means Calibration.
	Eval Data
	// InputLow and InputHigh bound what preprocessing can give.
	InputLow, InputHigh float32
	// MaxDrop is how many points of top-1 a variant may lose against float32;
	// without labels, how many per cent of the answers may differ.
	MaxDrop float64
	// Methods are the ways to choose ranges that are tried; nil means all.
	Methods []Method
	// Progress, if not nil, is told what is being done and how far it is.
	Progress func(what string, done, total int)
}

// Report says what was chosen, and what it did.
type Report struct {
	// Method, BiasCorrection: what was chosen among Tried.
	Method         Method  `json:"method"`
	BiasCorrection bool    `json:"bias_correction"`
	Tried          []Trial `json:"tried"`
	// Calibrated and Evaluated count images.
	Calibrated int `json:"calibrated"`
	Evaluated  int `json:"evaluated"`
	// Labelled: drops are of top-1, else of agreement with float32.
	Labelled bool    `json:"labelled"`
	Final    []Score `json:"final"`
	// Kept lists nodes that stay float32 for accuracy, Without those
	// that have no int8 form, or for which no scales suit.
	Kept    []string `json:"kept_float,omitempty"`
	Without []string `json:"without_int8,omitempty"`
	// Requantized counts the transitions between pieces with a QUANTIZE of its own.
	Requantized int `json:"requantized,omitempty"`
}

// Trial is one way to quantize, measured on the first images of Eval.
type Trial struct {
	Method         Method `json:"method"`
	BiasCorrection bool   `json:"bias_correction"`
	Images         int    `json:"images"`
	// WorstDrop is the largest drop of any variant, in points.
	WorstDrop float64 `json:"worst_drop"`
	// LogitError is the power of the logits' error against that of the logits,
	// the mean over variants.
	LogitError float64 `json:"logit_error"`
}

// Score compares a variant in int8 with itself in float32.
type Score struct {
	Variant string  `json:"variant"`
	Float   float64 `json:"float_top1"` // share; 0 without labels
	Int8    float64 `json:"int8_top1"`
	// Agreement is the share of images on which both say the same.
	Agreement  float64 `json:"agreement"`
	LogitError float64 `json:"logit_error"`
	// Drop is in points: of top-1 with labels, of agreement without.
	Drop float64 `json:"drop"`
}

// trialImages is how many images the ways to quantize are compared on.
const trialImages = 256

// Quantize brings the family to int8.
func Quantize(net Net, opts Options) (Net, *Report, error) {
	if opts.Calibration == nil || opts.Calibration.Len() == 0 {
		return Net{}, nil, errors.New("quant: there are no calibration images (give some dozens of the kind that the network will see)")
	}
	if opts.Eval == nil {
		opts.Eval = opts.Calibration
	}
	if opts.Methods == nil {
		opts.Methods = Methods()
	}
	net = foldAffine(net)
	stats, err := observe(net, opts)
	if err != nil {
		return Net{}, nil, err
	}
	j := &judge{net: net, opts: opts}
	if err := j.baseline(); err != nil {
		return Net{}, nil, err
	}
	report := &Report{Calibrated: opts.Calibration.Len(), Evaluated: opts.Eval.Len(), Labelled: j.labelled}
	var best *plan
	for _, m := range opts.Methods {
		for _, correct := range []bool{false, true} {
			p, err := newPlan(net, opts, stats, m, correct, nil)
			if err != nil {
				return Net{}, nil, err
			}
			trial, err := j.try(p)
			if err != nil {
				return Net{}, nil, err
			}
			if best == nil || trial.better(report.Tried[best.trial]) {
				best, p.trial = p, len(report.Tried)
			}
			report.Tried = append(report.Tried, trial)
		}
	}
	report.Method, report.BiasCorrection = best.method, best.correct
	best, report.Final, err = j.mix(best, stats)
	if err != nil {
		return Net{}, nil, err
	}
	report.Kept, report.Without, report.Requantized = best.kept(), best.without(), len(best.bridges)
	return best.result, report, nil
}

// better prefers the smaller drop, as far as it is more than one image, and
// then the smaller error.
func (t Trial) better(u Trial) bool {
	step := 100 / float64(t.Images)
	if d := t.WorstDrop - u.WorstDrop; d < -step || d > step {
		return d < 0
	}
	return t.LogitError < u.LogitError
}
