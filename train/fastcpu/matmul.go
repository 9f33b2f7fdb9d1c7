package fastcpu

// product is a batch of matrix products c[b] = a[b] b[b] of sizes m x k and k x n. Offsets and strides are in elements; the
// results lie densely one after the other.
type product struct {
	m, n, k          int
	aOffset, bOffset []int // of each product of the batch
	am, ak, bk, bn   int
}

const (
	batchedFrom = 8   // products from which each is one part of the work
	blockRows   = 64  // rows of a that pass the panels of b together
	narrow      = 256 // columns of a and b together up to which they are read where they are
)

func matmulKernel(n *node, in, out []*buffer) {
	n.attr.(*product).run(in[0].f32(), in[1].f32(), out[0].f32())
}

func (p *product) run(a, b, c []float32) {
	if p.m*p.n*p.k == 0 {
		clear(c)
		return
	}
	if len(p.aOffset) >= batchedFrom {
		parallel(len(p.aOffset), 1, 2, func(_, lo, hi int) {
			for i := lo; i < hi; i++ {
				p.one(sequential, a[p.aOffset[i]:], b[p.bOffset[i]:], c[i*p.m*p.n:][:p.m*p.n])
			}
		})
		return
	}
	for i := range p.aOffset {
		p.one(parallel, a[p.aOffset[i]:], b[p.bOffset[i]:], c[i*p.m*p.n:][:p.m*p.n])
	}
}

// spread is parallel or sequential.
type spread func(n, align, minimum int, f func(part, lo, hi int))

func sequential(n, _, _ int, f func(part, lo, hi int)) { f(0, 0, n) }

func (p *product) one(spread spread, a, b, c []float32) {
	if p.am == 1 && p.ak != 1 && p.bn == 1 {
		p.outer(spread, a, b, c)
		return
	}
	p.inner(spread, a, b, c)
}

// inner multiplies by rows of a.
func (p *product) inner(spread spread, a, b, c []float32) {
	k4 := roundUp(p.k, 4)
	panel := k4 * tileChannels
	panels := (p.n + tileChannels - 1) / tileChannels
	packed := getScratch(panels * panel)
	for t := range panels {
		dst := packed[t*panel : (t+1)*panel]
		width := min(tileChannels, p.n-t*tileChannels)
		for k := range p.k {
			src := b[k*p.bk+t*tileChannels*p.bn:]
			if p.bn == 1 {
				copy(dst[k*tileChannels:][:width], src)
				continue
			}
			for j := range width {
				dst[k*tileChannels+j] = src[j*p.bn]
			}
		}
	}
	direct := p.ak == 1 && k4 == p.k
	spread(p.m, tilePixels, 2*tilePixels, func(_, lo, hi int) {
		rows := rawScratch(blockRows * k4)
		for m := lo; m < hi; m += blockRows {
			count := min(blockRows, hi-m)
			if direct && count%tilePixels == 0 {
				p.block(a[m*p.am:], p.am, packed, c[m*p.n:], count)
				continue
			}
			clear(rows)
			for i := range count {
				src, dst := a[(m+i)*p.am:], rows[i*k4:i*k4+p.k]
				if p.ak == 1 {
					copy(dst, src)
					continue
				}
				for k := range dst {
					dst[k] = src[k*p.ak]
				}
			}
			p.block(rows, k4, packed, c[m*p.n:], count)
		}
		putScratch(rows)
	})
	putScratch(packed)
}

// block multiplies count rows of a, rowA apart; rows up to a multiple of the tile's height can be read.
func (p *product) block(a []float32, rowA int, packed, c []float32, count int) {
	k4 := roundUp(p.k, 4)
	var edge [tilePixels * tileChannels]float32
	for n := 0; n < p.n; n += tileChannels {
		w := ptr(packed[n*k4:])
		for m := 0; m < count; m += tilePixels {
			if m+tilePixels <= count && n+tileChannels <= p.n {
				convTile(ptr(a[m*rowA:]), rowA, 0, 1, k4, w, ptr(c[m*p.n+n:]), p.n)
				continue
			}
			convTile(ptr(a[m*rowA:]), rowA, 0, 1, k4, w, ptr(edge[:]), tileChannels)
			for i := range min(tilePixels, count-m) {
				copy(c[(m+i)*p.n+n:][:min(tileChannels, p.n-n)], edge[i*tileChannels:])
			}
		}
	}
}

// outer adds up outer products of rows of a and b, for a product with many of them and a small result: the gradient of
// weights. a's columns and b's rows are dense.
func (p *product) outer(spread spread, a, b, c []float32) {
	m4, n16 := roundUp(p.m, 4), roundUp(p.n, tileChannels)
	var sum []float32
	if m4*n16 <= sumFloats4 {
		sums := make([][]float32, maxParts)
		spread(p.k, sumAlign(p.k, m4*n16), 256, func(part, lo, hi int) {
			sums[part] = getScratch(m4 * n16)
			p.addOuter(sums[part], a, b, lo, hi, 0, m4)
		})
		sum = addAll(sums)
	} else {
		sum = getScratch(m4 * n16)
		spread(m4, roundUp(m4/4, 4), 8, func(_, lo, hi int) { p.addOuter(sum, a, b, 0, p.k, lo, hi) })
	}
	for m := range p.m {
		copy(c[m*p.n:(m+1)*p.n], sum[m*n16:])
	}
	putScratch(sum)
}

// addOuter adds rows [k0, k1) of a and b to rows [from, to) of sum.
func (p *product) addOuter(sum, a, b []float32, k0, k1, from, to int) {
	width, n16 := to-from, roundUp(p.n, tileChannels)
	step := min(256, max(64, gradFloats/(width+n16)))
	if to <= p.m && n16 == p.n && width+n16 <= narrow {
		for k := k0; k < k1; k += step {
			p.outerTiles(sum[from*n16:], a[k*p.ak+from:], p.ak, 4, b[k*p.bk:], p.bk, tileChannels, min(step, k1-k), width)
		}
		return
	}
	// Cut into panels, because rows far apart would fall on the same few lines of the cache.
	panelsA, panelsB := getScratch(step*width), getScratch(step*n16)
	for k := k0; k < k1; k += step {
		count := min(step, k1-k)
		packPanels(panelsA, a[k*p.ak+from:], p.ak, count, min(to, p.m)-from, 4, step)
		packPanels(panelsB, b[k*p.bk:], p.bk, count, p.n, tileChannels, step)
		p.outerTiles(sum[from*n16:], panelsA, 4, 4*step, panelsB, tileChannels, tileChannels*step, count, width)
	}
	putScratch(panelsA)
	putScratch(panelsB)
}

// outerTiles adds count outer products to width rows of sum. Four columns of a are nextA from the next four, a panel of b is
// nextB from the next.
func (p *product) outerTiles(sum, a []float32, rowA, nextA int, b []float32, rowB, nextB, count, width int) {
	n16 := roundUp(p.n, tileChannels)
	for m := 0; m < width; m += 4 {
		for n := 0; n < n16; n += tileChannels {
			gradTile(ptr(a[m/4*nextA:]), rowA, 0, 0, ptr(b[n/tileChannels*nextB:]), rowB, count, 1, 1, ptr(sum[m*n16+n:]), n16)
		}
	}
}
