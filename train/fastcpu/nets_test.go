package fastcpu

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"
	"golang.org/x/sys/unix"
)

// layers builds small nets for benchmarks: in the operations that this package has kernels for, or, if shifted is set, in
// the form that the Go backend runs fastest: convolutions as sums of shifted products, batch normalization by its formula.
type layers struct {
	scope   *model.Scope
	shifted bool
	n       int
}

func (l *layers) variable(std float64, dims ...int) *model.Variable {
	l.n++
	t := random(uint64(l.n), dims...)
	tensors.MustMutableFlatData(t, func(flat []float32) {
		for i := range flat {
			flat[i] *= float32(std)
		}
	})
	name := fmt.Sprintf("v%d", l.n)
	if v := l.scope.GetVariable(name); v != nil {
		return v
	}
	return l.scope.VariableWithValue(name, t)
}

func (l *layers) filled(v float32, dims ...int) *model.Variable {
	l.n++
	name := fmt.Sprintf("v%d", l.n)
	if v := l.scope.GetVariable(name); v != nil {
		return v
	}
	data := make([]float32, shapes.Make(dtypes.Float32, dims...).Size())
	for i := range data {
		data[i] = v
	}
	return l.scope.VariableWithValue(name, tensors.FromFlatDataAndDimensions(data, dims...))
}

func (l *layers) conv(x *graph.Node, out, k, stride int, depthwise bool) *graph.Node {
	in, groups := x.Shape().Dimensions[3], 1
	if depthwise {
		in, groups = 1, in
	}
	w := l.variable(math.Sqrt(2/float64(k*k*in)), k, k, in, out).NodeValue(x)
	pad := (k - 1) / 2
	if !l.shifted {
		return graph.Convolve(x, w).StridePerAxis(stride, stride).PaddingPerDim([][2]int{{pad, pad}, {pad, pad}}).ChannelGroupCount(groups).Done()
	}
	return shiftedConv(x, w, stride, depthwise)
}

func (l *layers) norm(x *graph.Node) *graph.Node {
	c := x.Shape().Dimensions[3]
	scale, offset := l.filled(1, c).NodeValue(x), l.filled(0, c).NodeValue(x)
	if !l.shifted {
		y, _, _ := graph.InternalBatchNormForTraining(x, scale, offset, 1e-5, -1)
		return y
	}
	return graph.Add(graph.Mul(standard(x, 0, 1, 2), graph.Reshape(scale, 1, 1, 1, c)), graph.Reshape(offset, 1, 1, 1, c))
}

func standard(x *graph.Node, axes ...int) *graph.Node {
	d := graph.Sub(x, graph.ReduceAndKeep(x, graph.ReduceMean, axes...))
	return graph.Div(d, graph.Sqrt(graph.AddScalar(graph.ReduceAndKeep(graph.Mul(d, d), graph.ReduceMean, axes...), 1e-5)))
}

func (l *layers) linear(x *graph.Node, out int) *graph.Node {
	d := x.Shape().Dimensions
	in := d[len(d)-1]
	w, b := l.variable(1/math.Sqrt(float64(in)), in, out).NodeValue(x), l.filled(0, out).NodeValue(x)
	y := graph.Add(graph.Dot(graph.Reshape(x, -1, in), w).Product(), graph.ExpandAxes(b, 0))
	return graph.Reshape(y, append(append([]int{}, d[:len(d)-1]...), out)...)
}

func relu(x *graph.Node) *graph.Node {
	return graph.Where(graph.GreaterThan(x, graph.ScalarZero(x.Graph(), dtypes.Float32)), x, graph.ZerosLike(x))
}

func relu6(x *graph.Node) *graph.Node {
	y := relu(x)
	return graph.Where(graph.GreaterThan(y, graph.Scalar(y.Graph(), dtypes.Float32, 6)), graph.MulScalar(graph.OnesLike(y), 6), y)
}

// resnet has basic blocks; each stage but the first halves the resolution.
func (l *layers) resnet(x *graph.Node, stem, stemStride, blocks int, channels ...int) *graph.Node {
	x = relu(l.norm(l.conv(x, channels[0], stem, stemStride, false)))
	for i, c := range channels {
		if i > 0 {
			x = relu(l.norm(l.conv(x, c, 3, 2, false)))
		}
		for range blocks {
			y := relu(l.norm(l.conv(x, c, 3, 1, false)))
			x = relu(graph.Add(x, l.norm(l.conv(y, c, 3, 1, false))))
		}
	}
	return graph.ReduceMean(x, 1, 2)
}

