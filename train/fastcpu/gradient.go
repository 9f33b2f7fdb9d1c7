package fastcpu

import (
	"fmt"
	"reflect"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

var registerOnce sync.Once

// RegisterGradients replaces, for all backends of the process, GoMLX's gradient of convolutions with several channel
// groups or with an even kernel. GoMLX's own makes one convolution of each group, which is hundreds of them for a depthwise layer, and
// is shifted by one pixel for even kernels. This one makes one grouped convolution for each operand.
func RegisterGradients() {
	registerOnce.Do(func() {
		old := graph.VJPRegistration[graph.NodeTypeConvGeneral]
		graph.VJPRegistration[graph.NodeTypeConvGeneral] = func(n *graph.Node, v []*graph.Node, shape shapes.Shape) []*graph.Node {
			c, err := convolutionOf(n)
			if err != nil {
				panic(err)
			}
			if c.batchGroups > 1 || !c.replaces() {
				return old(n, v, shape)
			}
			return []*graph.Node{c.inputGradient(v[0]), c.kernelGradient(v[0])}
		}
	})
}

// convolution is what a graph node for a convolution was made of.
type convolution struct {
	x, w                       *graph.Node
	axes                       compute.ConvolveAxesConfig
	strides, kernelDilations   []int // of each spatial axis
	paddings                   [][2]int
	inputDilations             []int
	channelGroups, batchGroups int
}

// convolutionOf reads the settings of a node. GoMLX keeps them to itself, so they are read by reflection.
func convolutionOf(n *graph.Node) (c *convolution, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("fastcpu: read the settings of %s (does this version of GoMLX keep them elsewhere?): %v", n, r)
		}
	}()
	set := reflect.ValueOf(n).Elem().FieldByName("inputs").Elem().Elem()
	field := set.FieldByName
	ints := func(v reflect.Value) []int {
		s := make([]int, v.Len())
		for i := range s {
			s[i] = int(v.Index(i).Int())
		}
		return s
	}
	in := n.Inputs()
	c = &convolution{x: in[0], w: in[1], inputDilations: ints(field("inputDilations")),
		channelGroups: int(field("channelGroupCount").Int()), batchGroups: int(field("batchGroupCount").Int())}
	a := field("axes").FieldByName
	c.axes = compute.ConvolveAxesConfig{InputBatch: int(a("InputBatch").Int()), InputChannels: int(a("InputChannels").Int()),
		InputSpatial: ints(a("InputSpatial")), KernelInputChannels: int(a("KernelInputChannels").Int()),
		KernelOutputChannels: int(a("KernelOutputChannels").Int()), KernelSpatial: ints(a("KernelSpatial")),
		OutputBatch: int(a("OutputBatch").Int()), OutputChannels: int(a("OutputChannels").Int()), OutputSpatial: ints(a("OutputSpatial"))}
	c.strides, c.kernelDilations = ints(field("strides")), ints(field("kernelDilations"))
	c.paddings = make([][2]int, len(c.axes.InputSpatial))
	for i := range field("paddings").Len() {
		c.paddings[i] = [2]int(ints(field("paddings").Index(i)))
	}
	for i := range c.axes.InputSpatial {
		if len(c.strides) <= i {
			c.strides = append(c.strides, 1)
		}
		if len(c.kernelDilations) <= i {
			c.kernelDilations = append(c.kernelDilations, 1)
		}
	}
	return c, nil
}

func (c *convolution) kernelSize(i int) int {
	return (c.w.Shape().Dimensions[c.axes.KernelSpatial[i]]-1)*c.kernelDilations[i] + 1
}

// replaces says whether this package's gradient is to be used.
func (c *convolution) replaces() bool {
	if len(c.inputDilations) > 0 {
		return false
	}
	even := false
	for i, p := range c.paddings {
		k := c.kernelSize(i)
		even = even || k%2 == 0
		if p[0] >= k || p[1] >= k || p[0] < 0 || p[1] < 0 {
			return false
		}
	}
	return even || c.channelGroups > 1
}

