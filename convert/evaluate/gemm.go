package evaluate

// multiply computes out[p][o] = sum over k of patches[p][k]*weights[o][k] for
// rows of length depth. All factors are float32 or whole numbers below 2^15, so
// that products are exact and a fused multiply-add changes nothing.
func multiply(out, patches, weights []float64, depth int) {
	rows, columns := len(patches)/depth, len(weights)/depth
	p := 0
	for ; p+1 < rows; p += 2 {
		a, b := patches[p*depth:(p+1)*depth], patches[(p+1)*depth:(p+2)*depth]
		o := 0
		for ; o+3 < columns; o += 4 {
			w := weights[o*depth:]
			pair(out[p*columns+o:][:4], out[(p+1)*columns+o:][:4], a, b, w[:depth], w[depth:2*depth], w[2*depth:3*depth], w[3*depth:4*depth])
		}
		for ; o < columns; o++ {
			w := weights[o*depth : (o+1)*depth]
			out[p*columns+o], out[(p+1)*columns+o] = dot(a, w), dot(b, w)
		}
	}
	if p < rows {
		for o := range columns {
			out[p*columns+o] = dot(patches[p*depth:(p+1)*depth], weights[o*depth:(o+1)*depth])
		}
	}
}

// pair is a tile of two rows and four columns; sums run in order, as in dot.
func pair(x, y, a, b, w0, w1, w2, w3 []float64) {
	b, w0, w1, w2, w3 = b[:len(a)], w0[:len(a)], w1[:len(a)], w2[:len(a)], w3[:len(a)]
	var x0, x1, x2, x3, y0, y1, y2, y3 float64
	for k, u := range a {
		v := b[k]
		s := w0[k]
		x0 += u * s
		y0 += v * s
		s = w1[k]
		x1 += u * s
		y1 += v * s
		s = w2[k]
		x2 += u * s
		y2 += v * s
		s = w3[k]
		x3 += u * s
		y3 += v * s
	}
	x[0], x[1], x[2], x[3] = x0, x1, x2, x3
	y[0], y[1], y[2], y[3] = y0, y1, y2, y3
}

func dot(a, w []float64) float64 {
	w = w[:len(a)]
	sum := 0.0
	for k, u := range a {
		sum += u * w[k]
	}
	return sum
}
