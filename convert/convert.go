// Package convert turns a family into a bundle: each variant's ONNX model is
// lowered to TFLite's operators, what variants have in common is found, and the
// result is written as segments and a manifest. The same family gives the same
// manifest and segments on any machine; what is measured along the way goes to
// evidence.json beside them.
//
// # How sharing is found
//
// Nothing is declared. Every lowered variant is split into pieces wherever a
// single tensor crosses (a residual block is one piece). Pieces of different
// variants with the same operators, attributes, topology, shapes and weights are
// the same piece, whatever came before them.
// A variant thus becomes a word over an alphabet of pieces, and the question is
// where to cut all words so that equal runs of pieces become one segment.
//
// A junction is a pair of neighbouring pieces where variants diverge or meet
// again: the first has another successor somewhere, or the second another
// predecessor, the ends of words included. Cutting at all junctions and nowhere
// else stores every piece once, and no fewer cuts do. From there, cuts are taken
// back one at a time, each time the one whose removal adds the fewest bytes of
// weights, as long as that is less than Options.MinSaving; among equals, the one that
// leaves the shortest longest path, then the fewest segments, then the first in
// order. So every cut that stays saves at least MinSaving, and pieces without
// weights are never a reason to cut. This is not always the optimum over all
// sets of cuts, but it is deterministic, fast, and exact where savings do not
// depend on one another.
//
// A pair of pieces is cut either in all variants or in none.
//
// # What damaged and hostile models can do
//
// An error means that nothing was written, and an older bundle stands as it was.
// Until the proof, no model takes more memory than 192 MiB and 64 times the
// size of its files, whatever they hold; ordinary models take a few times their
// size. The proof runs the network, so its memory follows the size of the
// activations, each of at most 2^28 values.
package convert

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fathom-edge/fathom/convert/family"
	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/onnx"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/preprocess"
)

// MinSaving is the default of Options.MinSaving.
const MinSaving = 64 << 10

// MaxError is the default of Options.MaxError.
const MaxError = 1e-4

// Options of Convert.
type Options struct {
	// Out is the folder of the bundle. An older bundle there is replaced.
	Out string
	// MaxError is the largest difference between TFLite and the reference that
	// is accepted for any output value, as a share of the outputs' range; 0 means
	// MaxError.
	MaxError float64
	// MinSaving is the bytes of weights that a cut must save; 0 means MinSaving.
	MinSaving int64
	// Whole writes every variant as one file and shares nothing.
	Whole bool
	// Monolithic names the folder of a second bundle that is as Whole would make
	// it; empty for none. Either both are written or, on an error, none.
	Monolithic string
	// DumpPasses names a folder for the graph of every variant after each pass,
	// as text; empty for none.
	DumpPasses string
	// Numbers says how weights and activations are stored; float32 unless told.
	Numbers Numbers
	// Loaded holds models that the caller has read already, by path. Convert takes
	// them out, so that their memory is free again once they are imported.
	Loaded map[string]*onnx.ModelProto
	// Runner runs segments for the self-proof; nil skips it.
	Runner Runner
	// Tools names the versions of the programs involved, for evidence.json.
	Tools map[string]string
}

// Result is what Convert wrote to Options.Out.
type Result struct {
	Manifest *bundle.Manifest
	Evidence *Evidence
}

// variant is a member of the family on its way through the converter.
type variant struct {
	family.Variant
	path  string // of its model
	graph *graph.Graph
}

