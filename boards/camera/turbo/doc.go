// Package turbo decodes JPEGs with libjpeg-turbo, several times faster than
// image/jpeg, and faster still at a half, a quarter or an eighth of the size.
//
// It is there with cgo and the build tag turbojpeg, for which scripts/native.sh gets
// the library and scripts/env.sh sets the flags; without them Decode refuses
// everything. Errors, jumps and memory of the C library stay within its TurboJPEG
// interface, which touches nothing but the buffers that it is given.
package turbo

// MaxSide bounds the width and height of a picture, in pixels: a larger one is refused before any memory is set aside for it.
const MaxSide = 4096