// mobileNetV2 is the net of arXiv 1801.04381; small images keep the strides of its first two stages at one.
func (l *layers) mobileNetV2(x *graph.Node) *graph.Node {
	small := x.Shape().Dimensions[1] < 64
	stride := func(s int, early bool) int {
		if early && small {
			return 1
		}
		return s
	}
	x = relu6(l.norm(l.conv(x, 32, 3, stride(2, true), false)))
	for i, s := range []struct{ expand, out, blocks, stride int }{{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}} {
		for b := range s.blocks {
			step := 1
			if b == 0 {
				step = stride(s.stride, i < 2)
			}
			in, y := x.Shape().Dimensions[3], x
			if s.expand > 1 {
				y = relu6(l.norm(l.conv(y, in*s.expand, 1, 1, false)))
			}
			y = relu6(l.norm(l.conv(y, in*s.expand, 3, step, true)))
			y = l.norm(l.conv(y, s.out, 1, 1, false))
			if b > 0 {
				y = graph.Add(x, y)
			}
			x = y
		}
	}
	return graph.ReduceMean(relu6(l.norm(l.conv(x, 1280, 1, 1, false))), 1, 2)
}

func (l *layers) vit(x *graph.Node, patch, width, depth, heads int) *graph.Node {
	d := x.Shape().Dimensions
	side := d[1] / patch
	x = graph.Reshape(x, d[0], side, patch, side, patch, d[3])
	x = graph.Reshape(graph.TransposeAllAxes(x, 0, 1, 3, 2, 4, 5), d[0], side*side, patch*patch*d[3])
	x = l.linear(x, width)
	x = graph.Add(x, l.variable(0.02, 1, side*side, width).NodeValue(x))
	norm := func(x *graph.Node) *graph.Node {
		scale, offset := l.filled(1, 1, 1, width).NodeValue(x), l.filled(0, 1, 1, width).NodeValue(x)
		return graph.Add(graph.Mul(standard(x, -1), scale), offset)
	}
	for range depth {
		qkv := l.linear(norm(x), 3*width)
		part := func(i int) *graph.Node {
			p := graph.Slice(qkv, graph.AxisRange(), graph.AxisRange(), graph.AxisRange(i*width, (i+1)*width))
			p = graph.TransposeAllAxes(graph.Reshape(p, d[0], side*side, heads, width/heads), 0, 2, 1, 3)
			return graph.Reshape(p, d[0]*heads, side*side, width/heads)
		}
		scores := graph.MulScalar(graph.Einsum("bqd,bkd->bqk", part(0), part(1)), 1/math.Sqrt(float64(width/heads)))
		y := graph.Reshape(graph.Einsum("bqk,bkd->bqd", graph.Exp(graph.LogSoftmax(scores)), part(2)), d[0], heads, side*side, width/heads)
		x = graph.Add(x, l.linear(graph.Reshape(graph.TransposeAllAxes(y, 0, 2, 1, 3), d[0], side*side, width), width))
		y = l.linear(norm(x), 4*width)
		y = graph.Mul(graph.MulScalar(y, 0.5), graph.AddScalar(graph.Erf(graph.MulScalar(y, math.Sqrt2/2)), 1))
		x = graph.Add(x, l.linear(y, width))
	}
	return graph.ReduceMean(norm(x), 1)
}

var benchNets = []struct {
	name        string
	size, batch int
	net         func(l *layers, x *graph.Node) *graph.Node
}{
	{"resnet-3x4", 32, 64, func(l *layers, x *graph.Node) *graph.Node { return l.resnet(x, 3, 2, 4, 16, 32, 64) }},
	{"mobilenetv2", 32, 32, (*layers).mobileNetV2},
	{"vit-6x128", 32, 64, func(l *layers, x *graph.Node) *graph.Node { return l.vit(x, 4, 128, 6, 4) }},
	{"resnet-4x2", 224, 8, func(l *layers, x *graph.Node) *graph.Node { return l.resnet(x, 7, 4, 2, 64, 128, 256, 512) }},
	{"mobilenetv2", 224, 16, (*layers).mobileNetV2},
	{"vit-12x192", 224, 16, func(l *layers, x *graph.Node) *graph.Node { return l.vit(x, 16, 192, 12, 3) }},
}

