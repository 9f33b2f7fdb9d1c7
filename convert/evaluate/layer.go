package evaluate

import (
	"fmt"

	"github.com/fathom-edge/fathom/convert/graph"
)

// layer is a convolution, depthwise convolution or fully connected layer: sums
// of products with weights, computed a row of the output at a time.
type layer struct {
	node    *graph.Node
	in      []int // shape of the input as [1, height, width, channels]
	size    [2]int
	begin   [2]int // pads before the first row and column
	depth   int    // products per sum
	outputs int    // channels
	weights []float64
	zero    float64 // what the input stores for 0
}

// newLayer takes the weights as they are stored: float32, or codes.
func newLayer(n *graph.Node) (*layer, error) {
	in := n.Inputs[0]
	l := &layer{node: n, in: in.Shape, outputs: n.Shape[len(n.Shape)-1]}
	if n.Op == graph.OpFullyConnected {
		channels := in.Shape[len(in.Shape)-1]
		l.in = []int{1, 1, elements(in.Shape) / channels, channels}
		l.size = [2]int{1, l.in[2]}
	} else {
		if len(l.in) != 4 || len(n.Shape) != 4 {
			return nil, fmt.Errorf("its input is %v and its output %v", l.in, n.Shape)
		}
		l.size = [2]int{n.Shape[1], n.Shape[2]}
		l.begin = padsBefore(n, l.in)
	}
	if in.Quantized() {
		l.zero = float64(in.Storage.Output.Zero)
	}
	l.weights = make([]float64, len(n.Weights[0].Data))
	if s := n.StoredWeight(0); s.Values != nil {
		for i, v := range s.Values {
			l.weights[i] = float64(v)
		}
	} else {
		for i, v := range n.Weights[0].Data {
			l.weights[i] = float64(stored(n, 0, v))
		}
	}
	l.depth = len(l.weights) / l.outputs
	want := l.in[3]
	if n.Op == graph.OpConv {
		want *= n.Attrs.Kernel[0] * n.Attrs.Kernel[1]
	}
	if n.Op == graph.OpDepthwise {
		want = n.Attrs.Kernel[0] * n.Attrs.Kernel[1]
	}
	if l.depth != want || len(n.Weights[1].Data) != l.outputs {
		return nil, fmt.Errorf("weights %v and bias %v do not fit an input of %v", n.Weights[0].Shape, n.Weights[1].Shape, in.Shape)
	}
	return l, nil
}

// stored is a float weight as it is written: float16 loses digits.
func stored(n *graph.Node, weight int, v float32) float32 {
	if n.StoredWeight(weight).Number == graph.Float16 {
		return graph.FromFloat16(graph.ToFloat16(v))
	}
	return v
}

// padsBefore is what SAME puts before the first row and column.
func padsBefore(n *graph.Node, in []int) [2]int {
	var begin [2]int
	if n.Attrs.Padding != graph.Same {
		return begin
	}
	for i := range begin {
		reach := (n.Shape[i+1]-1)*n.Attrs.Stride[i] + (n.Attrs.Kernel[i]-1)*n.Attrs.Dilation[i] + 1
		begin[i] = max(reach-in[i+1], 0) / 2
	}
	return begin
}

// run hands the sums of each pixel, a value for each channel, to finish.
func (l *layer) run(in Value, finish func(pixel int, sums []float64)) {
	source := l.source(in)
	sums := make([]float64, l.size[1]*l.outputs)
	patches := make([]float64, l.size[1]*l.depth)
	for y := range l.size[0] {
		switch l.node.Op {
		case graph.OpDepthwise:
			l.depthwiseRow(sums, source, y)
		case graph.OpConv:
			l.patches(patches, source, y)
			multiply(sums, patches, l.weights, l.depth)
		default:
			multiply(sums, source, l.weights, l.depth)
		}
		for x := range l.size[1] {
			finish(y*l.size[1]+x, sums[x*l.outputs:(x+1)*l.outputs])
		}
	}
}

// source is the input without its zero.
func (l *layer) source(in Value) []float64 {
	source := make([]float64, elements(l.in))
	for i, v := range in.Floats {
		source[i] = float64(v)
	}
	for i, v := range in.Codes {
		source[i] = float64(v) - l.zero
	}
	return source
}

// patches gathers what each pixel of row y sees, in the order of the weights.
func (l *layer) patches(patches, source []float64, y int) {
	a := l.node.Attrs
	height, width, channels := l.in[1], l.in[2], l.in[3]
	clear(patches)
	for x := range l.size[1] {
		for ky := range a.Kernel[0] {
			sy := y*a.Stride[0] - l.begin[0] + ky*a.Dilation[0]
			if sy < 0 || sy >= height {
				continue
			}
			for kx := range a.Kernel[1] {
				sx := x*a.Stride[1] - l.begin[1] + kx*a.Dilation[1]
				if sx < 0 || sx >= width {
					continue
				}
				to := x*l.depth + (ky*a.Kernel[1]+kx)*channels
				from := (sy*width + sx) * channels
				copy(patches[to:to+channels], source[from:from+channels])
			}
		}
	}
}

// depthwiseRow: weights are [1, kernel height, kernel width, outputs].
func (l *layer) depthwiseRow(sums, source []float64, y int) {
	a := l.node.Attrs
	height, width, channels := l.in[1], l.in[2], l.in[3]
	times := l.outputs / channels
	clear(sums)
	for x := range l.size[1] {
		to := sums[x*l.outputs : (x+1)*l.outputs]
		for ky := range a.Kernel[0] {
			sy := y*a.Stride[0] - l.begin[0] + ky*a.Dilation[0]
			if sy < 0 || sy >= height {
				continue
			}
			for kx := range a.Kernel[1] {
				sx := x*a.Stride[1] - l.begin[1] + kx*a.Dilation[1]
				if sx < 0 || sx >= width {
					continue
				}
				w := l.weights[(ky*a.Kernel[1]+kx)*l.outputs:][:len(to)]
				from := source[(sy*width+sx)*channels:][:channels]
				if times == 1 {
					for c, v := range from {
						to[c] += v * w[c]
					}
					continue
				}
				for o := range to {
					to[o] += from[o/times] * w[o]
				}
			}
		}
	}
}
