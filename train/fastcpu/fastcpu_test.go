package fastcpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

func random(seed uint64, dims ...int) *tensors.Tensor {
	r := rand.New(rand.NewPCG(seed, 1))
	shape := shapes.Make(dtypes.Float32, dims...)
	data := make([]float32, shape.Size())
	for i := range data {
		data[i] = float32(r.NormFloat64())
	}
	return tensors.FromFlatDataAndDimensions(data, dims...)
}

func goBackend(t testing.TB) compute.Backend {
	b, err := gobackend.New("ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func fast(t testing.TB) compute.Backend {
	b, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func run(t testing.TB, b compute.Backend, f func(in []*graph.Node) []*graph.Node, args ...*tensors.Tensor) [][]float32 {
	t.Helper()
	in := make([]any, len(args))
	for i, a := range args {
		c, err := a.LocalClone()
		if err != nil {
			t.Fatal(err)
		}
		in[i] = c
	}
	out, err := graph.CallOnceN(b, f, in...)
	if err != nil {
		t.Fatal(err)
	}
	var flat [][]float32
	for _, o := range out {
		flat = append(flat, tensors.MustCopyFlatData[float32](o))
	}
	return flat
}

func compare(t *testing.T, want, got [][]float32, tol float64) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("%d outputs, want %d", len(got), len(want))
	}
	for o := range want {
		if len(want[o]) != len(got[o]) {
			t.Fatalf("output %d has %d values, want %d", o, len(got[o]), len(want[o]))
		}
		scale := 1.0
		for _, v := range want[o] {
			scale = max(scale, math.Abs(float64(v)))
		}
		for i := range want[o] {
			if d := math.Abs(float64(want[o][i]-got[o][i])) / scale; !(d < tol) {
				t.Fatalf("output %d, value %d is %v, want %v", o, i, got[o][i], want[o][i])
			}
		}
	}
}

func TestBatchNormEqualsItsFormula(t *testing.T) {
	const eps = 1e-5
	byHand := func(in []*graph.Node) []*graph.Node {
		x, scale, offset := in[0], in[1], in[2]
		mean := graph.ReduceAndKeep(x, graph.ReduceMean, 0, 1, 2)
		d := graph.Sub(x, mean)
		variance := graph.ReduceAndKeep(graph.Mul(d, d), graph.ReduceMean, 0, 1, 2)
		y := graph.Add(graph.Mul(graph.Div(d, graph.Sqrt(graph.AddScalar(variance, eps))), graph.Reshape(scale, 1, 1, 1, -1)), graph.Reshape(offset, 1, 1, 1, -1))
		loss := graph.ReduceAllSum(graph.Mul(y, graph.Mul(y, y)))
		return append([]*graph.Node{y, graph.Reshape(mean, -1), graph.Reshape(variance, -1)}, graph.Gradient(loss, in...)...)
	}
	fused := func(in []*graph.Node) []*graph.Node {
		y, mean, variance := graph.InternalBatchNormForTraining(in[0], in[1], in[2], eps, -1)
		loss := graph.ReduceAllSum(graph.Mul(y, graph.Mul(y, y)))
		return append([]*graph.Node{y, mean, variance}, graph.Gradient(loss, in...)...)
	}
	for _, c := range []int{16, 64, 5} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			args := []*tensors.Tensor{random(1, 7, 9, 9, c), random(2, c), random(3, c)}
			compare(t, run(t, goBackend(t), byHand, args...), run(t, fast(t), fused, args...), 1e-4)
		})
	}
}

// shiftedConv is a convolution as one product (or, if depthwise, one multiplication) for each position of the kernel, the
// fastest form that the Go backend has for it. The kernel is odd and the padding keeps the size, before the stride.
func shiftedConv(x, w *graph.Node, stride int, depthwise bool) *graph.Node {
	d, k := x.Shape().Dimensions, w.Shape().Dimensions
	n, h, c := d[0], d[1], d[3]
	pad := (k[0] - 1) / 2
	if pad > 0 {
		rows := graph.Zeros(x.Graph(), shapes.Make(dtypes.Float32, n, pad, h, c))
		x = graph.Concatenate([]*graph.Node{rows, x, rows}, 1)
		columns := graph.Zeros(x.Graph(), shapes.Make(dtypes.Float32, n, h+2*pad, pad, c))
		x = graph.Concatenate([]*graph.Node{columns, x, columns}, 2)
	}
	out := (h-1)/stride + 1
	var sum *graph.Node
	for dy := range k[0] {
		for dx := range k[1] {
			axis := func(at int) graph.SliceAxisSpec { return graph.AxisRange(at, at+(out-1)*stride+1).Stride(stride) }
			y := graph.Slice(x, graph.AxisRange(), axis(dy), axis(dx))
			tap := graph.Slice(w, graph.AxisRange(dy, dy+1), graph.AxisRange(dx, dx+1))
			if depthwise {
				y = graph.Mul(y, tap)
			} else {
				y = graph.Dot(graph.Reshape(y, n*out*out, c), graph.Reshape(tap, c, k[3])).Product()
			}
			if sum == nil {
				sum = y
				continue
			}
			sum = graph.Add(sum, y)
		}
	}
	return graph.Reshape(sum, n, out, out, k[3])
}

func shifted(x, w *graph.Node) *graph.Node { return shiftedConv(x, w, 1, false) }

func convolve(x, w *graph.Node) *graph.Node {
	return graph.Convolve(x, w).PaddingPerDim([][2]int{{1, 1}, {1, 1}}).Done()
}

// BenchmarkConv compares this package with what the Go backend offers, forward and with both gradients.
func BenchmarkConv(b *testing.B) {
	forms := []struct {
		name    string
		backend func(testing.TB) compute.Backend
		conv    func(x, w *graph.Node) *graph.Node
	}{{"fastcpu", fast, convolve}, {"go-shifted", goBackend, shifted}, {"go-convolve", goBackend, convolve}}
	for _, c := range []struct{ n, s, ch int }{{64, 16, 16}, {128, 8, 32}, {128, 4, 64}} {
		for _, grad := range []bool{false, true} {
			for _, form := range forms {
				b.Run(fmt.Sprintf("%dx%dx%d/grad=%v/%s", c.n, c.s, c.ch, grad, form.name), func(b *testing.B) {
					exec := graph.MustNewExec(form.backend(b), func(x, w *graph.Node) []*graph.Node {
						y := form.conv(x, w)
						if !grad {
							return []*graph.Node{y}
						}
						return graph.Gradient(graph.ReduceAllSum(graph.Mul(y, y)), x, w)
					})
					x, w := random(1, c.n, c.s, c.s, c.ch), random(2, 3, 3, c.ch, c.ch)
					flops := 2 * 9 * float64(c.n*c.s*c.s*c.ch*c.ch)
					if grad {
						flops *= 3 // the product and two gradients
					}
					for b.Loop() {
						for _, o := range exec.MustCall(x, w) {
							o.MustFinalizeAll()
						}
					}
					b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
		}
	}
}

func TestShiftedFormIsTheConvolution(t *testing.T) {
	args := []*tensors.Tensor{random(1, 2, 4, 4, 16), random(2, 3, 3, 16, 16)}
	f := func(conv func(x, w *graph.Node) *graph.Node) func(in []*graph.Node) []*graph.Node {
		return func(in []*graph.Node) []*graph.Node { return []*graph.Node{conv(in[0], in[1])} }
	}
	compare(t, run(t, goBackend(t), f(shifted), args...), run(t, fast(t), f(convolve), args...), 1e-4)
}
