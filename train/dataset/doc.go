// Package dataset reads labelled images for training and evaluation.
//
// # Concepts
//
// A [Dataset] is up to three splits of labelled images: training, validation
// and test. It says how its images become tensors (the [preprocess.Spec] that
// family.json carries on to the board) and reads single samples. [Open] makes
// one from the data section of a run's configuration: the procedural glyphs,
// CIFAR-10 and CIFAR-100 in their published binary format, or a folder of
// images.
//
// A [Loader] makes batches of a data set, with augmentation where it trains,
// and decodes ahead in goroutines of its own.
//
// # Determinism
//
// The training images of a run are numbered from 0: the ordinal. An epoch is
// one pass over the split in an order drawn from (seed, epoch); batches run on
// across the end of an epoch, so all have the same size. Augmentation is drawn
// from (seed, ordinal). Batch i of a run is therefore always the same, however
// many goroutines decode and wherever the run was resumed. A split without an
// end is read in the order of its samples.
//
// # Units
//
// Pictures are RGBA bytes; tensors are NHWC float32, (p/255 - mean) / std, the
// channels red, green and blue. Sizes are pixels.
//
// # Goroutines
//
// A Dataset may be used by any number of goroutines, and so may a Loader.
package dataset
