package fastcpu

// The scalar forms of the row kernels: for channel counts that fill no vector, and where there are no vectors.

func affineScalar(y, x, a, b []float32) {
	for r := 0; r < len(x); r += len(a) {
		for i := range a {
			y[r+i] = a[i]*x[r+i] + b[i]
		}
	}
}

func affine2Scalar(y, g, x, p, q, r []float32) {
	for o := 0; o < len(x); o += len(p) {
		for i := range p {
			y[o+i] = p[i]*g[o+i] + q[i]*x[o+i] + r[i]
		}
	}
}

func addMomentsScalar(x, shift, s, s2 []float32) {
	for r := 0; r < len(x); r += len(s) {
		for i := range s {
			d := x[r+i] - shift[i]
			s[i] += d
			s2[i] += d * d
		}
	}
}

func addProductsScalar(g, x, mean, s, s2 []float32) {
	for r := 0; r < len(x); r += len(s) {
		for i := range s {
			s[i] += g[r+i]
			s2[i] += g[r+i] * (x[r+i] - mean[i])
		}
	}
}
