//go:build !(amd64 && goexperiment.simd)

package fastcpu

func binaryVector(binaryOp, []float32, vector, vector) int           { return 0 }
func selectVector([]float32, []float32, float32, vector, vector) int { return 0 }
func sqrtAll(d, x []float32)                                         { sqrtScalar(d, x) }
func affine(y, x, a, b []float32)                                    { affineScalar(y, x, a, b) }
func affine2(y, g, x, p, q, r []float32)                             { affine2Scalar(y, g, x, p, q, r) }
func addMoments(x, shift, s, s2 []float32)                           { addMomentsScalar(x, shift, s, s2) }
func addProducts(g, x, mean, s, s2 []float32)                        { addProductsScalar(g, x, mean, s, s2) }
