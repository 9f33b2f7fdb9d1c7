package graph

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Large constants are moved by all cores, each a part of its own.
func TestTransposedInParts(t *testing.T) {
	shape := []int{5, 3, 67, 71} // an axis that no number of cores divides, and more than parallelFrom elements
	c := &constant{shape: shape, floats: make([]float32, elements(shape))}
	if len(c.floats) < parallelFrom {
		t.Fatalf("%d elements are moved in one part", len(c.floats))
	}
	for i := range c.floats {
		c.floats[i] = float32(i)
	}
	perm := []int{0, 2, 3, 1}
	want := &constant{shape: []int{5, 67, 71, 3}}
	for o := range 5 {
		for y := range 67 {
			for x := range 71 {
				for i := range 3 {
					want.floats = append(want.floats, c.floats[((o*3+i)*67+y)*71+x])
				}
			}
		}
	}
	if diff := cmp.Diff(want, c.transposed(perm), cmp.AllowUnexported(constant{})); diff != "" {
		t.Error(diff)
	}
}
