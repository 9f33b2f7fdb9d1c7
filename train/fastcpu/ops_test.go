package fastcpu

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// withGradient returns f's result and the gradients of the sum of its cubes.
func withGradient(f func(in []*graph.Node) *graph.Node) func(in []*graph.Node) []*graph.Node {
	return func(in []*graph.Node) []*graph.Node {
		y := f(in)
		return append([]*graph.Node{y}, graph.Gradient(graph.ReduceAllSum(graph.Mul(y, graph.Mul(y, y))), in...)...)
	}
}

type node1 = func(x *graph.Node) *graph.Node

func TestElementwiseEqualsGoBackend(t *testing.T) {
	positive := func(f node1) node1 {
		return func(x *graph.Node) *graph.Node { return f(graph.AddScalar(graph.Mul(x, x), 0.5)) }
	}
	ops := map[string]node1{
		"neg": graph.Neg, "abs": graph.Abs, "sign": graph.Sign, "exp": graph.Exp, "tanh": graph.Tanh, "erf": graph.Erf, "sigmoid": graph.Sigmoid,
		"sqrt": positive(graph.Sqrt), "log": positive(graph.Log),
		"relu6": func(x *graph.Node) *graph.Node { return graph.ClipScalar(graph.MulScalar(x, 4), 0, 6) },
		"relu": func(x *graph.Node) *graph.Node {
			return graph.Where(graph.GreaterThan(x, graph.ScalarZero(x.Graph(), dtypes.Float32)), x, graph.ZerosLike(x))
		},
		"bounds": func(x *graph.Node) *graph.Node {
			low, high := graph.GreaterOrEqual(x, graph.Scalar(x.Graph(), dtypes.Float32, -1)), graph.LessOrEqual(x, graph.Scalar(x.Graph(), dtypes.Float32, 1))
			return graph.Mul(x, graph.ConvertDType(graph.And(graph.LogicalNot(graph.Not(low)), high), dtypes.Float32))
		},
		"gelu": func(x *graph.Node) *graph.Node {
			return graph.MulScalar(graph.Mul(x, graph.AddScalar(graph.Erf(graph.MulScalar(x, math.Sqrt2/2)), 1)), 0.5)
		},
		"softmax": func(x *graph.Node) *graph.Node { return graph.Softmax(x, -1) },
		"layer norm": func(x *graph.Node) *graph.Node {
			d := graph.Sub(x, graph.ReduceAndKeep(x, graph.ReduceMean, -1))
			return graph.Div(d, graph.Sqrt(graph.AddScalar(graph.ReduceAndKeep(graph.Mul(d, d), graph.ReduceMean, -1), 1e-5)))
		},
		"log softmax": func(x *graph.Node) *graph.Node { return graph.LogSoftmax(x) },
	}
	for name, op := range ops {
		for _, dims := range [][]int{{3, 5}, {37, 3, 611}} {
			t.Run(fmt.Sprint(name, dims), func(t *testing.T) {
				f := withGradient(func(in []*graph.Node) *graph.Node { return op(in[0]) })
				x := random(1, dims...)
				compare(t, run(t, goBackend(t), f, x), run(t, fast(t), f, x), 1e-5)
			})
		}
	}
}

func TestTranscendentalsEqualMath(t *testing.T) {
	var x []float32
	for v := -110.0; v < 110; v += 0.0137 {
		x = append(x, float32(v), float32(v*v*v*1e-6))
	}
	x = append(x, 0, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), 88.72, 88.73, -87.33, 1e-30, -1e-30)
	for len(x)%lanes != 0 {
		x = append(x, 1)
	}
	for op, f := range map[elementOp]func(float64) float64{opExp: math.Exp, opTanh: math.Tanh, opErf: math.Erf,
		opLogistic: func(v float64) float64 { return 1 / (1 + math.Exp(-v)) }} {
		got := make([]float32, len(x))
		op.block(got, vector{data: x}, vector{}, vector{})
		for i, v := range x {
			want := f(float64(v))
			if want32 := float64(float32(want)); math.IsInf(want32, 0) || math.IsNaN(want32) {
				if d := float64(got[i]); d != want32 && !(math.IsNaN(d) && math.IsNaN(want32)) {
					t.Errorf("operation %d of %v is %v, want %v", op, v, d, want32)
				}
				continue
			}
			if d := math.Abs(float64(got[i]) - want); d > 3e-7*math.Max(1, math.Abs(want)) {
				t.Errorf("operation %d of %v is %v, want %v", op, v, got[i], want)
			}
		}
	}
}

