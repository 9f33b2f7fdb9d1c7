package preprocess

// A pixel is held as three lanes of 21 bits, so that one multiplication weights
// all of its colours: red in bits 0 to 20, green from 21, blue from 42.
const (
	laneBits = 21
	lane     = 1<<laneBits - 1
)

func pixel(r, g, b byte) uint64 {
	return uint64(r) | uint64(g)<<laneBits | uint64(b)<<(2*laneBits)
}
