package reference

import (
	"fmt"
	"slices"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// maxExtent bounds strides, dilations, kernels and paddings, so that sums of
// them cannot overflow.
const maxExtent = 1 << 20

// window is a kernel that slides over the rows and columns of an image. Each
// pair is (rows, columns).
type window struct {
	kernel, strides, dilations [2]int
	before, after              [2]int // zeros around the image
	auto                       string // auto_pad, where it decides on the zeros
	ceil                       bool   // a last window may reach beyond the zeros
}

// readWindow reads the attributes that convolution and pooling have in common;
// kernel_shape may be left out by a convolution and is then zero.
func readWindow(n *onnx.NodeProto) (window, error) {
	var w window
	var err error
	if w.auto, err = onnx.String(n, "auto_pad", "NOTSET"); err != nil {
		return w, err
	}
	if !slices.Contains([]string{"NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"}, w.auto) {
		return w, fmt.Errorf("auto_pad %q is not supported", w.auto)
	}
	ceil, err := onnx.Int(n, "ceil_mode", 0)
	if err != nil {
		return w, err
	}
	w.ceil = ceil != 0
	if w.kernel, err = pair(n, "kernel_shape", 0); err != nil {
		return w, err
	}
	if w.strides, err = pair(n, "strides", 1); err != nil {
		return w, err
	}
	if w.dilations, err = pair(n, "dilations", 1); err != nil {
		return w, err
	}
	pads, err := onnx.Ints(n, "pads", 0, 0, 0, 0)
	if err != nil {
		return w, err
	}
	if err := checkExtents("pads", pads, 4, 0); err != nil {
		return w, err
	}
	w.before = [2]int{int(pads[0]), int(pads[1])}
	w.after = [2]int{int(pads[2]), int(pads[3])}
	return w, nil
}

// pair reads an attribute of two numbers; smallest is also what it is if left out.
func pair(n *onnx.NodeProto, name string, smallest int64) ([2]int, error) {
	v, err := onnx.Ints(n, name, smallest, smallest)
	if err != nil {
		return [2]int{}, err
	}
	if err := checkExtents(name, v, 2, smallest); err != nil {
		return [2]int{}, err
	}
	return [2]int{int(v[0]), int(v[1])}, nil
}

func checkExtents(name string, v []int64, length int, smallest int64) error {
	if len(v) != length {
		return fmt.Errorf("%s %v: want %d numbers (only 2-D images are supported)", name, v, length)
	}
	for _, x := range v {
		if x < smallest || x > maxExtent {
			return fmt.Errorf("%s %v: want numbers from %d to %d", name, v, smallest, maxExtent)
		}
	}
	return nil
}

// padFor decides on the zeros that auto_pad leaves open.
func (w *window) padFor(height, width int) {
	if w.auto == "VALID" {
		w.before, w.after = [2]int{}, [2]int{}
	}
	if w.auto != "SAME_UPPER" && w.auto != "SAME_LOWER" {
		return
	}
	for i, size := range [2]int{height, width} {
		outputs := (size + w.strides[i] - 1) / w.strides[i]
		all := max((outputs-1)*w.strides[i]+(w.kernel[i]-1)*w.dilations[i]+1-size, 0)
		w.before[i], w.after[i] = all/2, all-all/2
		if w.auto == "SAME_LOWER" {
			w.before[i], w.after[i] = w.after[i], w.before[i]
		}
	}
}

// output returns the rows and columns of the result for an image of height x
// width. A window beyond the image and the zeros before it does not count, even
// where its size is rounded up.
func (w window) output(height, width int) (rows, columns int, err error) {
	var out [2]int
	for i, size := range [2]int{height, width} {
		span := (w.kernel[i]-1)*w.dilations[i] + 1
		room := size + w.before[i] + w.after[i] - span
		if room < 0 {
			return 0, 0, fmt.Errorf("a window of %v does not fit into an image of %dx%d", w.kernel, height, width)
		}
		out[i] = room/w.strides[i] + 1
		if w.ceil && room%w.strides[i] != 0 && out[i]*w.strides[i] < size+w.before[i] {
			out[i]++
		}
	}
	return out[0], out[1], nil
}
