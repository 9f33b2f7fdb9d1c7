package graph

import (
	"fmt"
	"math"
	"slices"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// unary imports operators with one input and no attributes.
func unary(op Op) func(*call) (*Node, error) {
	return func(c *call) (*Node, error) {
		x, err := c.node(0)
		if err != nil {
			return nil, err
		}
		return c.emit(op, Attrs{}, nil, x)
	}
}

// identity hands its input on.
func identity(c *call) (*Node, error) {
	if !c.has(0) {
		return nil, fmt.Errorf("has no input")
	}
	if len(c.inputs) > 2 && c.has(2) { // Dropout's training_mode
		if mode, err := c.ints(2); err != nil || !slices.Equal(mode, []int64{0}) {
			return nil, unsupported{"in training mode", "export after model.eval()"}
		}
	}
	if c.inputs[0].con != nil {
		c.set(0, c.inputs[0])
		return nil, nil
	}
	return c.inputs[0].node, nil
}

func castValue(c *call) (*Node, error) {
	if err := c.flag("to", int64(onnx.TypeFloat), int64(onnx.TypeFloat)); err != nil {
		return nil, err
	}
	return identity(c)
}

func constantNode(c *call) (*Node, error) {
	var made *constant
	for _, a := range c.proto.GetAttribute() {
		switch a.GetName() {
		case "value":
			t, err := onnx.Tensor(c.proto, "value")
			if err != nil || t == nil {
				return nil, fmt.Errorf("has no value: %w", err)
			}
			if made, err = readConstant(t); err != nil {
				return nil, err
			}
		case "value_float":
			made = &constant{shape: []int{}, floats: []float32{a.GetF()}}
		case "value_floats":
			made = &constant{shape: []int{len(a.GetFloats())}, floats: a.GetFloats()}
		case "value_int":
			made = &constant{shape: []int{}, ints: []int64{a.GetI()}, isInt: true}
		case "value_ints":
			made = intConstant(a.GetInts()...)
		}
	}
	if made == nil {
		return nil, fmt.Errorf("has no value")
	}
	c.set(0, value{con: made})
	return nil, nil
}

// clip has its bounds as inputs from operator set 11 on, as attributes before.
func clip(c *call) (*Node, error) {
	x, err := c.node(0)
	if err != nil {
		return nil, err
	}
	bound := func(i int, attribute string, def float32) (float32, error) {
		if c.has(i) {
			return c.scalar(i)
		}
		return c.float(attribute, def)
	}
	low, err := bound(1, "min", -math.MaxFloat32)
	if err != nil {
		return nil, err
	}
	high, err := bound(2, "max", math.MaxFloat32)
	if err != nil {
		return nil, err
	}
	switch {
	case math.IsNaN(float64(low)) || math.IsNaN(float64(high)):
		return nil, fmt.Errorf("bounds [%g, %g] are no numbers", low, high)
	case low == 0 && high == 6:
		return c.emit(OpRelu6, Attrs{}, nil, x)
	case low == 0 && high >= math.MaxFloat32:
		return c.emit(OpRelu, Attrs{}, nil, x)
	}
	if low > -math.MaxFloat32 {
		if x, err = c.withScalar(OpMaximum, x, low); err != nil {
			return nil, err
		}
	}
	if high < math.MaxFloat32 {
		return c.withScalar(OpMinimum, x, high)
	}
	return x, nil
}

// withScalar applies an operator to a value and a constant of one element.
func (c *call) withScalar(op Op, x *Node, v float32) (*Node, error) {
	k, err := c.emit(OpConst, Attrs{}, []Tensor{scalarTensor(v)})
	if err != nil {
		return nil, err
	}
	return c.emit(op, Attrs{}, nil, x, k)
}

func scalarTensor(v float32) Tensor { return Tensor{[]int{1}, []float32{v}} }

// constantOperand finds the constant among two inputs and the value beside it.
func (c *call) constantOperand() (k Tensor, at int, x *Node, err error) {
	if len(c.inputs) != 2 || !c.has(0) || !c.has(1) {
		return k, 0, nil, fmt.Errorf("has %d inputs, need 2", len(c.inputs))
	}
	for i, v := range c.inputs {
		if v.con == nil {
			continue
		}
		if k, err = c.weights(i); err != nil {
			return k, 0, nil, err
		}
		x, err = c.node(1 - i)
		return k, i, x, err
	}
	return k, -1, nil, nil
}

// withConstant makes a Scale or Shift, unless the constant widens the value.
func (c *call) withConstant(op, general Op, x *Node, k Tensor) (*Node, error) {
	if shape, err := broadcastShapes(x.Shape, k.Shape); err == nil && slices.Equal(shape, x.Shape) {
		return c.emit(op, Attrs{}, []Tensor{k}, x)
	}
	other, err := c.emit(OpConst, Attrs{}, []Tensor{k})
	if err != nil {
		return nil, err
	}
	return c.emit(general, Attrs{}, nil, x, other)
}

// mapped applies f to every value of a constant.
func mapped(k Tensor, f func(float32) float32) Tensor {
	data := make([]float32, len(k.Data))
	for i, v := range k.Data {
		data[i] = f(v)
	}
	return Tensor{k.Shape, data}
}

// pairOf emits an operator of two values.
func (c *call) pairOf(op Op) (*Node, error) {
	x, err := c.node(0)
	if err != nil {
		return nil, err
	}
	y, err := c.node(1)
	if err != nil {
		return nil, err
	}
	return c.emit(op, Attrs{}, nil, x, y)
}

func sum(c *call) (*Node, error) {
	k, at, x, err := c.constantOperand()
	switch {
	case err != nil:
		return nil, err
	case at < 0:
		return c.pairOf(OpAdd)
	}
	return c.withConstant(OpShift, OpAdd, x, k)
}

func product(c *call) (*Node, error) {
	k, at, x, err := c.constantOperand()
	switch {
	case err != nil:
		return nil, err
	case at < 0 && c.inputs[0] == c.inputs[1]:
		return c.emit(OpSquare, Attrs{}, nil, c.inputs[0].node)
	case at < 0:
		return c.pairOf(OpMul)
	}
	return c.withConstant(OpScale, OpMul, x, k)
}

func difference(c *call) (*Node, error) {
	k, at, x, err := c.constantOperand()
	switch {
	case err != nil:
		return nil, err
	case at == 1:
		return c.withConstant(OpShift, OpAdd, x, mapped(k, func(v float32) float32 { return -v }))
	}
	return c.pairOf(OpSub)
}

// quotient by a constant becomes a product, as good as the division to half a
// unit in the last place.
func quotient(c *call) (*Node, error) {
	k, at, x, err := c.constantOperand()
	switch {
	case err != nil:
		return nil, err
	case at == 1:
		if slices.Contains(k.Data, 0) {
			return nil, fmt.Errorf("divides by zero")
		}
		return c.withConstant(OpScale, OpMul, x, mapped(k, func(v float32) float32 { return float32(1 / float64(v)) }))
	}
	return c.pairOf(OpDiv)
}

// power by a constant exponent.
func power(c *call) (*Node, error) {
	x, err := c.node(0)
	if err != nil {
		return nil, err
	}
	exponent, err := c.scalar(1)
	if err != nil {
		return nil, err
	}
	switch exponent {
	case 0.5:
		return c.emit(OpSqrt, Attrs{}, nil, x)
	case 1:
		return x, nil
	}
	if exponent != 2 && exponent != 3 && exponent != 4 {
		return nil, unsupportedf("exponent %g, need 0.5, 1, 2, 3 or 4", exponent)
	}
	square, err := c.emit(OpSquare, Attrs{}, nil, x)
	if err != nil || exponent == 2 {
		return square, err
	}
	if exponent == 3 {
		return c.emit(OpMul, Attrs{}, nil, square, x)
	}
	return c.emit(OpSquare, Attrs{}, nil, square)
}

// extreme imports Max and Min of any number of values.
func extreme(op Op) func(*call) (*Node, error) {
	return func(c *call) (*Node, error) {
		x, err := c.node(0)
		for i := 1; i < len(c.inputs) && err == nil; i++ {
			var y *Node
			if y, err = c.node(i); err == nil {
				x, err = c.emit(op, Attrs{}, nil, x, y)
			}
		}
		return x, err
	}
}

func elu(c *call) (*Node, error) {
	alpha, err := c.float("alpha", 1)
	if err != nil {
		return nil, err
	}
	if alpha != 1 {
		return nil, unsupportedf("alpha is %g, need 1", alpha)
	}
	return unary(OpElu)(c)
}

func leakyRelu(c *call) (*Node, error) {
	alpha, err := c.float("alpha", 0.01)
	if err != nil {
		return nil, err
	}
	x, err := c.node(0)
	if err != nil {
		return nil, err
	}
	return c.emit(OpLeakyRelu, Attrs{Alpha: alpha}, nil, x)
}

func preluNode(c *call) (*Node, error) {
	x, err := c.node(0)
	if err != nil {
		return nil, err
	}
	slope, err := c.weights(1)
	if err != nil {
		return nil, err
	}
	return c.emit(OpPRelu, Attrs{}, []Tensor{slope}, x)
}

func gelu(c *call) (*Node, error) {
	how, err := onnx.String(c.proto, "approximate", "none")
	if err != nil {
		return nil, err
	}
	if how != "none" && how != "tanh" {
		return nil, unsupportedf("approximate is %q", how)
	}
	x, err := c.node(0)
	if err != nil {
		return nil, err
	}
	return c.emit(OpGelu, Attrs{Approximate: how == "tanh"}, nil, x)
}

func hardSigmoid(c *call) (*Node, error) {
	alpha, err := c.float("alpha", 0.2)
	if err != nil {
		return nil, err
	}
	beta, err := c.float("beta", 0.5)
	if err != nil {
		return nil, err
	}
	if !(alpha > 0) || math.IsInf(float64(alpha), 0) || math.IsNaN(float64(beta)) || math.IsInf(float64(beta), 0) {
		return nil, unsupportedf("alpha is %g and beta %g, need finite numbers, alpha above 0", alpha, beta)
	}
	x, err := c.node(0)
	if err != nil {
		return nil, err
	}
	return c.emit(OpHardSigmoid, Attrs{Alpha: alpha, Beta: beta}, nil, x)
}
