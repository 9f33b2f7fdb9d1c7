package quant

import (
	"fmt"

	"github.com/fathom-edge/fathom/convert/evaluate"
	"github.com/fathom-edge/fathom/convert/graph"
)

// branch is a piece and what follows it: variants that begin alike are
// evaluated once as far as they do.
type branch struct {
	piece    int // -1 at the root
	variants []int
	next     []*branch
}

func newTrie(words [][]int) *branch {
	root := &branch{piece: -1}
	for v, w := range words {
		at := root
		for _, piece := range w {
			at = at.child(piece)
		}
		at.variants = append(at.variants, v)
	}
	return root
}

func (b *branch) child(piece int) *branch {
	for _, c := range b.next {
		if c.piece == piece {
			return c
		}
	}
	c := &branch{piece: piece}
	b.next = append(b.next, c)
	return c
}

// family is a Net that is ready to be evaluated; many goroutines may.
type family struct {
	programs []*evaluate.Program
	trie     *branch
}

func newFamily(net Net) (*family, error) {
	f := &family{trie: newTrie(net.Words)}
	for _, piece := range net.Pieces {
		p, err := evaluate.Prepare(piece, evaluate.XNNPACK)
		if err != nil {
			return nil, fmt.Errorf("quant: %w", err)
		}
		f.programs = append(f.programs, p)
	}
	return f, nil
}

// run evaluates all variants on one input. observe may be nil.
func (f *family) run(input evaluate.Value, observe func(*graph.Node, evaluate.Value) evaluate.Value, leaf func(variant int, logits []float32)) error {
	return f.walk(f.trie, input, observe, leaf)
}

func (f *family) walk(b *branch, v evaluate.Value, observe func(*graph.Node, evaluate.Value) evaluate.Value, leaf func(int, []float32)) error {
	for _, variant := range b.variants {
		leaf(variant, v.Real())
	}
	for _, next := range b.next {
		out, err := f.programs[next.piece].Run(v, observe)
		if err != nil {
			return err
		}
		if err := f.walk(next, out, observe, leaf); err != nil {
			return err
		}
	}
	return nil
}