// inputGradient is the convolution of v, dilated by the strides, with the kernel, turned around, and with its input and
// output channels exchanged within each group.
func (c *convolution) inputGradient(v *graph.Node) *graph.Node {
	a := c.axes
	w := graph.Reverse(c.w, a.KernelSpatial...)
	back := compute.ConvolveAxesConfig{InputBatch: a.OutputBatch, InputChannels: a.OutputChannels, InputSpatial: a.OutputSpatial,
		KernelInputChannels: a.KernelOutputChannels, KernelOutputChannels: a.KernelInputChannels, KernelSpatial: a.KernelSpatial,
		OutputBatch: a.InputBatch, OutputChannels: a.InputChannels, OutputSpatial: a.InputSpatial}
	if c.channelGroups > 1 {
		w, back.KernelInputChannels, back.KernelOutputChannels = c.exchange(w), a.KernelInputChannels, a.KernelOutputChannels
	}
	pads := make([][2]int, len(c.paddings))
	for i, p := range c.paddings {
		k := c.kernelSize(i)
		in, out := c.x.Shape().Dimensions[a.InputSpatial[i]], v.Shape().Dimensions[a.OutputSpatial[i]]
		before := k - 1 - p[0]
		pads[i] = [2]int{before, in + k - 2 - (out-1)*c.strides[i] - before}
	}
	return graph.ConvGeneral(v, w, back, nil, pads, c.strides, c.kernelDilations, c.channelGroups, 1)
}

// exchange swaps the input and output channels of each group of a kernel.
func (c *convolution) exchange(w *graph.Node) *graph.Node {
	in, out := c.axes.KernelInputChannels, c.axes.KernelOutputChannels
	dims := w.Shape().Dimensions
	if dims[in] == 1 && dims[out] == c.channelGroups {
		return w
	}
	rank := w.Rank()
	last := make([]int, 0, rank) // the other axes, then input, then output channels
	for i := range rank {
		if i != in && i != out {
			last = append(last, i)
		}
	}
	w = graph.TransposeAllAxes(w, append(last, in, out)...)
	d := w.Shape().Dimensions
	rest, ci, co := d[:rank-2:rank-2], d[rank-2], d[rank-1]/c.channelGroups
	w = graph.Reshape(w, append(append([]int{}, rest...), ci, c.channelGroups, co)...)
	order := make([]int, rank+1)
	for i := range order {
		order[i] = i
	}
	order[rank-2], order[rank] = rank, rank-2
	w = graph.Reshape(graph.TransposeAllAxes(w, order...), append(append([]int{}, rest...), co, c.channelGroups*ci)...)
	back := make([]int, rank)
	for i, axis := range append(last, in, out) {
		back[axis] = i
	}
	return graph.TransposeAllAxes(w, back...)
}

// kernelGradient is the convolution of the input, with batch and channels exchanged, with v in place of a kernel.
func (c *convolution) kernelGradient(v *graph.Node) *graph.Node {
	a := c.axes
	back := compute.ConvolveAxesConfig{InputBatch: a.InputChannels, InputChannels: a.InputBatch, InputSpatial: a.InputSpatial,
		KernelInputChannels: a.OutputBatch, KernelOutputChannels: a.OutputChannels, KernelSpatial: a.OutputSpatial,
		OutputBatch: a.KernelInputChannels, OutputChannels: a.KernelOutputChannels, OutputSpatial: a.KernelSpatial}
	pads := make([][2]int, len(c.paddings))
	for i, p := range c.paddings {
		in, out := c.x.Shape().Dimensions[a.InputSpatial[i]], v.Shape().Dimensions[a.OutputSpatial[i]]
		// The last rows and columns that no window reached are cut off.
		pads[i] = [2]int{p[0], (out-1)*c.strides[i] + c.kernelSize(i) - in - p[0]}
	}
	return graph.ConvGeneral(c.x, v, back, c.kernelDilations, pads, nil, c.strides, 1, c.channelGroups)
}
