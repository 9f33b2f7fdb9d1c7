package onnx

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/fathom-edge/fathom/convert/onnx/pb"
)

// weightsPath leads to the bytes of an initializer: fields of ModelProto,
// GraphProto and TensorProto.
var weightsPath = []protowire.Number{7, 5, 9}

// stream reads a model and puts the bytes of its initializers where they stay,
// so that no more than one copy of them is ever in memory.
type stream struct {
	*bufio.Reader
	weights [][]byte // raw_data of each initializer, nil where there is none
}

// readModel reads a model of size bytes.
func readModel(r io.Reader, size int64) (*ModelProto, error) {
	s := &stream{Reader: bufio.NewReader(r)}
	data, err := s.message(nil, size, weightsPath)
	if err != nil {
		return nil, fmt.Errorf("not an ONNX model: %w (file damaged? export it again)", err)
	}
	if err := checkMessages(data, size); err != nil {
		return nil, err
	}
	m := new(pb.ModelProto)
	if err := proto.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("not an ONNX model: %w (file damaged? export it again)", err)
	}
	for i, t := range m.GetGraph().GetInitializer() {
		t.RawData = s.weights[i]
	}
	return m, nil
}

// message appends the next size bytes, which are a message, to out, without the
// weights that path leads to.
func (s *stream) message(out []byte, size int64, path []protowire.Number) ([]byte, error) {
	if len(path) == 1 {
		s.weights = append(s.weights, nil)
	}
	for size > 0 {
		tag, err := s.varint(&size)
		if err != nil {
			return nil, err
		}
		number, kind := protowire.DecodeTag(tag)
		if kind != protowire.BytesType {
			if out, err = s.scalar(protowire.AppendVarint(out, tag), kind, &size); err != nil {
				return nil, err
			}
			continue
		}
		n, err := s.varint(&size)
		if err != nil {
			return nil, err
		}
		if n > uint64(size) {
			return nil, io.ErrUnexpectedEOF
		}
		size -= int64(n)
		switch {
		case number != path[0]:
			out, err = s.bytes(protowire.AppendVarint(protowire.AppendVarint(out, tag), n), int64(n))
		case len(path) > 1:
			var inner []byte
			inner, err = s.message(nil, int64(n), path[1:])
			out = protowire.AppendBytes(protowire.AppendVarint(out, tag), inner)
		default:
			s.weights[len(s.weights)-1], err = s.bytes(make([]byte, 0, n), int64(n))
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// scalar appends a field that is not a run of bytes.
func (s *stream) scalar(out []byte, kind protowire.Type, size *int64) ([]byte, error) {
	var n int64
	switch kind {
	case protowire.VarintType:
		v, err := s.varint(size)
		return protowire.AppendVarint(out, v), err
	case protowire.Fixed32Type:
		n = 4
	case protowire.Fixed64Type:
		n = 8
	default: // groups, which ONNX has none of
		return nil, fmt.Errorf("a field of kind %d", kind)
	}
	if *size -= n; *size < 0 {
		return nil, io.ErrUnexpectedEOF
	}
	return s.bytes(out, n)
}

// bytes appends the next n bytes.
func (s *stream) bytes(out []byte, n int64) ([]byte, error) {
	at := len(out)
	out = slices.Grow(out, int(n))[:at+int(n)]
	_, err := io.ReadFull(s, out[at:])
	return out, err
}

// varint takes a number from a message with size bytes left.
func (s *stream) varint(size *int64) (uint64, error) {
	var v uint64
	for shift := 0; shift < 70 && *size > 0; shift += 7 {
		b, err := s.ReadByte()
		if err != nil {
			return 0, err
		}
		*size--
		if shift == 63 && b > 1 {
			return 0, errors.New("a number of more than 64 bits")
		}
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v, nil
		}
	}
	return 0, io.ErrUnexpectedEOF
}
