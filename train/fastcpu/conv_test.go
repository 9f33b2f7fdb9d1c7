package fastcpu

import (
	"fmt"
	"math"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

type convCase struct{ batch, h, w, in, out, k, stride, pad, groups int }

func (c convCase) args() (x, w *tensors.Tensor) {
	return random(1, c.batch, c.h, c.w, c.in), random(2, c.k, c.k, c.in/c.groups, c.out)
}

func (c convCase) convolve(x, w *graph.Node) *graph.Node {
	return graph.Convolve(x, w).StridePerAxis(c.stride, c.stride).PaddingPerDim([][2]int{{c.pad, c.pad}, {c.pad, c.pad}}).
		ChannelGroupCount(c.groups).Done()
}

var convCases = []convCase{
	{3, 16, 16, 16, 16, 3, 1, 1, 1}, {5, 8, 8, 32, 32, 3, 1, 1, 1}, {2, 32, 32, 3, 16, 3, 2, 1, 1}, {3, 16, 16, 16, 32, 3, 2, 1, 1},
	{3, 4, 4, 32, 48, 3, 1, 1, 1}, {2, 6, 5, 4, 16, 3, 1, 1, 1}, {1, 4, 4, 16, 32, 1, 1, 0, 1},
	{2, 7, 9, 5, 7, 3, 1, 1, 1}, {2, 7, 9, 5, 7, 3, 2, 1, 1}, {3, 9, 8, 6, 24, 1, 1, 0, 1}, {3, 9, 8, 24, 10, 1, 2, 0, 1},
	{1, 40, 37, 3, 20, 7, 2, 3, 1}, {2, 32, 32, 3, 24, 4, 4, 0, 1}, {1, 32, 48, 3, 40, 16, 16, 0, 1}, {2, 12, 12, 4, 8, 2, 2, 0, 1},
	{1, 10, 11, 8, 8, 4, 2, 1, 1}, {1, 5, 5, 200, 180, 3, 1, 1, 1}, {2, 60, 70, 16, 16, 3, 1, 1, 1}, {1, 9, 9, 4, 4, 3, 3, 1, 1}, // large sums, bands
	{2, 9, 9, 8, 8, 3, 1, 1, 8}, {2, 9, 10, 24, 24, 3, 2, 1, 24}, {1, 8, 8, 13, 13, 3, 2, 1, 13}, {2, 7, 7, 16, 16, 5, 1, 2, 16},
	{2, 8, 8, 16, 16, 5, 2, 2, 16}, {1, 3, 2, 8, 8, 3, 1, 1, 8}, {2, 6, 6, 8, 8, 1, 1, 0, 8}, // depthwise
	{2, 8, 8, 8, 12, 3, 1, 1, 4}, {2, 9, 8, 12, 8, 3, 2, 1, 2}, {1, 8, 8, 6, 12, 3, 1, 1, 6}, // groups
}

func TestConvolutionEqualsGoBackend(t *testing.T) {
	for _, c := range convCases {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			f := func(in []*graph.Node) []*graph.Node { return []*graph.Node{c.convolve(in[0], in[1])} }
			x, w := c.args()
			compare(t, run(t, goBackend(t), f, x, w), run(t, fast(t), f, x, w), 1e-5)
		})
	}
}

// A convolution is linear in each operand, so a difference quotient of any width is its derivative.
func TestConvolutionGradientsEqualDifferences(t *testing.T) {
	b := fast(t)
	for _, c := range convCases {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			loss := func(x, w, r *graph.Node) *graph.Node { return graph.ReduceAllSum(graph.Mul(c.convolve(x, w), r)) }
			x, w := c.args()
			out := (c.h+2*c.pad-c.k)/c.stride + 1
			outW := (c.w+2*c.pad-c.k)/c.stride + 1
			r := random(3, c.batch, out, outW, c.out)
			dx, dw := random(4, c.batch, c.h, c.w, c.in), random(5, c.k, c.k, c.in/c.groups, c.out)
			got := run(t, b, func(in []*graph.Node) []*graph.Node {
				x, w, r, dx, dw := in[0], in[1], in[2], in[3], in[4]
				g := graph.Gradient(loss(x, w, r), x, w)
				return []*graph.Node{graph.ReduceAllSum(graph.Mul(g[0], dx)), graph.ReduceAllSum(graph.Mul(g[1], dw)), loss(dx, w, r), loss(x, dw, r),
					graph.ReduceAllSum(graph.Abs(graph.Mul(g[0], dx))), graph.ReduceAllSum(graph.Abs(graph.Mul(g[1], dw)))}
			}, x, w, r, dx, dw)
			for i, name := range []string{"input", "kernel"} {
				if d := math.Abs(float64(got[i][0] - got[i+2][0])); !(d <= 1e-5*float64(got[i+4][0])) {
					t.Errorf("gradient of the %s gives %v, the difference quotient is %v", name, got[i][0], got[i+2][0])
				}
			}
		})
	}
}

// The Go backend fails on the grouped convolution of a grouped kernel's gradient.
func TestConvolutionGradientsEqualGoBackend(t *testing.T) {
	for _, c := range convCases {
		if c.groups > 1 {
			continue
		}
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			f := func(in []*graph.Node) []*graph.Node {
				y := c.convolve(in[0], in[1])
				return graph.Gradient(graph.ReduceAllSum(graph.Sqrt(graph.AddScalar(graph.Mul(y, y), 1))), in...)
			}
			x, w := c.args()
			compare(t, run(t, goBackend(t), f, x, w), run(t, fast(t), f, x, w), 2e-5)
		})
	}
}
