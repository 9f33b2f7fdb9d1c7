package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unsafe"

	"github.com/fathom-edge/fathom/convert/onnx/pb"
)

// FloatTensor returns a float32 tensor with its data as raw bytes. It panics if
// the length of data is not the product of dims.
func FloatTensor(name string, dims []int64, data []float32) *TensorProto {
	raw := make([]byte, 0, 4*len(data))
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return rawTensor(name, TypeFloat, dims, raw)
}

// Int64Tensor returns an int64 tensor with its data as raw bytes. It panics if
// the length of data is not the product of dims.
func Int64Tensor(name string, dims []int64, data []int64) *TensorProto {
	raw := make([]byte, 0, 8*len(data))
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	return rawTensor(name, TypeInt64, dims, raw)
}

func rawTensor(name string, dataType int32, dims []int64, raw []byte) *TensorProto {
	t := &TensorProto{Name: name, DataType: dataType, Dims: append([]int64(nil), dims...), RawData: raw}
	if err := checkLength(t); err != nil {
		panic(fmt.Sprintf("onnx: tensor %q: %v", name, err))
	}
	return t
}

// Floats returns the values of a float32 tensor, which may be its RawData in
// another guise: neither is to be written to.
func Floats(t *TensorProto) ([]float32, error) {
	if err := checkReadable(t, TypeFloat); err != nil {
		return nil, err
	}
	if len(t.GetRawData()) == 0 {
		return append([]float32{}, t.GetFloatData()...), nil
	}
	first := unsafe.Pointer(unsafe.SliceData(t.RawData))
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 && uintptr(first)%unsafe.Alignof(float32(0)) == 0 {
		return unsafe.Slice((*float32)(first), len(t.RawData)/4), nil
	}
	values := make([]float32, len(t.RawData)/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.RawData[4*i:]))
	}
	return values, nil
}

// Int64s returns a copy of the values of an int64 tensor.
func Int64s(t *TensorProto) ([]int64, error) {
	if err := checkReadable(t, TypeInt64); err != nil {
		return nil, err
	}
	if len(t.GetRawData()) == 0 {
		return append([]int64{}, t.GetInt64Data()...), nil
	}
	values := make([]int64, len(t.RawData)/8)
	for i := range values {
		values[i] = int64(binary.LittleEndian.Uint64(t.RawData[8*i:]))
	}
	return values, nil
}

// IsInteger says whether Integers reads tensors of an element type.
func IsInteger(dataType int32) bool {
	switch pb.TensorProto_DataType(dataType) {
	case pb.TensorProto_INT64, pb.TensorProto_INT32, pb.TensorProto_INT16, pb.TensorProto_INT8,
		pb.TensorProto_UINT8, pb.TensorProto_UINT16, pb.TensorProto_BOOL:
		return true
	}
	return false
}

// Integers returns a copy of the values of an integer or boolean tensor, which
// are 0 and 1.
func Integers(t *TensorProto) ([]int64, error) {
	if t.GetDataType() == TypeInt64 {
		return Int64s(t)
	}
	if !IsInteger(t.GetDataType()) {
		return nil, fmt.Errorf("onnx: tensor %q: element type %s, want integers", t.GetName(), typeName(t.GetDataType()))
	}
	if err := checkReadable(t, t.GetDataType()); err != nil {
		return nil, err
	}
	if len(t.GetRawData()) == 0 {
		values := make([]int64, len(t.GetInt32Data()))
		for i, v := range t.GetInt32Data() {
			values[i] = int64(v)
		}
		return values, nil
	}
	size, _ := elementSize(t.GetDataType())
	values := make([]int64, len(t.RawData)/int(size))
	for i := range values {
		raw := t.RawData[i*int(size):]
		switch pb.TensorProto_DataType(t.GetDataType()) {
		case pb.TensorProto_INT32:
			values[i] = int64(int32(binary.LittleEndian.Uint32(raw)))
		case pb.TensorProto_INT16:
			values[i] = int64(int16(binary.LittleEndian.Uint16(raw)))
		case pb.TensorProto_UINT16:
			values[i] = int64(binary.LittleEndian.Uint16(raw))
		case pb.TensorProto_INT8:
			values[i] = int64(int8(raw[0]))
		default:
			values[i] = int64(raw[0])
		}
	}
	return values, nil
}

