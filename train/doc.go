// Package train trains a family cooperatively and writes it as ONNX.
//
// # Words
//
//   - net: the Leader L, or one of the Teammates A and B. All three have the same shape but for their depth, and share no
//     weights.
//   - path: one depth of a net. A Teammate has several paths that share its weights: the deepest is the Teammate itself,
//     the others are its sub-networks and use the first blocks of each stage.
//   - objective: cross-entropy of every net, and distillation Leader -> Teammates, Teammate <-> Teammate and Teammate ->
//     its own sub-networks, in one optimizer step; see [Objective].
//
// # Normalization across depths
//
// Batch normalization is shared by the paths of a net, and training sees exactly that: the activations of all paths are
// stacked along the batch axis, a shared layer is computed once on the stack, and its statistics are the moments of the
// whole stack. An optional block sees only the rows of the paths that take it. Paths that are still identical (before
// the first block that one of them skips) are one copy of the rows: the moments are the same as with a copy for each
// path, unless some but not all paths of a stack have parted, in which case the ones still together count once.
//
// # Layout and backends
//
// Images are NHWC float32, normalized by [preprocess.Spec]. Graphs use GoMLX's Convolve and its backend batch
// normalization, and run on [fastcpu] (or on XLA; GoMLX's own Go backend has no batch normalization).
//
// # Goroutines
//
// A Trainer is used by one goroutine. It draws its batches in a second one.
package train
