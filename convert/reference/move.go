package reference

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// steps are the distances between neighbours along each axis, in elements.
func steps(shape []int) []int {
	s := make([]int, len(shape))
	step := 1
	for i := len(shape) - 1; i >= 0; i-- {
		s[i] = step
		step *= shape[i]
	}
	return s
}

// positions lists where a walk over a shape leads that begins at start and goes
// along each axis by the given steps.
func positions(shape, along []int, start int) ([]int, error) {
	for _, d := range shape {
		if d == 0 {
			return nil, nil
		}
	}
	n, err := elements(shape)
	if err != nil {
		return nil, err
	}
	from := make([]int, n)
	for i := range from {
		from[i] = start
		for d, rest := len(shape)-1, i; d >= 0; d-- {
			from[i] += rest % shape[d] * along[d]
			rest /= shape[d]
		}
	}
	return from, nil
}

// prepareTranspose: axes in another order, turned around where none is given.
func prepareTranspose(n *onnx.NodeProto) (kernel, error) {
	perm, err := onnx.Ints(n, "perm")
	if err != nil {
		return nil, err
	}
	return func(in arguments) (value, error) {
		x, err := in.any(0)
		if err != nil {
			return value{}, err
		}
		order := make([]int, len(x.Shape))
		for i := range order {
			order[i] = len(order) - 1 - i
		}
		if perm != nil {
			seen := make([]bool, len(order))
			if len(perm) != len(order) {
				return value{}, fmt.Errorf("perm %v for %d dimensions", perm, len(order))
			}
			for i, p := range perm {
				if p < 0 || p >= int64(len(order)) || seen[p] {
					return value{}, fmt.Errorf("perm %v for %d dimensions", perm, len(order))
				}
				seen[p] = true
				order[i] = int(p)
			}
		}
		return transposed(x, order)
	}, nil
}

func transposed(x value, order []int) (value, error) {
	own := steps(x.Shape)
	shape, along := make([]int, len(order)), make([]int, len(order))
	for i, p := range order {
		shape[i], along[i] = x.Shape[p], own[p]
	}
	from, err := positions(shape, along, 0)
	return x.take(shape, from), err
}

// prepareGather: slices of the first input along one axis, at the places that
// the second names.
func prepareGather(n *onnx.NodeProto) (kernel, error) {
	axis, err := onnx.Int(n, "axis", 0)
	if err != nil {
		return nil, err
	}
	return func(in arguments) (value, error) {
		x, err := in.any(0)
		if err != nil {
			return value{}, err
		}
		at, err := in.any(1)
		if err != nil {
			return value{}, err
		}
		a, err := axisOf(axis, len(x.Shape))
		if err != nil {
			return value{}, err
		}
		if !at.isInt {
			return value{}, errors.New("indices are float32, want int64")
		}
		outer, inner := 1, 1
		for _, d := range x.Shape[:a] {
			outer *= d
		}
		for _, d := range x.Shape[a+1:] {
			inner *= d
		}
		var from []int
		for o := range outer {
			for _, i := range at.ints {
				if i < 0 {
					i += int64(x.Shape[a])
				}
				if i < 0 || i >= int64(x.Shape[a]) {
					return value{}, fmt.Errorf("index %d along an axis of %d", i, x.Shape[a])
				}
				for j := range inner {
					from = append(from, (o*x.Shape[a]+int(i))*inner+j)
				}
			}
		}
		return x.take(slices.Concat(x.Shape[:a], at.Shape, x.Shape[a+1:]), from), nil
	}, nil
}

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

// expand: the first input broadcast to a shape.
func expand(in arguments) (value, error) {
	x, err := in.any(0)
	if err != nil {
		return value{}, err
	}
	wanted, err := in.integers(1)
	if err != nil {
		return value{}, err
	}
	return broadcasted(x, wanted)
}

