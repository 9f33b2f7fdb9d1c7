// Package glyphs is a procedural dataset of characters: 32 × 32 RGB pictures
// of 0-9 and A-Z in 34 classes, drawn from open fonts with strong nuisance.
//
// # Concepts
//
// A family is one type design in several faces (weights, widths, slopes); a
// superfamily is the families of one design, such as DejaVu Sans, Serif and
// Mono. A split draws from its own superfamilies only, so accuracy on
// validation or test means reading designs never seen in training. The table
// in fonts.go names every family with its module, licence and split.
//
// Nuisance has the same distribution in every split. All its strengths are in
// one [Difficulty], and [Frozen] holds those of the published dataset.
//
// A sample is drawn in two steps. [Generator.Scene] draws a [Scene]: what is
// in the picture, in numbers that do not depend on its resolution.
// [Generator.Paint] paints a scene at any size; [Generator.Sample] does both
// at 32 × 32. A synthetic camera takes a scene, moves its pose or its light
// from frame to frame, and paints it as large as it likes, or draws single
// glyphs into a picture of its own with [Generator.Draw].
//
// # Units
//
// Lengths are in frames (1 is the shorter side of the picture, the origin its
// centre, y downwards) or in cap heights of the glyph; colours and light are
// parts of full scale; angles of a [Difficulty] are degrees, of a [Pose]
// radians.
//
// # Determinism
//
// A sample depends on [Version], its split and its index alone. Floating-point
// products are rounded before they are added, which keeps compilers from
// fusing the two, and the rasterizer works in fixed point; amd64 and arm64
// give the same bytes.
//
// # Goroutines
//
// A [Generator] may be used by any number of goroutines. A [Scene] may not be
// changed while it is painted.
package glyphs
