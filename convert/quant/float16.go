package quant

import (
	"fmt"
	"math"

	"github.com/fathom-edge/fathom/convert/graph"
)

// halfBytes is the size from which on weights are worth a DEQUANTIZE.
const halfBytes = 256

// Float16 stores the weights of all layers as float16; TFLite makes them float32
// when it loads them. Pieces that are equal stay equal. Weights beyond the range
// of float16 are an error.
func Float16(net Net) (Net, error) {
	half := Net{Words: net.Words, Names: net.Names}
	for _, p := range net.Pieces {
		g, err := float16Piece(p)
		if err != nil {
			return Net{}, err
		}
		half.Pieces = append(half.Pieces, g)
	}
	return half, nil
}

func float16Piece(p *graph.Graph) (*graph.Graph, error) {
	g := graph.Concat([]*graph.Graph{p}) // a copy
	for _, n := range g.Nodes {
		if n.Op != graph.OpConv && n.Op != graph.OpDepthwise && n.Op != graph.OpFullyConnected {
			continue
		}
		storage := &graph.Storage{}
		for _, w := range n.Weights {
			stored := graph.Stored{}
			if 4*len(w.Data) >= halfBytes {
				stored.Number = graph.Float16
			}
			for _, v := range w.Data {
				if math.Abs(float64(v)) > graph.MaxFloat16 {
					return nil, fmt.Errorf("quant: %s (%s) has a weight of %g, beyond the range of float16 (use --precision float32)", n.Name, n.Op, v)
				}
			}
			storage.Weights = append(storage.Weights, stored)
		}
		n.Storage = storage
	}
	return g, nil
}
