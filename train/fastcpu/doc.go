// Package fastcpu is a GoMLX compute backend for training small convolutional networks on a CPU.
//
// It stands on GoMLX's own pure-Go backend: a graph is recorded as GoMLX builds it, the few operations that take
// nearly all the time of a training step (3x3 convolutions with both gradients, batch normalization with its
// gradient, large element-wise operations, batch-axis slices) run through the kernels of this package, and every other
// operation runs in the Go backend, one operation at a time. Results agree with the Go backend up to the order of
// float32 sums.
//
// # Words
//
//   - recorded: a [compute.Value] of this package is a *value, one output of a *node, in the order of construction.
//   - native: a node with a kernel of this package; delegated: a node that a one-operation program of the Go backend runs.
//
// Layout is NHWC for images and HWIO for kernels; other layouts work too, but are delegated and slow.
//
// # Goroutines
//
// A Backend and its Executables may be used from several goroutines. One execution uses GOMAXPROCS goroutines. Results
// are the same from run to run on machines with the same GOMAXPROCS, because work is split by count and partial sums
// are added in a fixed order.
package fastcpu
