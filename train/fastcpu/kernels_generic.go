//go:build !(amd64 && goexperiment.simd)

package fastcpu

import "unsafe"

func binaryVector(elementOp, []float32, vector, vector) int { return 0 }
func unaryVector(elementOp, []float32, []float32) int       { return 0 }
func selectVector([]float32, vector, vector, vector) int    { return 0 }
func truthVector([]float32, []int8) int                     { return 0 }
func truthBytes([]int8, []float32) int                      { return 0 }
func foldVector(elementOp, []float32) (float32, int)        { return 0, 0 }
func affine(y, x, a, b []float32)                           { affineScalar(y, x, a, b) }
func affine2(y, g, x, p, q, r []float32)                    { affine2Scalar(y, g, x, p, q, r) }
func addMoments(x, shift, s, s2 []float32)                  { addMomentsScalar(x, shift, s, s2) }
func addProducts(g, x, mean, s, s2 []float32)               { addProductsScalar(g, x, mean, s, s2) }

func depthwiseSpan(y unsafe.Pointer, yPixel, n int, x unsafe.Pointer, xStep int, t taps, w unsafe.Pointer, c int) {
	depthwiseScalar(y, yPixel, n, x, xStep, t, w, 0, c)
}

func depthwiseGradSpan(sum, g unsafe.Pointer, gPixel, n int, x unsafe.Pointer, xStep int, t taps, c int) {
	depthwiseGradScalar(sum, g, gPixel, n, x, xStep, t, 0, c)
}
