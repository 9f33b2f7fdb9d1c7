package fastcpu

const (
	gradFloats = 1 << 13 // values of input that one call of the inner loop of a kernel gradient reads
	// Of sums up to these sizes every part of the work has its own; of the larger ones there are only four.
	sumFloats  = 1 << 15
	sumFloats4 = 1 << 20
)

func convGradKernel(n *node, in, out []*buffer) {
	plans := n.attr.([]convPlan)
	for i := range plans {
		plans[i].kernelGrad(in[0].f32(), in[1].f32(), out[0].f32())
	}
}

// strips cuts the images for a kernel gradient: bands of rows of single images, or whole images together.
type strips struct {
	rows, bands, images int // rows of a band, bands of an image, images of a strip
	count               int
}

func (p *convPlan) strips() strips {
	rows, bands := p.bands(gradFloats)
	s := strips{rows: rows, bands: bands, images: 1}
	if bands == 1 {
		s.images = min(p.batch, max(1, gradFloats/(((rows-1)*p.stride+p.kh)*p.row())))
	}
	s.count = (p.batch + s.images - 1) / s.images * bands
	return s
}

// kernelGrad sets dw to the gradient of the kernel for the gradient g of the output. A small sum is taken by strips of
// the images, a large one by rows of the kernel.
func (p *convPlan) kernelGrad(x, g, dw []float32) {
	s := p.strips()
	width := roundUp(p.cout, tileChannels)
	steps := p.kh * p.run() / 4 // tiles of four rows of the sum
	size := steps * 4 * width
	var total []float32
	if size <= sumFloats4 {
		sums := make([][]float32, maxParts)
		parallel(s.count, sumAlign(s.count, size), 2, func(part, lo, hi int) {
			sums[part] = getScratch(size)
			p.addGrad(sums[part], x, g, s, lo, hi, 0, steps)
		})
		total = addAll(sums)
	} else {
		total = getScratch(size)
		parallel(steps, 1, 2, func(_, lo, hi int) { p.addGrad(total, x, g, s, 0, s.count, lo, hi) })
	}
	run := p.run()
	for ky := range p.kh {
		for kx := range p.kw {
			for ci := range p.cin {
				src := total[(ky*run+kx*p.cin+ci)*width:][:p.cout]
				dst := p.kOffset + ky*p.sKh + kx*p.sKw + ci*p.sCi
				for co, v := range src {
					dw[dst+co*p.sCo] = v
				}
			}
		}
	}
	putScratch(total)
}

// sumAlign is the alignment of the parts of n items that each have a sum of the given size.
func sumAlign(n, size int) int {
	if size <= sumFloats {
		return 1
	}
	return (n + 3) / 4
}

// addGrad adds the strips [lo, hi) to the tiles [from, to) of sum, a matrix [kh, run][cout, rounded up].
func (p *convPlan) addGrad(sum, x, g []float32, s strips, lo, hi, from, to int) {
	run, row, width := p.run(), p.row(), roundUp(p.cout, tileChannels)
	inRows := (s.rows-1)*p.stride + p.kh
	image := inRows * row
	scratch := getScratch(image*s.images + p.slack())
	defer putScratch(scratch)
	pixels := s.images * s.rows * p.ow
	panels := getScratch(pixels * width)
	defer putScratch(panels)
	for i := lo; i < hi; i++ {
		b, y0 := i/s.bands*s.images, i%s.bands*s.rows
		images, rows := min(s.images, p.batch-b), min(s.rows, p.oh-y0)
		for j := range images {
			p.fill(scratch[j*image:], x[(b+j)*p.h*p.w*p.xPixel:], y0*p.stride-p.padY, (rows-1)*p.stride+p.kh)
		}
		// Strips of several images have all their rows, so the pixels of a strip lie in sequence.
		packPanels(panels, g[b*p.yImage+y0*p.yRow+p.yOffset:], p.yPixel, images*rows*p.ow, p.cout, tileChannels, pixels)
		for t := from; t < to; t++ {
			ky, k := t*4/run, t*4%run
			for co := 0; co < width; co += tileChannels {
				gradTile(ptr(scratch[ky*row+k:]), p.stride*p.cin, p.stride*row, image, ptr(panels[co*pixels:]), tileChannels,
					p.ow, rows, images, ptr(sum[t*4*width+co:]), width)
			}
		}
	}
}

// packPanels cuts a matrix of rows and columns into panels of width columns, each with room for height rows. What is
// beyond the matrix stays as it is.
func packPanels(panels, src []float32, stride, rows, columns, width, height int) {
	for first := 0; first < columns; first += width {
		dst := panels[first*height:]
		n := min(width, columns-first)
		for r := range rows {
			to, from := dst[r*width:r*width+n], src[r*stride+first:]
			switch n { // whole panels without a call
			case 4:
				*(*[4]float32)(to) = [4]float32(from)
			case tileChannels:
				*(*[tileChannels]float32)(to) = [tileChannels]float32(from)
			default:
				copy(to, from)
			}
		}
	}
}
