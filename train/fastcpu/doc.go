// Package fastcpu is a GoMLX compute backend for training small networks on a CPU: residual nets, inverted residuals with
// depthwise convolutions, small vision transformers.
//
// It stands on GoMLX's own pure-Go backend. A graph is recorded as GoMLX builds it; what takes the time of a training
// step runs through the kernels of this package, and every other operation runs in the Go backend, one operation at a
// time. Native are, for float32: convolutions of two axes with their gradients (any size, equal strides on both axes,
// groups, depthwise), products of matrices and batches of them, batch normalization of the last axis, reductions to sums,
// largest and smallest values, movements (slices, transpositions, concatenations, padding, reversal, broadcasts),
// and element-wise operations, of which neighbours are fused: they pass over memory together. Results agree
// with the Go backend up to the order of float32 sums. Control flow, closures and GoMLX's fused operations are not
// implemented.
//
// # Words
//
//   - recorded: a [compute.Value] of this package is a *value, one output of a *node, in the order of construction.
//   - native: a node with a kernel of this package; delegated: a node that a one-operation program of the Go backend runs.
//   - program: the fused element-wise operations that compute one result, block by block.
//   - tile: the innermost loop of a convolution or product, in assembly on amd64. The vector kernels besides need
//     GOEXPERIMENT=simd; without it, and on other processors, plain Go does the same.
//
// Layout is NHWC for images and HWIO for kernels; other layouts work too, but are delegated and slow.
//
// # Goroutines
//
// A Backend and its Executables may be used from several goroutines. One execution uses GOMAXPROCS goroutines. Results
// are the same from run to run, and for any number of processors: work is split by its size alone, and partial sums are
// added in a fixed order. They may differ in the last digits between processors with and without AVX2, and between
// builds with and without GOEXPERIMENT=simd.
package fastcpu
