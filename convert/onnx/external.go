package onnx

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/fathom-edge/fathom/convert/onnx/pb"
)

// externalReader resolves external data below one folder. Tensors that name the
// same bytes get the same slice, and no more bytes are read from a file than it
// has, so that a small file cannot make a large model.
type externalReader struct {
	folder string // "": no external data is allowed
	root   *os.Root
	read   map[extent][]byte
	taken  map[string]int64 // bytes read, by location
	total  int64
}

// extent is a run of bytes in a file; location is a slash path below the folder.
type extent struct {
	location       string
	offset, length int64
}

func (r *externalReader) close() {
	if r.root != nil {
		r.root.Close()
	}
}

// resolve puts the external bytes of t into RawData.
func (r *externalReader) resolve(t *TensorProto) error {
	if r.folder == "" {
		return errors.New("its data is in another file, and this model has no folder (load it from its path)")
	}
	e, err := externalExtent(t)
	if err != nil {
		return err
	}
	data, ok := r.read[e]
	if !ok {
		if data, err = r.readExtent(e); err != nil {
			return fmt.Errorf("external data %s: %w", e.location, err)
		}
		if r.read == nil {
			r.read = map[extent][]byte{}
		}
		r.read[e] = data
	}
	t.RawData = data
	t.ExternalData = nil
	t.DataLocation = pb.TensorProto_DEFAULT
	return nil
}

// externalExtent reads where a tensor's bytes are; their number follows from
// shape and element type.
func externalExtent(t *TensorProto) (extent, error) {
	n, err := Elements(t.GetDims())
	if err != nil {
		return extent{}, err
	}
	size, known := elementSize(t.GetDataType())
	if !known {
		return extent{}, fmt.Errorf("external data of element type %s is not supported", typeName(t.GetDataType()))
	}
	if len(t.GetRawData()) > 0 || typedLength(t) > 0 {
		return extent{}, errors.New("has data inside and outside of the file (export it again)")
	}
	e := extent{length: n * size}
	for _, entry := range t.GetExternalData() {
		switch entry.GetKey() {
		case "location":
			e.location = path.Clean(filepath.ToSlash(entry.GetValue()))
		case "offset":
			if e.offset, err = strconv.ParseInt(entry.GetValue(), 10, 64); err != nil || e.offset < 0 {
				return extent{}, fmt.Errorf("external data offset %q is not a byte offset (export it again)", entry.GetValue())
			}
		case "length":
			length, err := strconv.ParseInt(entry.GetValue(), 10, 64)
			if err != nil || length != e.length {
				return extent{}, fmt.Errorf("external data has length %q, shape %v of %s needs %d bytes (export it again)", entry.GetValue(), t.GetDims(), typeName(t.GetDataType()), e.length)
			}
		}
	}
	if e.location == "" {
		return extent{}, errors.New("external data without a location (export it again)")
	}
	if !fs.ValidPath(e.location) || strings.ContainsRune(e.location, 0) {
		return extent{}, fmt.Errorf("external data %q lies outside the model's folder (move the file beside the model and export it again)", e.location)
	}
	return e, nil
}

func (r *externalReader) readExtent(e extent) ([]byte, error) {
	if r.root == nil {
		root, err := os.OpenRoot(r.folder)
		if err != nil {
			return nil, err
		}
		r.root = root
	}
	info, err := r.root.Stat(filepath.FromSlash(e.location))
	if err != nil {
		return nil, fmt.Errorf("%w (copy the file beside the model)", err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	if e.offset > info.Size() || e.length > info.Size()-e.offset {
		return nil, fmt.Errorf("bytes %d to %d wanted, the file has %d (cut short? copy it again)", e.offset, e.offset+e.length, info.Size())
	}
	if r.total += e.length; r.total > MaxModelBytes {
		return nil, fmt.Errorf("the model names more than %d bytes of external data", MaxModelBytes)
	}
	if r.taken == nil {
		r.taken = map[string]int64{}
	}
	if r.taken[e.location] += e.length; r.taken[e.location] > info.Size() {
		return nil, fmt.Errorf("tensors overlap in its %d bytes (file damaged? export it again)", info.Size())
	}
	f, err := r.root.Open(filepath.FromSlash(e.location))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := make([]byte, e.length)
	if _, err := io.ReadFull(io.NewSectionReader(f, e.offset, e.length), data); err != nil {
		return nil, err
	}
	return data, nil
}
