package reference

import (
	"fmt"
	"slices"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// prepareSlice: from starts to ends along some axes; inputs, or attributes before
// operator set 10.
func prepareSlice(n *onnx.NodeProto) (kernel, error) {
	given := map[string][]int64{}
	for _, name := range []string{"starts", "ends", "axes"} {
		v, err := onnx.Ints(n, name)
		if err != nil {
			return nil, err
		}
		given[name] = v
	}
	return func(in arguments) (value, error) {
		x, err := in.any(0)
		if err != nil {
			return value{}, err
		}
		list := map[string][]int64{}
		for i, name := range []string{"starts", "ends", "axes", "steps"} {
			list[name] = given[name]
			if in.has(1 + i) {
				if list[name], err = in.integers(1 + i); err != nil {
					return value{}, err
				}
			}
		}
		return sliced(x, list["starts"], list["ends"], list["axes"], list["steps"])
	}, nil
}

func sliced(x value, starts, ends, axes, by []int64) (value, error) {
	shape, along := slices.Clone(x.Shape), steps(x.Shape)
	first := 0
	if len(ends) != len(starts) || (axes != nil && len(axes) != len(starts)) || (by != nil && len(by) != len(starts)) {
		return value{}, fmt.Errorf("starts %v, ends %v, axes %v, steps %v", starts, ends, axes, by)
	}
	for i := range starts {
		axis, step := int64(i), int64(1)
		if axes != nil {
			axis = axes[i]
		}
		if by != nil {
			step = by[i]
		}
		a, err := axisOf(axis, len(x.Shape))
		if err != nil {
			return value{}, err
		}
		if step == 0 || step > maxExtent || step < -maxExtent {
			return value{}, fmt.Errorf("step %d", step)
		}
		length := int64(x.Shape[a])
		lowest, highest := int64(0), length
		if step < 0 {
			lowest, highest = -1, length-1
		}
		bound := func(v int64) int64 {
			if v < 0 {
				v += length
			}
			return min(max(v, lowest), highest)
		}
		from, to := bound(starts[i]), bound(ends[i])
		count := 0
		for at := from; (step > 0 && at < to) || (step < 0 && at > to); at += step {
			count++
		}
		first += int(from) * along[a]
		along[a] *= int(step)
		shape[a] = count
	}
	from, err := positions(shape, along, first)
	return x.take(shape, from), err
}

// prepareSplit: parts along one axis, of the given sizes or equal ones.
func prepareSplit(n *onnx.NodeProto) (kernels, error) {
	axis, err := onnx.Int(n, "axis", 0)
	if err != nil {
		return nil, err
	}
	sizes, err := onnx.Ints(n, "split")
	if err != nil {
		return nil, err
	}
	count := int64(len(n.GetOutput()))
	return func(in arguments) ([]value, error) {
		x, err := in.any(0)
		if err != nil {
			return nil, err
		}
		a, err := axisOf(axis, len(x.Shape))
		if err != nil {
			return nil, err
		}
		sizes := sizes
		if in.has(1) {
			if sizes, err = in.integers(1); err != nil {
				return nil, err
			}
		}
		length := int64(x.Shape[a])
		var parts []value
		at := int64(0)
		for i := range count {
			size := min((length+count-1)/count, length-at)
			if sizes != nil {
				if int64(len(sizes)) != count {
					return nil, fmt.Errorf("%d sizes for %d outputs", len(sizes), count)
				}
				size = sizes[i]
			}
			if size < 0 || at+size > length {
				return nil, fmt.Errorf("parts %v of an axis of %d", sizes, length)
			}
			part, err := sliced(x, []int64{at}, []int64{at + size}, []int64{int64(a)}, nil)
			if err != nil {
				return nil, err
			}
			parts = append(parts, part)
			at += size
		}
		return parts, nil
	}, nil
}
