package onnx

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"strconv"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/fathom-edge/fathom/convert/onnx/pb"
	"github.com/fathom-edge/fathom/internal/atomicfile"
)

const (
	// externalMin is the size in bytes from which a tensor goes outside.
	externalMin = 1 << 10
	// externalAlign is the alignment in bytes of tensors in the file.
	externalAlign = 64
)

// ExternalWriter writes one file of external data for any number of models of
// one folder. Tensors of equal content are stored once, whatever their names.
type ExternalWriter struct {
	dir, location string
	file          *atomicfile.File
	out           *bufio.Writer
	offset        int64
	stored        map[[sha256.Size]byte]int64
}

// NewExternalWriter begins the file dir/file for models that are saved into
// dir. It appears when Close succeeds.
func NewExternalWriter(dir, file string) (*ExternalWriter, error) {
	if file != filepath.Base(file) || !filepath.IsLocal(file) || file == "." {
		return nil, fmt.Errorf("onnx: external data file %q: want a plain file name", file)
	}
	f, err := atomicfile.Create(filepath.Join(dir, file))
	if err != nil {
		return nil, fmt.Errorf("onnx: external data: %w", err)
	}
	return &ExternalWriter{
		dir: filepath.Clean(dir), location: file,
		file: f, out: bufio.NewWriter(f),
		stored: map[[sha256.Size]byte]int64{},
	}, nil
}

// Close puts the file in place. If it fails, nothing is left of it.
func (w *ExternalWriter) Close() error {
	defer w.file.Discard()
	if err := w.out.Flush(); err != nil {
		return fmt.Errorf("onnx: external data %s: %w", w.location, err)
	}
	if err := w.file.Commit(); err != nil {
		return fmt.Errorf("onnx: external data %s: %w", w.location, err)
	}
	return nil
}

// Discard gives the file up. After Close it does nothing, so it can be deferred.
func (w *ExternalWriter) Discard() { w.file.Discard() }

// outsource returns a copy of m whose large initializers point to the file.
func (w *ExternalWriter) outsource(path string, m *ModelProto) (*ModelProto, error) {
	if filepath.Dir(path) != w.dir {
		return nil, fmt.Errorf("its external data is written to %s (save the model in that folder)", w.dir)
	}
	initializers := make([]*TensorProto, len(m.GetGraph().GetInitializer()))
	for i, t := range m.GetGraph().GetInitializer() {
		var err error
		if initializers[i], err = w.outsourceTensor(t); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", t.GetName(), err)
		}
	}
	g := shallow(m.GetGraph())
	g.Initializer = initializers
	m = shallow(m)
	m.Graph = g
	return m, nil
}

func (w *ExternalWriter) outsourceTensor(t *TensorProto) (*TensorProto, error) {
	raw := rawBytes(t)
	if len(raw) < externalMin {
		return t, nil
	}
	offset, err := w.store(raw)
	if err != nil {
		return nil, err
	}
	t = shallow(t)
	t.RawData, t.FloatData, t.Int64Data = nil, nil, nil
	t.DataLocation = pb.TensorProto_EXTERNAL
	t.ExternalData = []*StringStringEntryProto{
		{Key: "location", Value: w.location},
		{Key: "offset", Value: strconv.FormatInt(offset, 10)},
		{Key: "length", Value: strconv.Itoa(len(raw))},
	}
	return t, nil
}

// store returns the offset at which raw stands in the file.
func (w *ExternalWriter) store(raw []byte) (int64, error) {
	sum := sha256.Sum256(raw)
	if offset, ok := w.stored[sum]; ok {
		return offset, nil
	}
	padding := (externalAlign - w.offset%externalAlign) % externalAlign
	if _, err := w.out.Write(make([]byte, padding)); err != nil {
		return 0, err
	}
	if _, err := w.out.Write(raw); err != nil {
		return 0, err
	}
	offset := w.offset + padding
	w.offset = offset + int64(len(raw))
	w.stored[sum] = offset
	return offset, nil
}

// rawBytes returns the data of a tensor as external data wants it, nil for
// tensors that stay in the model's file.
func rawBytes(t *TensorProto) []byte {
	switch {
	case len(t.GetRawData()) > 0:
		if _, known := elementSize(t.GetDataType()); known {
			return t.GetRawData()
		}
		return nil
	case t.GetDataType() == TypeFloat:
		return FloatTensor(t.GetName(), t.GetDims(), t.GetFloatData()).RawData
	case t.GetDataType() == TypeInt64:
		return Int64Tensor(t.GetName(), t.GetDims(), t.GetInt64Data()).RawData
	}
	return nil
}

// shallow copies a message; the copy shares its fields with the original.
func shallow[M proto.Message](m M) M {
	from := m.ProtoReflect()
	to := from.New()
	from.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		to.Set(f, v)
		return true
	})
	to.SetUnknown(from.GetUnknown())
	return to.Interface().(M)
}