// trainingStep returns one step of Adam on a net with ten classes.
func trainingStep(b testing.TB, backend compute.Backend, shifted bool, net func(l *layers, x *graph.Node) *graph.Node) func(images, labels *tensors.Tensor) float32 {
	store := model.NewStore()
	exec, err := model.NewExec(backend, store, func(scope *model.Scope, images, labels *graph.Node) *graph.Node {
		l := &layers{scope: scope, shifted: shifted}
		logits := graph.LogSoftmax(l.linear(net(l, images), 10))
		loss := graph.Neg(graph.ReduceAllMean(graph.ReduceSum(graph.Mul(graph.OneHot(labels, 10, dtypes.Float32), logits), -1)))
		optimizer.Adam().LearningRate(1e-3).WeightDecay(0.01).Done().UpdateGraph(scope, images.Graph(), loss)
		return loss
	})
	if err != nil {
		b.Fatal(err)
	}
	return func(images, labels *tensors.Tensor) float32 {
		out, err := exec.Call(images, labels)
		if err != nil {
			b.Fatal(err)
		}
		loss := tensors.ToScalar[float32](out[0])
		out[0].MustFinalizeAll()
		return loss
	}
}

func labels(n int) *tensors.Tensor {
	l := make([]int32, n)
	for i := range l {
		l[i] = int32(i % 10)
	}
	return tensors.FromFlatDataAndDimensions(l, n)
}

// BenchmarkStep measures whole training steps. The Go backend gets smaller batches, as it takes long.
func BenchmarkStep(b *testing.B) {
	for _, n := range benchNets {
		for _, backend := range []string{"fastcpu", "go"} {
			b.Run(fmt.Sprintf("%s-%d/%s", n.name, n.size, backend), func(b *testing.B) {
				batch, on := n.batch, fast(b)
				if backend == "go" {
					batch, on = max(1, n.batch/8), goBackend(b)
				}
				step := trainingStep(b, on, backend == "go", n.net)
				images, labels := random(1, batch, n.size, n.size, 3), labels(batch)
				step(images, labels)
				used := cpuSeconds(b)
				for b.Loop() {
					step(images, labels)
				}
				b.ReportMetric(float64(batch*b.N)/b.Elapsed().Seconds(), "images/s")
				b.ReportMetric(float64(batch*b.N)/(cpuSeconds(b)-used), "images/cpu-s")
				b.ReportMetric(peakMemory(), "peak-MiB")
			})
		}
	}
}

// cpuSeconds is the processor time of this process so far, which other programs on the machine change little.
func cpuSeconds(b *testing.B) float64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// peakMemory is the process's largest resident size so far, in MiB, or 0 where /proc does not tell.
func peakMemory() float64 {
	data, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(data), "VmHWM:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, _ := strconv.ParseFloat(fields[0], 64)
	return kib / 1024
}

// Whole nets learn as they do on the Go backend.
func TestTrainingStepsEqualGoBackend(t *testing.T) {
	nets := map[string]func(l *layers, x *graph.Node) *graph.Node{
		"resnet": func(l *layers, x *graph.Node) *graph.Node { return l.resnet(x, 3, 2, 1, 8, 20) },
		"inverted": func(l *layers, x *graph.Node) *graph.Node {
			x = relu6(l.norm(l.conv(x, 8, 3, 2, false)))
			y := relu6(l.norm(l.conv(x, 24, 1, 1, false)))
			y = relu6(l.norm(l.conv(y, 24, 3, 1, true)))
			x = graph.Add(x, l.norm(l.conv(y, 8, 1, 1, false)))
			return graph.ReduceMean(relu6(l.norm(l.conv(x, 8, 3, 2, true))), 1, 2)
		},
		"vit": func(l *layers, x *graph.Node) *graph.Node { return l.vit(x, 4, 24, 2, 2) },
	}
	for name, net := range nets {
		t.Run(name, func(t *testing.T) {
			ours, theirs := trainingStep(t, fast(t), false, net), trainingStep(t, goBackend(t), true, net)
			for i := range 4 {
				got, want := ours(random(7, 4, 16, 16, 3), labels(4)), theirs(random(7, 4, 16, 16, 3), labels(4))
				if !(math.Abs(float64(got-want)) < 2e-3) {
					t.Fatalf("step %d: loss %v, want %v", i, got, want)
				}
			}
		})
	}
}