func broadcasted(x value, wanted []int64) (value, error) {
	shape := make([]int, len(wanted))
	for i, d := range wanted {
		shape[i] = int(min(max(d, 0), maxElements))
	}
	shape, err := broadcast(x.Shape, shape)
	if err != nil {
		return value{}, err
	}
	n, err := elements(shape)
	if err != nil {
		return value{}, err
	}
	from := make([]int, n)
	r := newReader(x.Shape, shape)
	for i := range from {
		from[i] = r.next()
	}
	return x.take(shape, from), nil
}

// tile: the first input repeated along each axis.
func tile(in arguments) (value, error) {
	x, err := in.any(0)
	if err != nil {
		return value{}, err
	}
	repeats, err := in.integers(1)
	if err != nil {
		return value{}, err
	}
	if len(repeats) != len(x.Shape) {
		return value{}, fmt.Errorf("%d repeats of %d dimensions", len(repeats), len(x.Shape))
	}
	for axis, times := range repeats {
		if times < 1 || times > maxExtent {
			return value{}, fmt.Errorf("repeats %v", repeats)
		}
		copies := make([]value, times)
		for i := range copies {
			copies[i] = x
		}
		if x, err = concat(copies, int64(axis)); err != nil {
			return value{}, err
		}
	}
	return x, nil
}

// where: the second input where the first holds, else the third.
func where(in arguments) (value, error) {
	var v [3]value
	for i := range v {
		var err error
		if v[i], err = in.any(i); err != nil {
			return value{}, err
		}
	}
	if !v[0].isInt || v[1].isInt != v[2].isInt {
		return value{}, errors.New("want a condition and two values of one type")
	}
	shape, err := broadcast(v[1].Shape, v[2].Shape)
	if err == nil {
		shape, err = broadcast(shape, v[0].Shape)
	}
	if err != nil {
		return value{}, err
	}
	wide := make([]int64, len(shape))
	for i, d := range shape {
		wide[i] = int64(d)
	}
	for i := range v {
		if v[i], err = broadcasted(v[i], wide); err != nil {
			return value{}, err
		}
	}
	for i, holds := range v[0].ints {
		switch {
		case holds == 0:
		case v[2].isInt:
			v[2].ints[i] = v[1].ints[i]
		default:
			v[2].Data[i] = v[1].Data[i]
		}
	}
	return v[2], nil
}

// prepareScatterND: the first input, with the slices at the indices replaced.
func prepareScatterND(n *onnx.NodeProto) (kernel, error) {
	reduction, err := onnx.String(n, "reduction", "none")
	if err != nil {
		return nil, err
	}
	if reduction != "none" {
		return nil, fmt.Errorf("reduction %q is not supported", reduction)
	}
	return func(in arguments) (value, error) {
		var v [3]value
		for i := range v {
			if v[i], err = in.any(i); err != nil {
				return value{}, err
			}
		}
		x, at, updates := v[0], v[1], v[2]
		if !at.isInt || x.isInt != updates.isInt || len(at.Shape) == 0 {
			return value{}, errors.New("want integers as indices and updates of the type of the data")
		}
		depth := at.Shape[len(at.Shape)-1]
		if depth < 1 || depth > len(x.Shape) {
			return value{}, fmt.Errorf("indices of %d for %d dimensions", depth, len(x.Shape))
		}
		run := 1
		for _, d := range x.Shape[depth:] {
			run *= d
		}
		if updates.length() != len(at.ints)/depth*run {
			return value{}, fmt.Errorf("%d updates for indices of shape %v", updates.length(), at.Shape)
		}
		y := value{Tensor: Tensor{Shape: x.Shape, Data: slices.Clone(x.Data)}, ints: slices.Clone(x.ints), isInt: x.isInt}
		for row := range len(at.ints) / depth {
			to := 0
			for i, index := range at.ints[row*depth : (row+1)*depth] {
				if index < 0 {
					index += int64(x.Shape[i])
				}
				if index < 0 || index >= int64(x.Shape[i]) {
					return value{}, fmt.Errorf("index %d along an axis of %d", index, x.Shape[i])
				}
				to = to*x.Shape[i] + int(index)
			}
			for i := range run {
				if x.isInt {
					y.ints[to*run+i] = updates.ints[row*run+i]
				} else {
					y.Data[to*run+i] = updates.Data[row*run+i]
				}
			}
		}
		return y, nil
	}, nil
}