// Convert converts the family in folder dir and writes the bundle opts.Out. On
// an error nothing is written. Operators that are not supported are all listed,
// for all variants, before any other work is done.
func Convert(fam *family.Family, dir string, opts Options) (*Result, error) {
	if opts.MaxError == 0 {
		opts.MaxError = MaxError
	}
	if opts.MinSaving == 0 {
		opts.MinSaving = MinSaving
	}
	if opts.Out == "" {
		return nil, errors.New("convert: no output folder named")
	}
	variants, err := lowerAll(fam, dir, opts)
	if err != nil {
		return nil, err
	}
	alphabet := newAlphabet(variants)
	report, err := alphabet.store(variants, fam.Preprocess, opts.Numbers)
	if err != nil {
		return nil, err
	}
	accuracy, err := alphabet.accuracies(variants, opts.Numbers, report)
	if err != nil {
		return nil, err
	}
	var cuts map[pair]bool
	if !opts.Whole {
		cuts = findCuts(alphabet.words, alphabet.bytes, opts.MinSaving)
	}
	finish := func(out string, cuts map[pair]bool) (*Result, bundle.Content, error) {
		built, err := build(fam, variants, alphabet, cuts, accuracy, opts.Numbers.Precision)
		if err != nil {
			return nil, bundle.Content{}, err
		}
		evidence := &Evidence{Tools: opts.Tools, MaxError: opts.MaxError, NotShared: notShared(variants, alphabet, cuts, opts.MinSaving), Quantization: report}
		if opts.Runner != nil {
			if opts.Numbers.Precision == bundle.Float32 {
				evidence.Proof, err = prove(variants, fam.Preprocess, built, opts)
			} else {
				evidence.Proof, err = proveStored(variants, alphabet, fam.Preprocess, built, opts)
			}
			if err != nil {
				return nil, bundle.Content{}, err
			}
		}
		encoded, err := evidence.encode()
		content := bundle.Content{Dir: out, Manifest: built.manifest, Segments: built.segments, Extra: map[string][]byte{EvidenceFile: encoded}}
		return &Result{Manifest: built.manifest, Evidence: evidence}, content, err
	}
	result, content, err := finish(opts.Out, cuts)
	if err != nil {
		return nil, err
	}
	contents := []bundle.Content{content}
	if opts.Monolithic != "" {
		_, second, err := finish(opts.Monolithic, nil)
		if err != nil {
			return nil, err
		}
		contents = append(contents, second)
	}
	if err := bundle.WriteAll(contents...); err != nil {
		return nil, err
	}
	return result, nil
}

// lowerAll imports and lowers every variant, from the cheapest to the dearest.
func lowerAll(fam *family.Family, dir string, opts Options) ([]*variant, error) {
	if len(fam.Variants) == 0 {
		return nil, errors.New("convert: the family has no variants")
	}
	var variants []*variant
	var unsupported []string
	for _, fv := range fam.Variants {
		v := &variant{Variant: fv, path: filepath.Join(dir, filepath.FromSlash(fv.Model))}
		err := v.lower(opts, len(fam.Variants) > 1)
		var u *graph.UnsupportedError
		if errors.As(err, &u) {
			for _, n := range u.Nodes {
				unsupported = append(unsupported, fv.Name+": "+n.String())
			}
			continue
		}
		if err == nil {
			err = check(v.graph, fam.Labels, fam.Preprocess)
		}
		if err != nil {
			return nil, fmt.Errorf("convert: variant %s: %w", fv.Name, err)
		}
		variants = append(variants, v)
	}
	if len(unsupported) > 0 {
		return nil, fmt.Errorf("convert: not supported, change these and export again: %s", strings.Join(unsupported, "; "))
	}
	slices.SortStableFunc(variants, func(a, b *variant) int {
		if d := a.graph.MACs() - b.graph.MACs(); d != 0 {
			return int(max(min(d, 1), -1))
		}
		return strings.Compare(a.Name, b.Name)
	})
	return variants, nil
}

// lower imports and lowers the model; compared says that there are variants to
// compare its layers with.
func (v *variant) lower(opts Options, compared bool) error {
	m, err := opts.load(v.path)
	if err != nil {
		return err
	}
	g, err := graph.Import(m)
	if err != nil {
		return err
	}
	if compared {
		graph.NameOrigins(g)
	}
	if opts.DumpPasses == "" {
		v.graph, err = graph.Lower(g)
		return err
	}
	d := dumper{dir: filepath.Join(opts.DumpPasses, v.Name)}
	if err := d.step("import", g); err != nil {
		return err
	}
	v.graph, err = graph.LowerWatched(g, d.step)
	return err
}

func (o Options) load(path string) (*onnx.ModelProto, error) {
	if m := o.Loaded[path]; m != nil {
		delete(o.Loaded, path)
		return m, nil
	}
	return onnx.Load(path)
}

// check compares input and output with what the family says of them.
func check(g *graph.Graph, labels []string, spec preprocess.Spec) error {
	if want := []int{1, spec.Height, spec.Width, 3}; !slices.Equal(g.Input().Shape, want) {
		return fmt.Errorf("its input is %v, but preprocessing gives %v, height before width (correct family.json)", g.Input().Shape, want)
	}
	if want := []int{1, len(labels)}; !slices.Equal(g.Output.Shape, want) {
		return fmt.Errorf("its output is %v, but family.json lists %d labels (correct the labels or the model)", g.Output.Shape, len(labels))
	}
	if g.Output.Op == graph.OpSoftmax {
		return errors.New("it ends in Softmax, but logits are expected (export without the last layer)")
	}
	return nil
}
