package fastcpu

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapeinference"
	"github.com/gomlx/compute/shapes"
)

// DotGeneral implements [compute.Function]. Its result has the batch axes first, then the free axes of lhs and of rhs.
func (f *function) DotGeneral(lhs compute.Value, lhsContracting, lhsBatch []int, rhs compute.Value, rhsContracting, rhsBatch []int,
	config compute.DotGeneralConfig) (compute.Value, error) {
	vals, err := cast(lhs, rhs)
	if err != nil {
		return nil, err
	}
	a, b := vals[0], vals[1]
	float32Only := func(d dtypes.DType) bool { return d == dtypes.InvalidDType || d == dtypes.Float32 }
	if !isF32(a, b) || !float32Only(config.AccumulatorDType) || !float32Only(config.OutputDType) {
		return f.pair("DotGeneral", lhs, rhs, func(g compute.Function, a, b compute.Value) (compute.Value, error) {
			return g.DotGeneral(a, lhsContracting, lhsBatch, b, rhsContracting, rhsBatch, config)
		})
	}
	shape, err := shapeinference.DotGeneral(a.shape(), lhsContracting, lhsBatch, b.shape(), rhsContracting, rhsBatch, config)
	if err != nil {
		return nil, err
	}
	a, lhsBatch, lhsFree, lhsContracting, err := f.matrix(a, lhsBatch, lhsContracting)
	if err != nil {
		return nil, err
	}
	b, rhsBatch, rhsFree, rhsContracting, err := f.matrix(b, rhsBatch, rhsContracting)
	if err != nil {
		return nil, err
	}
	p := &product{aOffset: offsets(a.shape(), lhsBatch), bOffset: offsets(b.shape(), rhsBatch)}
	p.m, p.am, _ = merge(a.shape(), lhsFree)
	p.k, p.ak, _ = merge(a.shape(), lhsContracting)
	_, p.bk, _ = merge(b.shape(), rhsContracting)
	p.n, p.bn, _ = merge(b.shape(), rhsFree)
	return f.native("DotGeneral", matmulKernel, p, shape, a, b), nil
}

// matrix returns x with its axes sorted into batch, free and contracting ones, transposed if the free or the contracting
// axes cannot be seen as one axis.
func (f *function) matrix(x *value, batch, contracting []int) (y *value, yBatch, free, yContracting []int, err error) {
	used := map[int]bool{}
	for _, a := range append(append([]int{}, batch...), contracting...) {
		used[a] = true
	}
	for a := range x.shape().Rank() {
		if !used[a] {
			free = append(free, a)
		}
	}
	_, _, ok1 := merge(x.shape(), free)
	_, _, ok2 := merge(x.shape(), contracting)
	if ok1 && ok2 {
		return x, batch, free, contracting, nil
	}
	order := append(append(append([]int{}, batch...), free...), contracting...)
	t, err := f.Transpose(x, order...)
	if err != nil {
		return nil, nil, nil, nil, err
	}
	axis := 0
	take := func(n int) (axes []int) {
		for range n {
			axes = append(axes, axis)
			axis++
		}
		return axes
	}
	return t.(*value), take(len(batch)), take(len(free)), take(len(contracting)), nil
}

// merge returns the size and the stride of axes seen as one, if they can be.
func merge(s shapes.Shape, axes []int) (size, stride int, ok bool) {
	size, stride = 1, 1
	strides := s.Strides()
	for i := len(axes) - 1; i >= 0; i-- {
		d := s.Dimensions[axes[i]]
		if d == 1 {
			continue
		}
		if size == 1 {
			stride = strides[axes[i]]
		} else if strides[axes[i]] != stride*size {
			return 0, 0, false
		}
		size *= d
	}
	return size, stride, true
}

// offsets lists where each combination of indices of axes begins, the last axis fastest.
func offsets(s shapes.Shape, axes []int) []int {
	all := []int{0}
	strides := s.Strides()
	for _, a := range axes {
		next := make([]int, 0, len(all)*s.Dimensions[a])
		for _, o := range all {
			for i := range s.Dimensions[a] {
				next = append(next, o+i*strides[a])
			}
		}
		all = next
	}
	return all
}
