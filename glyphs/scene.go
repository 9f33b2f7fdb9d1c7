package glyphs

import (
	"image/color"
	"math"
)

// Glyph is one character to draw.
type Glyph struct {
	Label int  // index into Labels
	Rune  rune // one of RunesOf(Label); 0 takes the first
	Face  int  // index of a face, below Generator.Faces
}

// Pose places a glyph in a frame. Lengths are in frames: 1 is the shorter side
// of the picture, and (0, 0) its centre; x grows to the right, y downwards.
type Pose struct {
	X, Y         float64 // centre of the glyph's box
	Height       float64 // cap height
	Rotation     float64 // radians, clockwise
	Slant        float64 // tangent of the lean to the right
	Stretch      float64 // width factor, 1 as designed; 0 counts as 1
	TiltX, TiltY float64 // relative growth of size per cap height to the right, and down
	Weight       float64 // growth of the strokes, in strokes; 0 as designed
}

// extent returns half the size of an upright box around the posed glyph, in
// frames, without the perspective.
func (p Pose) extent(o *outline) (halfW, halfH float64) {
	sin, cos := sincos(math.Abs(p.Rotation))
	w := float64(o.halfW*p.Stretch) + float64(o.halfH*math.Abs(p.Slant))
	w, h := float64(w*p.Height), float64(o.halfH*p.Height)
	return float64(w*cos) + float64(h*sin), float64(w*sin) + float64(h*cos)
}

// place maps a point of the glyph's plane, cap heights from its centre, to the
// frame, without the perspective.
func (p Pose) place(x, y float64) (fx, fy float64) {
	sin, cos := sincos(p.Rotation)
	x = float64((float64(x*p.Stretch) - float64(y*p.Slant)) * p.Height)
	y = float64(y * p.Height)
	return p.X + float64(x*cos) - float64(y*sin), p.Y + float64(x*sin) + float64(y*cos)
}

// Scene is everything that is in a picture. Its units are frames, so that it
// can be painted at any resolution; see Generator.Paint.
type Scene struct {
	Glyph Glyph
	Pose  Pose
	Ink   RGB

	Paper    RGB // at the centre
	PaperDX  RGB // change of the paper across the frame to the right
	PaperDY  RGB // and downwards
	Behind   []Mark
	Near     []Neighbour
	Over     []Mark
	Light    Light
	Blur     float64 // standard deviation, frames
	MotionX  float64 // way of the camera during the exposure, frames
	MotionY  float64
	Noise    float64 // standard deviation, of full scale
	NoiseKey uint64  // seeds the noise
}

// Neighbour is another glyph, in the ink of the scene.
type Neighbour struct {
	Glyph Glyph
	Pose  Pose
}

// Mark is a stroke or a patch of one colour: a line of a width between two
// points, with round or flat ends. A blob is a short wide one.
type Mark struct {
	X0, Y0, X1, Y1 float64 // ends, frames
	Width          float64 // frames
	Round          bool    // an ellipse around the ends, in place of a rectangle between them
	Colour         RGB
}

// Light is uneven light, as factors on the picture.
type Light struct {
	DX, DY     float64 // direction of the falling gradient, unit vector
	Loss       float64 // lost at the dark end, of full light
	EdgeX      float64 // shadow: unit normal of its edge, pointing into the shadow
	EdgeY      float64
	EdgeAt     float64 // distance of the edge from the centre along the normal, frames
	EdgeSoft   float64 // width of the edge, frames
	ShadowLoss float64 // lost in the shadow, of full light; 0 is no shadow
}

// RGB is a linear mixing colour, each part in [0, 1] of full scale.
type RGB struct{ R, G, B float32 }

// The weights of luma, BT.601.
const lumaR, lumaG, lumaB = 0.299, 0.587, 0.114

// luma returns the brightness after BT.601.
func (c RGB) luma() float64 {
	return float64(lumaR*float64(c.R)) + float64(lumaG*float64(c.G)) + float64(lumaB*float64(c.B))
}

// RGBA converts the colour to 8 bits a channel.
func (c RGB) RGBA() color.RGBA { return color.RGBA{to8(c.R), to8(c.G), to8(c.B), 255} }
