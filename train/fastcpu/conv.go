package fastcpu

import (
	"sync"
	"unsafe"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
)

const (
	tilePixels   = 4  // output pixels of one register tile
	tileChannels = 16 // output channels of one register tile
	scratchBytes = 32 << 10
)

// convPlan describes a two-dimensional convolution of NHWC images, or the gradient of its kernel. Images are copied into
// a scratch area of hp x wp pixels and c4 channels that already holds the padding and the input dilation, so that the
// inner loops see a dense convolution.
type convPlan struct {
	batch, h, w, cin   int
	c4                 int // cin rounded up to a multiple of 4
	oh, ow, cout       int
	kh, kw             int
	stride, dilation   int
	padY, padX         int
	hp, wp             int
	sKh, sKw, sCi, sCo int // strides of the kernel (or of its gradient) in elements
}

func nhwc(batch, channels int, spatial []int) bool {
	return batch == 0 && channels == 3 && len(spatial) == 2 && spatial[0] == 1 && spatial[1] == 2
}

// same returns the common value of a per-axis setting that defaults to one, and false if the axes differ.
func same(v []int) (int, bool) {
	if len(v) == 0 {
		return 1, true
	}
	return v[0], v[0] == v[1]
}

func padBegin(p [][2]int) (y, x int, ok bool) {
	if len(p) == 0 {
		return 0, 0, true
	}
	return p[0][0], p[1][0], p[0][0] >= 0 && p[1][0] >= 0
}

func (p *convPlan) finish() *convPlan {
	p.c4 = (p.cin + 3) / 4 * 4
	p.hp = (p.oh-1)*p.stride + p.kh
	p.wp = (p.ow-1)*p.stride + p.kw
	return p
}

// planImageConv recognizes convolutions of NHWC images: the forward pass and the gradient of the input.
func planImageConv(x, w, out shapes.Shape, a compute.ConvolveAxesConfig, strides []int, paddings [][2]int, inputDil, kernelDil []int) (*convPlan, bool) {
	stride, ok1 := same(strides)
	dilation, ok2 := same(inputDil)
	kdil, ok3 := same(kernelDil)
	padY, padX, ok4 := padBegin(paddings)
	if x.Rank() != 4 || !ok1 || !ok2 || !ok3 || !ok4 || kdil != 1 || !nhwc(a.InputBatch, a.InputChannels, a.InputSpatial) ||
		!nhwc(a.OutputBatch, a.OutputChannels, a.OutputSpatial) {
		return nil, false
	}
	d, o, k, ks := x.Dimensions, out.Dimensions, w.Dimensions, w.Strides()
	p := &convPlan{batch: d[0], h: d[1], w: d[2], cin: d[3], oh: o[1], ow: o[2], cout: o[3],
		kh: k[a.KernelSpatial[0]], kw: k[a.KernelSpatial[1]], stride: stride, dilation: dilation, padY: padY, padX: padX,
		sKh: ks[a.KernelSpatial[0]], sKw: ks[a.KernelSpatial[1]], sCi: ks[a.KernelInputChannels], sCo: ks[a.KernelOutputChannels]}
	return p.finish(), true
}

// planKernelGrad recognizes the convolution by which GoMLX computes the gradient of a kernel: images with batch and
// channels exchanged, convolved with the gradient of the output.
func planKernelGrad(x, g, out shapes.Shape, a compute.ConvolveAxesConfig, strides []int, paddings [][2]int, inputDil, kernelDil []int) (*convPlan, bool) {
	stride, ok1 := same(kernelDil)
	one, ok2 := same(inputDil)
	dil, ok3 := same(strides)
	padY, padX, ok4 := padBegin(paddings)
	if x.Rank() != 4 || !ok1 || !ok2 || !ok3 || !ok4 || one != 1 || dil != 1 || !nhwc(a.InputChannels, a.InputBatch, a.InputSpatial) ||
		!nhwc(a.KernelInputChannels, a.KernelOutputChannels, a.KernelSpatial) {
		return nil, false
	}
	d, o, os := x.Dimensions, out.Dimensions, out.Strides()
	gd := g.Dimensions
	p := &convPlan{batch: d[0], h: d[1], w: d[2], cin: d[3], oh: gd[1], ow: gd[2], cout: gd[3],
		kh: o[a.OutputSpatial[0]], kw: o[a.OutputSpatial[1]], stride: stride, dilation: 1, padY: padY, padX: padX,
		sKh: os[a.OutputSpatial[0]], sKw: os[a.OutputSpatial[1]], sCi: os[a.OutputBatch], sCo: os[a.OutputChannels]}
	return p.finish(), p.cout%tileChannels == 0
}

// fill copies one image into scratch, whose border and gaps stay as they are (zero).
func (p *convPlan) fill(scratch, img []float32) {
	for y := range p.h {
		sy := y*p.dilation + p.padY
		if sy >= p.hp {
			break
		}
		row := img[y*p.w*p.cin : (y+1)*p.w*p.cin]
		if p.dilation == 1 && p.c4 == p.cin {
			n := min(p.w, p.wp-p.padX) * p.cin
			copy(scratch[(sy*p.wp+p.padX)*p.c4:], row[:n])
			continue
		}
		for x := range p.w {
			sx := x*p.dilation + p.padX
			if sx >= p.wp {
				break
			}
			copy(scratch[(sy*p.wp+sx)*p.c4:], row[x*p.cin:(x+1)*p.cin])
		}
	}
}