func TestBroadcastsEqualGoBackend(t *testing.T) {
	for _, c := range [][2][]int{{{4, 5, 6}, {1, 1, 6}}, {{4, 5, 6}, {4, 5, 1}}, {{4, 1, 6}, {1, 5, 1}}, {{4, 5, 6}, {4, 1, 6}}, {{40, 50, 64}, {40, 1, 64}}, {{2, 3, 4, 5}, {2, 1, 4, 1}}, {{3}, {1}}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			f := withGradient(func(in []*graph.Node) *graph.Node {
				a, b := in[0], in[1]
				y := graph.Div(graph.Sub(graph.Mul(a, b), b), graph.AddScalar(graph.Mul(b, b), 1))
				return graph.Where(graph.LessThan(a, b), y, graph.Add(b, a))
			})
			a, b := random(1, c[0]...), random(2, c[1]...)
			compare(t, run(t, goBackend(t), f, a, b), run(t, fast(t), f, a, b), 1e-5)
		})
	}
	t.Run("in dim", func(t *testing.T) {
		f := func(in []*graph.Node) []*graph.Node {
			y := graph.BroadcastToShape(graph.Reshape(in[0], 3, 1, 7), shapes.Make(dtypes.Float32, 3, 5, 7))
			return []*graph.Node{y, graph.Reshape(graph.Add(graph.Reshape(y, 15, 7), graph.Reshape(y, 15, 7)), -1)}
		}
		x := random(1, 3, 7)
		compare(t, run(t, goBackend(t), f, x), run(t, fast(t), f, x), 1e-6)
	})
}

func TestReductionsEqualGoBackend(t *testing.T) {
	for _, dims := range [][]int{{6, 5, 4, 7}, {3, 70, 11, 50}, {1, 90, 110, 1}} {
		for _, axes := range [][]int{{0}, {1}, {3}, {0, 1}, {1, 2}, {2, 3}, {0, 2}, {1, 3}, {0, 1, 2}, {0, 1, 2, 3}, {0, 2, 3}} {
			t.Run(fmt.Sprint(dims, axes), func(t *testing.T) {
				f := func(in []*graph.Node) []*graph.Node {
					x := in[0]
					return []*graph.Node{graph.ReduceSum(x, axes...), graph.ReduceMean(x, axes...), graph.ReduceMax(x, axes...), graph.ReduceMin(x, axes...)}
				}
				x := random(1, dims...)
				compare(t, run(t, goBackend(t), f, x), run(t, fast(t), f, x), 1e-5)
			})
		}
	}
}

func TestMovementsEqualGoBackend(t *testing.T) {
	f := withGradient(func(in []*graph.Node) *graph.Node {
		x := in[0]
		parts := []*graph.Node{
			graph.TransposeAllAxes(x, 2, 0, 1, 3), graph.TransposeAllAxes(x, 0, 1, 3, 2), graph.TransposeAllAxes(x, 3, 2, 1, 0), graph.TransposeAllAxes(x, 0, 2, 1, 3),
			graph.Slice(x, graph.AxisRange(1, 3), graph.AxisRange(), graph.AxisRange(0, 5).Stride(2), graph.AxisRange(2)),
			graph.Slice(x, graph.AxisRange(2)),
			graph.Concatenate([]*graph.Node{x, x, graph.Slice(x, graph.AxisRange(), graph.AxisRange(1, 2))}, 1),
			graph.Concatenate([]*graph.Node{x, x}, 0), graph.Concatenate([]*graph.Node{x, x}, -1),
		}
		for i, p := range parts {
			parts[i] = graph.Reshape(p, -1)
		}
		return graph.Concatenate(parts, 0)
	})
	for _, dims := range [][]int{{4, 6, 5, 3}, {6, 20, 33, 70}} {
		x := random(1, dims...)
		compare(t, run(t, goBackend(t), f, x), run(t, fast(t), f, x), 1e-5)
	}
	pad := func(in []*graph.Node) []*graph.Node {
		return []*graph.Node{graph.Reverse(in[0], 1, 3), graph.Pad(in[0], graph.Scalar(in[0].Graph(), dtypes.Float32, 7), graph.PadAxis{Start: 1, End: 2}, graph.PadAxis{Interior: 2}, graph.PadAxis{}, graph.PadAxis{Start: 3})}
	}
	x := random(1, 4, 6, 5, 3)
	compare(t, run(t, goBackend(t), pad, x), run(t, fast(t), pad, x), 1e-6)
}

