package fastcpu

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
)

const (
	tilePixels   = 4       // output pixels of one register tile
	tileChannels = 16      // output channels of one register tile
	bandFloats   = 1 << 14 // values of the input band that a goroutine works on: they fit a second-level cache
)

// convPlan is a two-dimensional convolution of NHWC images, without dilation, or the gradient of its kernel. Bands of
// rows are copied into a scratch area that holds the padding, so that the inner loops see a dense convolution. All sizes,
// offsets and strides are in elements. It covers one group of channels of x and y, and, as a phase of a dilated
// convolution, some of the rows and columns of y.
type convPlan struct {
	batch, h, w                   int
	xPixel, xOffset, cin          int
	oh, ow, cout                  int
	yImage, yRow, yPixel, yOffset int
	kh, kw                        int
	stride                        int
	padY, padX                    int // negative where rows or columns are left out
	sKh, sKw, sCi, sCo, kOffset   int // the kernel, or its gradient
}

func nhwc(batch, channels int, spatial []int) bool {
	return batch == 0 && channels == 3 && len(spatial) == 2 && spatial[0] == 1 && spatial[1] == 2
}

// window holds the settings of a convolution that are the same on both axes, and the padding before each.
type window struct{ stride, inputDilation, kernelDilation, padY, padX int }

func windowOf(strides []int, paddings [][2]int, inputDilations, kernelDilations []int) (w window, ok bool) {
	ok = true
	same := func(v []int) int {
		if len(v) == 0 {
			return 1
		}
		ok = ok && len(v) == 2 && v[0] == v[1]
		return v[0]
	}
	w = window{stride: same(strides), inputDilation: same(inputDilations), kernelDilation: same(kernelDilations)}
	if len(paddings) == 2 {
		w.padY, w.padX = paddings[0][0], paddings[1][0]
	}
	return w, ok
}

// planImageConv recognizes convolutions of NHWC images: the forward pass and the gradient of the input.
func planImageConv(x, w, out shapes.Shape, a compute.ConvolveAxesConfig, win window, groups int) ([]convPlan, bool) {
	if x.Rank() != 4 || win.kernelDilation != 1 || win.stride > 1 && win.inputDilation > 1 ||
		!nhwc(a.InputBatch, a.InputChannels, a.InputSpatial) || !nhwc(a.OutputBatch, a.OutputChannels, a.OutputSpatial) {
		return nil, false
	}
	d, o, k, ks := x.Dimensions, out.Dimensions, w.Dimensions, w.Strides()
	whole := convPlan{batch: d[0], h: d[1], w: d[2], xPixel: d[3], cin: d[3] / groups, oh: o[1], ow: o[2], cout: o[3] / groups,
		yImage: o[1] * o[2] * o[3], yRow: o[2] * o[3], yPixel: o[3],
		kh: k[a.KernelSpatial[0]], kw: k[a.KernelSpatial[1]], stride: win.stride, padY: win.padY, padX: win.padX,
		sKh: ks[a.KernelSpatial[0]], sKw: ks[a.KernelSpatial[1]], sCi: ks[a.KernelInputChannels], sCo: ks[a.KernelOutputChannels]}
	return whole.split(groups, win.inputDilation), true
}

// planKernelGrad recognizes the convolution that computes the gradient of a kernel: images with batch and channels
// exchanged, convolved with the gradient of the output.
func planKernelGrad(x, g, out shapes.Shape, a compute.ConvolveAxesConfig, win window, groups int) ([]convPlan, bool) {
	if x.Rank() != 4 || win.inputDilation != 1 || win.stride != 1 || !nhwc(a.InputChannels, a.InputBatch, a.InputSpatial) ||
		!nhwc(a.KernelInputChannels, a.KernelOutputChannels, a.KernelSpatial) {
		return nil, false
	}
	d, gd, o, os := x.Dimensions, g.Dimensions, out.Dimensions, out.Strides()
	whole := convPlan{batch: d[0], h: d[1], w: d[2], xPixel: d[3], cin: d[3] / groups, oh: gd[1], ow: gd[2], cout: gd[3] / groups,
		yImage: gd[1] * gd[2] * gd[3], yRow: gd[2] * gd[3], yPixel: gd[3],
		kh: o[a.OutputSpatial[0]], kw: o[a.OutputSpatial[1]], stride: win.kernelDilation, padY: win.padY, padX: win.padX,
		sKh: os[a.OutputSpatial[0]], sKw: os[a.OutputSpatial[1]], sCi: os[a.OutputBatch], sCo: os[a.OutputChannels]}
	return whole.split(groups, 1), true
}

