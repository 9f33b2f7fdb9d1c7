package convert

import (
	"errors"
	"fmt"
	"slices"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/quant"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/preprocess"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// Dataset is images with a name; what is measured on it goes into the manifest
// under that name.
type Dataset struct {
	quant.Data
	Name, Split string
}

// Numbers is how the bundle stores weights and activations, and what it takes to
// decide that.
type Numbers struct {
	Precision bundle.Precision
	// Calibration gives the images that int8 takes the ranges of tensors from.
	Calibration *Dataset
	// Eval gives the images that top-1 is measured on, in plain Go, and that
	// choices of int8 are made by; nil leaves accuracies as the family states
	// them, and makes choices by Calibration.
	Eval *Dataset
	// MaxDrop is how many points of top-1 int8 may cost a variant.
	MaxDrop float64
	// Progress may be nil.
	Progress func(what string, done, total int)
}

// store brings the pieces of all variants to the wanted precision. Paths may
// change: int8 adds pieces where scales meet that differ too much. What a piece
// weighs is what it takes in memory, where float16 is float32.
func (a *alphabet) store(variants []*variant, spec preprocess.Spec, numbers Numbers) (*quant.Report, error) {
	net := quant.Net{Pieces: a.pieces, Words: a.words}
	for _, v := range variants {
		net.Names = append(net.Names, v.Name)
	}
	var report *quant.Report
	var err error
	switch numbers.Precision {
	case bundle.Float32:
		return nil, nil
	case bundle.Float16:
		net, err = quant.Float16(net)
	case bundle.Int8:
		net, report, err = quantize(net, spec, numbers)
		a.bytes = nil
		for _, p := range net.Pieces {
			a.bytes = append(a.bytes, p.WeightBytes())
		}
	default:
		err = fmt.Errorf("convert: no precision %q: there are %s, %s and %s", numbers.Precision, bundle.Float32, bundle.Float16, bundle.Int8)
	}
	if err != nil {
		return nil, err
	}
	a.pieces, a.words = net.Pieces, net.Words
	return report, nil
}

func quantize(net quant.Net, spec preprocess.Spec, numbers Numbers) (quant.Net, *quant.Report, error) {
	if numbers.Calibration == nil {
		return quant.Net{}, nil, errors.New("convert: int8 needs calibration images, some dozens of the kind that the network will see")
	}
	opts := quant.Options{Calibration: numbers.Calibration, MaxDrop: numbers.MaxDrop, Progress: numbers.Progress}
	if numbers.Eval != nil {
		opts.Eval = numbers.Eval
	}
	opts.InputLow, opts.InputHigh = spec.Range()
	return quant.Quantize(net, opts)
}

// accuracies of the variants, in order: what the family states, and what was
// measured on Eval in place of what it states of the same images. That of int8
// was measured already.
func (a *alphabet) accuracies(variants []*variant, numbers Numbers, report *quant.Report) ([][]profile.Accuracy, error) {
	all := make([][]profile.Accuracy, len(variants))
	for i, v := range variants {
		all[i] = slices.Clone(v.Accuracy)
	}
	if numbers.Eval == nil {
		return all, nil
	}
	var top1 []float64
	if report != nil {
		for _, s := range report.Final {
			top1 = append(top1, s.Int8)
		}
		if !report.Labelled {
			return nil, errUnlabelled
		}
	} else {
		var err error
		if top1, err = quant.Top1(quant.Net{Pieces: a.pieces, Words: a.words}, numbers.Eval, numbers.Progress); err != nil {
			return nil, err
		}
		if top1 == nil {
			return nil, errUnlabelled
		}
	}
	for i := range all {
		all[i] = slices.DeleteFunc(all[i], func(old profile.Accuracy) bool {
			return old.Dataset == numbers.Eval.Name && old.Split == numbers.Eval.Split
		})
		all[i] = append(all[i], profile.Accuracy{Dataset: numbers.Eval.Name, Split: numbers.Eval.Split, Top1: top1[i], Samples: numbers.Eval.Len()})
	}
	return all, nil
}

var errUnlabelled = errors.New("convert: top-1 cannot be measured on images without labels: put them into folders that are named after their labels")

// quantization of a tensor for the manifest; nil for float32.
func quantization(n *graph.Node) *preprocess.Quantization {
	if !n.Quantized() {
		return nil
	}
	return &preprocess.Quantization{Scale: n.Storage.Output.Scale, ZeroPoint: n.Storage.Output.Zero}
}

// floatLayers counts the layers with weights that are not int8.
func floatLayers(g *graph.Graph) int {
	count := 0
	for _, n := range g.Nodes {
		if n.MACs() > 0 && !n.Quantized() {
			count++
		}
	}
	return count
}