func TestProductsEqualGoBackend(t *testing.T) {
	for _, c := range []struct {
		equation string
		a, b     []int
	}{
		{"ij,jk->ik", []int{5, 7}, []int{7, 9}}, {"ij,jk->ik", []int{300, 64}, []int{64, 48}}, {"ij,kj->ik", []int{33, 20}, []int{17, 20}},
		{"ji,jk->ik", []int{900, 22}, []int{900, 18}}, {"ji,kj->ik", []int{9, 22}, []int{18, 9}}, {"ji,jk->ik", []int{700, 300}, []int{700, 130}},
		{"btd,df->btf", []int{3, 17, 12}, []int{12, 34}}, {"bthd,bshd->bhts", []int{3, 17, 2, 12}, []int{3, 19, 2, 12}},
		{"bhts,bshd->bthd", []int{3, 4, 17, 19}, []int{3, 19, 4, 12}}, {"bij,bjk->bik", []int{9, 7, 8}, []int{9, 8, 16}}, {"bij,bjk->bik", []int{3, 7, 8}, []int{3, 8, 16}},
		{"i,i->", []int{50}, []int{50}}, {"i,j->ij", []int{50}, []int{20}}, {"ij,j->i", []int{50, 20}, []int{20}}, {"j,ij->i", []int{20}, []int{50, 20}},
		{"abij,abk->ijk", []int{3, 4, 5, 6}, []int{3, 4, 7}},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			f := withGradient(func(in []*graph.Node) *graph.Node { return graph.Einsum(c.equation, in[0], in[1]) })
			a, b := random(1, c.a...), random(2, c.b...)
			compare(t, run(t, goBackend(t), f, a, b), run(t, fast(t), f, a, b), 1e-5)
		})
	}
}

func TestResultsDoNotDependOnWorkers(t *testing.T) {
	f := func(in []*graph.Node) []*graph.Node {
		x, w, d, v := in[0], in[1], in[2], in[3]
		y := graph.Convolve(x, w).PaddingPerDim([][2]int{{1, 1}, {1, 1}}).Done()
		y, mean, variance := graph.InternalBatchNormForTraining(y, graph.ReduceSum(w, 0, 1, 2), graph.ReduceMax(w, 0, 1, 2), 1e-5, -1)
		y = graph.Convolve(y, d).PaddingPerDim([][2]int{{1, 1}, {1, 1}}).ChannelGroupCount(20).Done()
		y = graph.Softmax(graph.Einsum("bhwc,cd->bhwd", graph.Tanh(y), v), -1)
		loss := graph.ReduceAllMean(graph.Mul(y, y))
		return append([]*graph.Node{loss, y, mean, variance}, graph.Gradient(loss, in...)...)
	}
	args := []*tensors.Tensor{random(1, 9, 33, 31, 7), random(2, 3, 3, 7, 20), random(3, 3, 3, 1, 20), random(4, 20, 33)}
	var first [][]float32
	for _, workers := range []int{1, 2, 3, 7, 2} {
		old := runtime.GOMAXPROCS(workers)
		got := run(t, fast(t), f, args...)
		runtime.GOMAXPROCS(old)
		if first == nil {
			first = got
		}
		for i := range got {
			if !slices.Equal(got[i], first[i]) {
				t.Fatalf("with %d workers, output %d differs from that with 1", workers, i)
			}
		}
	}
}

func TestDelegatedOperationsEqualGoBackend(t *testing.T) {
	f := func(in []*graph.Node) []*graph.Node {
		x := in[0]
		g := x.Graph()
		rows := graph.Const(g, [][]int32{{3}, {0}, {3}})
		gathered := graph.Gather(x, rows, false)
		_, bits := graph.RandomUniform(graph.Const(g, []uint64{1, 2, 3}), shapes.Make(dtypes.Float32, 4, 5))
		best := graph.ConvertDType(graph.ArgMax(x, -1), dtypes.Float32)
		grad := graph.Gradient(graph.ReduceAllSum(graph.Mul(gathered, gathered)), x)[0]
		return []*graph.Node{graph.Sin(x), graph.Floor(x), graph.Log1p(graph.Abs(x)), gathered, grad, bits, best}
	}
	x := random(1, 5, 7)
	compare(t, run(t, goBackend(t), f, x), run(t, fast(t), f, x), 1e-6)
}

func TestWhatIsMissingSaysSo(t *testing.T) {
	_, err := graph.CallOnce(fast(t), func(x *graph.Node) *graph.Node { return graph.FFT(graph.ConvertDType(x, dtypes.Complex64)) }, random(1, 8))
	if !compute.IsNotImplemented(err) {
		t.Fatalf("error %v, want one that says the operation is not implemented", err)
	}
}