// split returns p as plans of one group and without dilation of the input. With dilation s, the outputs whose row and
// column have the same remainders by s are a convolution of the undilated image with every s-th tap.
func (p convPlan) split(groups, s int) []convPlan {
	var plans []convPlan
	for ry := range s {
		for rx := range s {
			q := p
			ky, kx := ((p.padY-ry)%s+s)%s, ((p.padX-rx)%s+s)%s
			q.oh, q.ow = (p.oh-ry+s-1)/s, (p.ow-rx+s-1)/s
			q.kh, q.kw = max(0, (p.kh-ky+s-1)/s), max(0, (p.kw-kx+s-1)/s)
			q.padY, q.padX = (p.padY-ry-ky)/s, (p.padX-rx-kx)/s
			q.yOffset, q.yRow, q.yPixel = ry*p.yRow+rx*p.yPixel, p.yRow*s, p.yPixel*s
			q.kOffset, q.sKh, q.sKw = ky*p.sKh+kx*p.sKw, p.sKh*s, p.sKw*s
			for g := range groups {
				t := q
				t.xOffset += g * p.cin
				t.yOffset += g * p.cout
				t.kOffset += g * p.cout * p.sCo
				plans = append(plans, t)
			}
		}
	}
	return plans
}

// row is the length of a row of the scratch area.
func (p *convPlan) row() int { return ((p.ow-1)*p.stride + p.kw) * p.cin }

// run is the number of input values under one row of the kernel, rounded up to what the tiles take.
func (p *convPlan) run() int { return roundUp(p.kw*p.cin, 4) }

// slack is how far tiles may read beyond the scratch area: pixels and values whose products are dropped or zero.
func (p *convPlan) slack() int { return tilePixels*p.stride*p.cin + 4 }

// dense says that the convolution is a product of the matrices of pixels and of the kernel.
func (p *convPlan) dense() bool {
	return p.kh == 1 && p.kw == 1 && p.stride == 1 && p.padY == 0 && p.padX == 0 && p.h == p.oh && p.w == p.ow &&
		p.xPixel == p.cin && p.yPixel == p.cout
}

// bands returns how many output rows make a band of about the given size, and how many bands an image has.
func (p *convPlan) bands(floats int) (rows, count int) {
	rows = min(p.oh, max(1, (floats/p.row()-p.kh)/p.stride+1))
	return rows, (p.oh + rows - 1) / rows
}

// fill copies the input rows from y0 on into scratch. Columns of padding stay as they are (zero).
func (p *convPlan) fill(scratch, img []float32, y0, rows int) {
	width := p.row()
	lo, hi := max(0, p.padX), min(width/p.cin, p.w+p.padX)
	for r := range rows {
		dst := scratch[r*width : (r+1)*width]
		y := y0 + r
		if y < 0 || y >= p.h || lo >= hi {
			clear(dst)
			continue
		}
		src := img[(y*p.w+lo-p.padX)*p.xPixel+p.xOffset:]
		if p.xPixel == p.cin {
			copy(dst[lo*p.cin:hi*p.cin], src)
			continue
		}
		for x := lo; x < hi; x++ {
			copy(dst[x*p.cin:(x+1)*p.cin], src[(x-lo)*p.xPixel:])
		}
	}
}

// pack orders the kernel as [output tile][kh][run][tileChannels], with zeros where there is none.
func (p *convPlan) pack(w []float32) []float32 {
	run := p.run()
	packed := getScratch(roundUp(p.cout, tileChannels) * p.kh * run)
	for co := range p.cout {
		base := co/tileChannels*p.kh*run*tileChannels + co%tileChannels
		for ky := range p.kh {
			for kx := range p.kw {
				src := p.kOffset + ky*p.sKh + kx*p.sKw + co*p.sCo
				dst := base + (ky*run+kx*p.cin)*tileChannels
				for ci := range p.cin {
					packed[dst+ci*tileChannels] = w[src+ci*p.sCi]
				}
			}
		}
	}
	return packed
}

func convKernel(n *node, in, out []*buffer) {
	plans := n.attr.([]convPlan)
	for i := range plans {
		if plans[i].kh*plans[i].kw == 0 {
			clear(out[0].f32())
			break
		}
	}
	for i := range plans {
		if p := &plans[i]; p.kh*p.kw*p.oh*p.ow > 0 {
			p.forward(in[0].f32(), in[1].f32(), out[0].f32())
		}
	}
}