// prepareTrilu: the upper or lower triangle, zeros elsewhere.
func prepareTrilu(n *onnx.NodeProto) (kernel, error) {
	upper, err := onnx.Int(n, "upper", 1)
	if err != nil {
		return nil, err
	}
	return func(in arguments) (value, error) {
		x, err := in.float(0)
		if err != nil {
			return value{}, err
		}
		shift := int64(0)
		if in.has(1) {
			k, err := in.integers(1)
			if err != nil || len(k) != 1 {
				return value{}, errors.New("want one number as the diagonal")
			}
			shift = k[0]
		}
		rank := len(x.Shape)
		if rank < 2 {
			return value{}, fmt.Errorf("shape %v, want matrices", x.Shape)
		}
		y := Tensor{x.Shape, slices.Clone(x.Data)}
		for i := range y.Data {
			distance := int64(i%x.Shape[rank-1]) - int64(i/x.Shape[rank-1]%x.Shape[rank-2])
			if (upper != 0 && distance < shift) || (upper == 0 && distance > shift) {
				y.Data[i] = 0
			}
		}
		return value{Tensor: y}, nil
	}, nil
}

// integerRange: start, start + step, and so on below the limit.
func integerRange(in arguments) (value, error) {
	var v [3]int64
	for i := range v {
		list, err := in.integers(i)
		if err != nil {
			return value{}, err
		}
		if len(list) != 1 {
			return value{}, fmt.Errorf("input %d has %d values, want one", i, len(list))
		}
		v[i] = list[0]
	}
	if v[2] == 0 {
		return value{}, errors.New("step 0")
	}
	y := value{isInt: true}
	for at := v[0]; (v[2] > 0 && at < v[1]) || (v[2] < 0 && at > v[1]); at += v[2] {
		if len(y.ints) >= maxExtent {
			return value{}, fmt.Errorf("more than %d values", maxExtent)
		}
		y.ints = append(y.ints, at)
	}
	y.Shape = []int{len(y.ints)}
	return y, nil
}

// prepareConstantOfShape: one value, repeated.
func prepareConstantOfShape(n *onnx.NodeProto) (kernel, error) {
	one := value{Tensor: Tensor{[]int{1}, []float32{0}}}
	if t, err := onnx.Tensor(n, "value"); err != nil {
		return nil, err
	} else if t != nil {
		if one, err = constant(t); err != nil {
			return nil, err
		}
	}
	if one.length() != 1 {
		return nil, fmt.Errorf("value of shape %v, want one element", one.Shape)
	}
	return func(in arguments) (value, error) {
		shape, err := in.integers(0)
		if err != nil {
			return value{}, err
		}
		return broadcasted(one.reshaped([]int{1}), shape)
	}, nil
}

// prepareShape: the shape of a value, or a part of it.
func prepareShape(n *onnx.NodeProto) (kernel, error) {
	start, err := onnx.Int(n, "start", 0)
	if err != nil {
		return nil, err
	}
	end, err := onnx.Int(n, "end", math.MaxInt64)
	if err != nil {
		return nil, err
	}
	return func(in arguments) (value, error) {
		x, err := in.any(0)
		if err != nil {
			return value{}, err
		}
		shape := value{isInt: true, Tensor: Tensor{Shape: []int{len(x.Shape)}}}
		for _, d := range x.Shape {
			shape.ints = append(shape.ints, int64(d))
		}
		return sliced(shape, []int64{start}, []int64{end}, nil, nil)
	}, nil
}

func size(in arguments) (value, error) {
	x, err := in.any(0)
	return value{Tensor: Tensor{Shape: []int{}}, isInt: true, ints: []int64{int64(x.length())}}, err
}

