package graph

// OpQuantize turns float32 into int8, or int8 into int8 of another scale;
// OpDequantize turns int8 into float32. Package quant inserts them.
const (
	OpQuantize   Op = "Quantize"
	OpDequantize Op = "Dequantize"
)

// Number is the type in which values are stored.
type Number int

const (
	Float32 Number = iota
	Float16
	Int8
	Int32
)

// Bytes is the size of one value.
func (n Number) Bytes() int64 {
	switch n {
	case Float16:
		return 2
	case Int8:
		return 1
	}
	return 4
}

// Scale says which real number an int8 stands for: Scale*(q - Zero).
type Scale struct {
	Scale float32
	Zero  int
}

// Storage says how a node's output and weights are stored where that is not
// float32. It is shared between copies of a node and never written to.
type Storage struct {
	// Output is nil where the output is float32, else the scale of an int8 one.
	Output *Scale
	// Weights describes Node.Weights one by one; empty: all are float32.
	Weights []Stored
}

// Stored is a weight tensor as it is written.
type Stored struct {
	Number Number
	// Values replace the tensor's data where Number is Int8 or Int32.
	Values []int32
	// Scales hold one value, or one for each index along Axis.
	Scales []float32
	Axis   int
	Zero   int
}

// Quantized says whether the node's output is int8.
func (n *Node) Quantized() bool { return n.Storage != nil && n.Storage.Output != nil }

// StoredWeight says how weight i is written.
func (n *Node) StoredWeight(i int) Stored {
	if n.Storage == nil || i >= len(n.Storage.Weights) {
		return Stored{}
	}
	return n.Storage.Weights[i]
}