// scratchPool keeps the zeroed scratch areas of all sizes.
var scratchPool sync.Map // int -> *sync.Pool

func getScratch(n int) []float32 {
	if p, ok := scratchPool.Load(n); ok {
		if s, ok := p.(*sync.Pool).Get().(*[]float32); ok {
			clear(*s)
			return *s
		}
	}
	return make([]float32, n)
}

func putScratch(s []float32) {
	p, _ := scratchPool.LoadOrStore(len(s), &sync.Pool{})
	p.(*sync.Pool).Put(&s)
}

// pack orders the kernel as [output tile][kh][kw][c4][tileChannels], with zeros where there is no channel.
func (p *convPlan) pack(w []float32) []float32 {
	tiles := (p.cout + tileChannels - 1) / tileChannels
	packed := getScratch(tiles * p.kh * p.kw * p.c4 * tileChannels)
	for co := range p.cout {
		base := co/tileChannels*p.kh*p.kw*p.c4*tileChannels + co%tileChannels
		for ky := range p.kh {
			for kx := range p.kw {
				src := ky*p.sKh + kx*p.sKw + co*p.sCo
				dst := base + (ky*p.kw+kx)*p.c4*tileChannels
				for ci := range p.cin {
					packed[dst+ci*tileChannels] = w[src+ci*p.sCi]
				}
			}
		}
	}
	return packed
}

func convKernel(_ *execution, n *node, in, out []*buffer) {
	p := n.attr.(*convPlan)
	x, y := in[0].f32(), out[0].f32()
	packed := p.pack(in[1].f32())
	panel := p.kh * p.kw * p.c4 * tileChannels
	size := p.hp * p.wp * p.c4
	parallel(p.batch, 1, 2, func(_, lo, hi int) {
		// A tile may reach over the right edge by up to three pixels; what it computes there is dropped.
		scratch := getScratch(size + tilePixels*p.stride*p.c4)
		defer putScratch(scratch)
		var edge [tilePixels * tileChannels]float32
		for b := lo; b < hi; b++ {
			p.fill(scratch, x[b*p.h*p.w*p.cin:(b+1)*p.h*p.w*p.cin])
			img := y[b*p.oh*p.ow*p.cout : (b+1)*p.oh*p.ow*p.cout]
			for co := 0; co < p.cout; co += tileChannels {
				w := packed[co/tileChannels*panel:][:panel]
				for oy := range p.oh {
					for ox := 0; ox < p.ow; ox += tilePixels {
						src := scratch[(oy*p.stride*p.wp+ox*p.stride)*p.c4:]
						if ox+tilePixels <= p.ow && co+tileChannels <= p.cout {
							convTile(ptr(src), p.stride*p.c4, p.wp*p.c4, p.kh, p.kw*p.c4, ptr(w), ptr(img[(oy*p.ow+ox)*p.cout+co:]), p.cout)
							continue
						}
						convTile(ptr(src), p.stride*p.c4, p.wp*p.c4, p.kh, p.kw*p.c4, ptr(w), ptr(edge[:]), tileChannels)
						for i := range min(tilePixels, p.ow-ox) {
							copy(img[(oy*p.ow+ox+i)*p.cout+co:(oy*p.ow+ox+i+1)*p.cout], edge[i*tileChannels:(i+1)*tileChannels])
						}
					}
				}
			}
		}
	})
	putScratch(packed)
}

func ptr(s []float32) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(s)) }

func convKernelGrad(_ *execution, n *node, in, out []*buffer) {
	p := n.attr.(*convPlan)
	x, g, dw := in[0].f32(), in[1].f32(), out[0].f32()
	size := p.hp * p.wp * p.c4
	group := max(1, scratchBytes/4/size) // images that one call of the inner loop adds up
	run := p.kw * p.c4
	sums := make([][]float32, maxParts())
	parallel(p.batch, 1, 2, func(part, lo, hi int) {
		scratch := getScratch(size * group)
		defer putScratch(scratch)
		sum := getScratch(p.kh * run * p.cout)
		for b := lo; b < hi; b += group {
			images := min(group, hi-b)
			for i := range images {
				p.fill(scratch[i*size:(i+1)*size], x[(b+i)*p.h*p.w*p.cin:(b+i+1)*p.h*p.w*p.cin])
			}
			grads := g[b*p.oh*p.ow*p.cout:]
			for ky := range p.kh {
				for k := 0; k < run; k += 4 {
					for co := 0; co < p.cout; co += tileChannels {
						gradTile(ptr(scratch[ky*p.wp*p.c4+k:]), p.stride*p.c4, p.stride*p.wp*p.c4, size, ptr(grads[co:]), p.cout,
							p.ow, p.oh, images, ptr(sum[(ky*run+k)*p.cout+co:]), p.cout)
					}
				}
			}
		}
		sums[part] = sum
	})
	total := sums[0]
	for _, s := range sums[1:] {
		for i, v := range s {
			total[i] += v
		}
	}
	for ky := range p.kh {
		for kx := range p.kw {
			for ci := range p.cin {
				src := total[((ky*p.kw+kx)*p.c4+ci)*p.cout:][:p.cout]
				dst := ky*p.sKh + kx*p.sKw + ci*p.sCi
				for co, v := range src {
					dw[dst+co*p.sCo] = v
				}
			}
		}
	}
	for _, s := range sums {
		if s != nil {
			putScratch(s)
		}
	}
}