// prepareSqueeze leaves out axes of length one: those named, as an attribute
// before operator set 13, or all.
func prepareSqueeze(n *onnx.NodeProto) (kernel, error) {
	return prepareAxes(n, func(shape []int, axes []int64) ([]int, error) {
		drop := make([]bool, len(shape))
		for _, axis := range axes {
			a, err := axisOf(axis, len(shape))
			if err != nil {
				return nil, err
			}
			if shape[a] != 1 {
				return nil, fmt.Errorf("axis %d of %v is longer than one", axis, shape)
			}
			drop[a] = true
		}
		kept := []int{}
		for i, d := range shape {
			if !drop[i] && (len(axes) > 0 || d != 1) {
				kept = append(kept, d)
			}
		}
		return kept, nil
	})
}

// prepareUnsqueeze puts in axes of length one.
func prepareUnsqueeze(n *onnx.NodeProto) (kernel, error) {
	return prepareAxes(n, func(shape []int, axes []int64) ([]int, error) {
		wide := make([]int, len(shape)+len(axes))
		for _, axis := range axes {
			a, err := axisOf(axis, len(wide))
			if err != nil {
				return nil, err
			}
			if wide[a] != 0 {
				return nil, fmt.Errorf("axes %v name one twice", axes)
			}
			wide[a] = 1
		}
		for i, next := 0, 0; i < len(wide); i++ {
			if wide[i] == 0 {
				wide[i] = shape[next]
				next++
			}
		}
		return wide, nil
	})
}

// prepareAxes is for nodes that change the shape by a list of axes.
func prepareAxes(n *onnx.NodeProto, change func(shape []int, axes []int64) ([]int, error)) (kernel, error) {
	attribute, err := onnx.Ints(n, "axes")
	if err != nil {
		return nil, err
	}
	return func(in arguments) (value, error) {
		x, err := in.any(0)
		if err != nil {
			return value{}, err
		}
		axes := attribute
		if in.has(1) {
			if axes, err = in.integers(1); err != nil {
				return value{}, err
			}
		}
		shape, err := change(x.Shape, axes)
		return x.reshaped(shape), err
	}, nil
}

// prepareDepthToSpace: blocks of channels become blocks of pixels.
func prepareDepthToSpace(n *onnx.NodeProto) (kernel, error) {
	mode, err := onnx.String(n, "mode", "DCR")
	if err != nil {
		return nil, err
	}
	return prepareBlocks(n, func(s []int, b int) (wide, order, shape []int) {
		c := s[1] / (b * b)
		if mode == "CRD" {
			return []int{s[0], c, b, b, s[2], s[3]}, []int{0, 1, 4, 2, 5, 3}, []int{s[0], c, s[2] * b, s[3] * b}
		}
		return []int{s[0], b, b, c, s[2], s[3]}, []int{0, 3, 4, 1, 5, 2}, []int{s[0], c, s[2] * b, s[3] * b}
	})
}

// prepareSpaceToDepth: blocks of pixels become channels.
func prepareSpaceToDepth(n *onnx.NodeProto) (kernel, error) {
	return prepareBlocks(n, func(s []int, b int) (wide, order, shape []int) {
		return []int{s[0], s[1], s[2] / b, b, s[3] / b, b}, []int{0, 3, 5, 1, 2, 4}, []int{s[0], s[1] * b * b, s[2] / b, s[3] / b}
	})
}

func prepareBlocks(n *onnx.NodeProto, plan func(shape []int, block int) (wide, order, shaped []int)) (kernel, error) {
	block, err := onnx.Int(n, "blocksize", 0)
	if err != nil {
		return nil, err
	}
	if block < 1 || block > maxExtent {
		return nil, fmt.Errorf("blocksize %d", block)
	}
	return func(in arguments) (value, error) {
		x, err := in.image(0)
		if err != nil {
			return value{}, err
		}
		wide, order, shape := plan(x.Shape, int(block))
		if n, err := elements(wide); err != nil || n != len(x.Data) {
			return value{}, fmt.Errorf("blocks of %d in %v", block, x.Shape)
		}
		y, err := transposed(value{Tensor: Tensor{wide, x.Data}}, order)
		return y.reshaped(shape), err
	}, nil
}