// Elements returns the product of dims, 1 for a scalar.
func Elements(dims []int64) (int64, error) {
	n := int64(1)
	for _, d := range dims {
		if d < 0 {
			return 0, fmt.Errorf("negative dimension in shape %v", dims)
		}
		if d > 0 && n > MaxModelBytes/d {
			return 0, fmt.Errorf("shape %v is larger than %d elements", dims, MaxModelBytes)
		}
		n *= d
	}
	return n, nil
}

func checkReadable(t *TensorProto, want int32) error {
	if t.GetDataType() != want {
		return fmt.Errorf("onnx: tensor %q: element type %s, want %s", t.GetName(), typeName(t.GetDataType()), typeName(want))
	}
	if t.GetDataLocation() == pb.TensorProto_EXTERNAL {
		return fmt.Errorf("onnx: tensor %q: its data is in another file (read the model with Load)", t.GetName())
	}
	if err := checkLength(t); err != nil {
		return fmt.Errorf("onnx: tensor %q: %w", t.GetName(), err)
	}
	return nil
}

// checkLength compares the data of a tensor with its shape, for the element
// types that the package knows. Others pass: whoever uses them refuses them.
func checkLength(t *TensorProto) error {
	n, err := Elements(t.GetDims())
	if err != nil {
		return err
	}
	size, known := elementSize(t.GetDataType())
	if !known {
		return nil
	}
	typed := typedLength(t)
	raw := int64(len(t.GetRawData()))
	switch {
	case raw > 0 && typed > 0:
		return errors.New("has its data twice, raw and typed (export it again)")
	case typed > 0 && typed != n:
		return fmt.Errorf("shape %v needs %d elements, it has %d (file damaged? export it again)", t.GetDims(), n, typed)
	case typed == 0 && raw != n*size:
		return fmt.Errorf("shape %v of %s needs %d bytes, it has %d (file damaged? export it again)", t.GetDims(), typeName(t.GetDataType()), n*size, raw)
	}
	return nil
}

// elementSize returns the bytes of one element in raw or external data.
func elementSize(dataType int32) (int64, bool) {
	switch pb.TensorProto_DataType(dataType) {
	case pb.TensorProto_UINT8, pb.TensorProto_INT8, pb.TensorProto_BOOL:
		return 1, true
	case pb.TensorProto_UINT16, pb.TensorProto_INT16, pb.TensorProto_FLOAT16, pb.TensorProto_BFLOAT16:
		return 2, true
	case pb.TensorProto_FLOAT, pb.TensorProto_INT32, pb.TensorProto_UINT32:
		return 4, true
	case pb.TensorProto_DOUBLE, pb.TensorProto_INT64, pb.TensorProto_UINT64:
		return 8, true
	}
	return 0, false
}

// typedLength returns the number of elements in the typed field that belongs
// to the tensor's element type.
func typedLength(t *TensorProto) int64 {
	switch pb.TensorProto_DataType(t.GetDataType()) {
	case pb.TensorProto_FLOAT:
		return int64(len(t.GetFloatData()))
	case pb.TensorProto_DOUBLE:
		return int64(len(t.GetDoubleData()))
	case pb.TensorProto_INT64:
		return int64(len(t.GetInt64Data()))
	case pb.TensorProto_UINT32, pb.TensorProto_UINT64:
		return int64(len(t.GetUint64Data()))
	}
	return int64(len(t.GetInt32Data()))
}

func typeName(dataType int32) string {
	return pb.TensorProto_DataType(dataType).String()
}