func (p *convPlan) forward(x, w, y []float32) {
	packed := p.pack(w)
	rows, count := p.bands(bandFloats)
	parallel(p.batch*count, 1, 2, func(_, lo, hi int) {
		scratch := getScratch(((rows-1)*p.stride+p.kh)*p.row() + p.slack())
		for i := lo; i < hi; i++ {
			b, y0 := i/count, i%count*rows
			rows := min(rows, p.oh-y0)
			p.fill(scratch, x[b*p.h*p.w*p.xPixel:], y0*p.stride-p.padY, (rows-1)*p.stride+p.kh)
			p.band(scratch, packed, y[b*p.yImage+y0*p.yRow+p.yOffset:], rows)
		}
		putScratch(scratch)
	})
	putScratch(packed)
}

// band computes some rows of output from the scratch area.
func (p *convPlan) band(scratch, packed, y []float32, rows int) {
	run, width := p.run(), p.row()
	panel := p.kh * run * tileChannels
	var edge [tilePixels * tileChannels]float32
	for co := 0; co < p.cout; co += tileChannels {
		w := packed[co/tileChannels*panel:][:panel]
		for oy := range rows {
			for ox := 0; ox < p.ow; ox += tilePixels {
				src, at := scratch[oy*p.stride*width+ox*p.stride*p.cin:], oy*p.yRow+ox*p.yPixel+co
				if ox+tilePixels <= p.ow && co+tileChannels <= p.cout {
					convTile(ptr(src), p.stride*p.cin, width, p.kh, run, ptr(w), ptr(y[at:]), p.yPixel)
					continue
				}
				convTile(ptr(src), p.stride*p.cin, width, p.kh, run, ptr(w), ptr(edge[:]), tileChannels)
				for i := range min(tilePixels, p.ow-ox) {
					copy(y[at+i*p.yPixel:][:min(tileChannels, p.cout-co)], edge[i*tileChannels:])
				}
			}
		}
	}
}

// planConv returns the native node of a convolution, without its operands and result, or nil.
func planConv(x, w, out shapes.Shape, a compute.ConvolveAxesConfig, strides []int, paddings [][2]int, inputDilations, kernelDilations []int,
	channelGroups, batchGroups int) *node {
	win, ok := windowOf(strides, paddings, inputDilations, kernelDilations)
	if !ok || x.Rank() != 4 || out.Size() == 0 {
		return nil
	}
	channelGroups, batchGroups = max(1, channelGroups), max(1, batchGroups)
	if batchGroups == 1 {
		channels := x.Dimensions[3]
		if channelGroups > 1 && channelGroups == channels && out.Dimensions[3] == channels {
			if plans, ok := planImageConv(x, w, out, a, win, 1); ok {
				return &node{op: "Depthwise", kernel: depthwiseKernel, attr: plans}
			}
			return nil
		}
		if plans, ok := planImageConv(x, w, out, a, win, channelGroups); ok {
			if p := &plans[0]; len(plans) == 1 && p.dense() {
				return &node{op: "Conv1x1", kernel: matmulKernel, attr: p.forwardProduct()}
			}
			return &node{op: "Conv", kernel: convKernel, attr: plans}
		}
	}
	if channelGroups == 1 {
		channels := x.Dimensions[3]
		if batchGroups > 1 && batchGroups == channels && w.Dimensions[3] == channels {
			if plans, ok := planKernelGrad(x, w, out, a, win, 1); ok {
				return &node{op: "DepthwiseKernelGrad", kernel: depthwiseGradKernel, attr: plans}
			}
			return nil
		}
		if plans, ok := planKernelGrad(x, w, out, a, win, batchGroups); ok {
			if p := &plans[0]; len(plans) == 1 && p.dense() && p.sCo == 1 && p.sCi == p.cout {
				return &node{op: "Conv1x1KernelGrad", kernel: matmulKernel, attr: p.gradProduct()}
			}
			return &node{op: "ConvKernelGrad", kernel: convGradKernel, attr: plans}
		}
	}
	return nil
}

// forwardProduct is a dense convolution: pixels [.., cin] times the kernel [cin, cout].
func (p *convPlan) forwardProduct() *product {
	return &product{m: p.batch * p.h * p.w, n: p.cout, k: p.cin, aOffset: []int{0}, bOffset: []int{p.kOffset},
		am: p.cin, ak: 1, bk: p.sCi, bn: p.sCo}
}

// gradProduct is the gradient of a dense kernel: pixels, transposed, times the gradient of the output.
func (p *convPlan) gradProduct() *product {
	return &product{m: p.cin, n: p.cout, k: p.batch * p.h * p.w, aOffset: []int{0}, bOffset: []int{0},
		am: 1, ak: p.cin, bk: p.cout, bn: 1}
}
