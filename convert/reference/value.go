package reference

import "fmt"

// value is what travels between nodes: a float tensor, or integers of the same
// Shape (shapes, paddings, conditions) in place of Data. Booleans are 0 and 1.
type value struct {
	Tensor
	ints  []int64
	isInt bool
}

// take makes a value of a shape from elements of v.
func (v value) take(shape []int, from []int) value {
	made := value{Tensor: Tensor{Shape: shape}, isInt: v.isInt}
	if v.isInt {
		made.ints = make([]int64, len(from))
		for i, f := range from {
			made.ints[i] = v.ints[f]
		}
		return made
	}
	made.Data = make([]float32, len(from))
	for i, f := range from {
		made.Data[i] = v.Data[f]
	}
	return made
}

// reshaped is v in another shape.
func (v value) reshaped(shape []int) value {
	v.Shape = shape
	return v
}

// length is the number of elements.
func (v value) length() int {
	if v.isInt {
		return len(v.ints)
	}
	return len(v.Data)
}

// arguments are the inputs of a node, nil where the node leaves one out.
type arguments []*value

// float returns an input that must be there.
func (a arguments) float(i int) (Tensor, error) {
	v, err := a.at(i)
	if err != nil {
		return Tensor{}, err
	}
	if v.isInt {
		return Tensor{}, fmt.Errorf("input %d holds int64, want float32", i)
	}
	return v.Tensor, nil
}

// floats returns the first n inputs, which must be there.
func (a arguments) floats(n int) ([]Tensor, error) {
	tensors := make([]Tensor, n)
	for i := range tensors {
		var err error
		if tensors[i], err = a.float(i); err != nil {
			return nil, err
		}
	}
	return tensors, nil
}

// image returns an input that must be there and have the shape NCHW.
func (a arguments) image(i int) (Tensor, error) {
	t, err := a.float(i)
	if err == nil && len(t.Shape) != 4 {
		err = fmt.Errorf("input %d has shape %v, want 4 dimensions (only 2-D images are supported)", i, t.Shape)
	}
	return t, err
}

// any returns an input of either type that must be there.
func (a arguments) any(i int) (value, error) {
	v, err := a.at(i)
	if err != nil {
		return value{}, err
	}
	return *v, nil
}

// scalar returns an input of one element, def if it is left out.
func (a arguments) scalar(i int, def float32) (float32, error) {
	if !a.has(i) {
		return def, nil
	}
	t, err := a.float(i)
	if err != nil {
		return 0, err
	}
	if len(t.Data) != 1 {
		return 0, fmt.Errorf("input %d has shape %v, want a scalar", i, t.Shape)
	}
	return t.Data[0], nil
}

// integers returns an int64 input that must be there.
func (a arguments) integers(i int) ([]int64, error) {
	v, err := a.at(i)
	if err != nil {
		return nil, err
	}
	if !v.isInt {
		return nil, fmt.Errorf("input %d holds float32, want int64", i)
	}
	return v.ints, nil
}

// axes returns what input 1 names, or the attribute that it was in older operator sets.
func (a arguments) axes(attribute []int64) ([]int64, error) {
	if !a.has(1) {
		return attribute, nil
	}
	return a.integers(1)
}

func (a arguments) has(i int) bool { return i < len(a) && a[i] != nil }

func (a arguments) at(i int) (*value, error) {
	if !a.has(i) {
		return nil, fmt.Errorf("input %d is missing", i)
	}
	return a[i], nil
}
