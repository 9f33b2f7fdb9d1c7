package onnx

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/fathom-edge/fathom/convert/onnx/pb"
)

// MaxModelBytes is the largest model file that is read, which is the limit of
// protobuf, and the most external data that one model may name.
const MaxModelBytes = math.MaxInt32

// Load reads a model and brings its external data into RawData. External data
// must lie inside the model's folder; symbolic links that lead out of it are
// refused too.
func Load(path string) (*ModelProto, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("onnx: %s: not a regular file (name the .onnx file itself)", path)
	}
	if info.Size() > MaxModelBytes {
		return nil, fmt.Errorf("onnx: %s: %d bytes, more than protobuf's limit of %d (save the weights as external data)", path, info.Size(), MaxModelBytes)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	defer file.Close()
	m, err := parse(file, info.Size(), filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("onnx: %s: %w", path, err)
	}
	return m, nil
}

// Parse reads a model that holds all its weights; external data is an error.
func Parse(data []byte) (*ModelProto, error) {
	m, err := parse(bytes.NewReader(data), int64(len(data)), "")
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	return m, nil
}

// parse reads a model of size bytes whose external data lies in folder; "" allows none.
func parse(r io.Reader, size int64, folder string) (*ModelProto, error) {
	m, err := readModel(r, size)
	if err != nil {
		return nil, err
	}
	if m.GetGraph() == nil {
		return nil, errors.New("no graph in it (not an ONNX model, or an empty one: export it again)")
	}
	if OpsetVersion(m) <= 0 {
		return nil, errors.New("no version of the standard operator set in it (set opset_import, or export it again)")
	}
	ext := externalReader{folder: folder}
	defer ext.close()
	err = eachTensor(m.Graph, func(t *TensorProto) error {
		if t.GetDataLocation() == pb.TensorProto_EXTERNAL {
			if err := ext.resolve(t); err != nil {
				return fmt.Errorf("tensor %q: %w", t.GetName(), err)
			}
		}
		if err := checkLength(t); err != nil {
			return fmt.Errorf("tensor %q: %w", t.GetName(), err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}
