package onnx

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/fathom-edge/fathom/convert/onnx/pb"
	"github.com/fathom-edge/fathom/internal/atomicfile"
)

// Save writes a model. Equal models give equal bytes. With ext, large
// initializers go there, and the file is complete once ext is closed; without,
// everything stands in the one file. The model is not changed.
func Save(path string, m *ModelProto, ext *ExternalWriter) error {
	if err := checkSavable(m); err != nil {
		return fmt.Errorf("onnx: %s: %w", path, err)
	}
	if ext != nil {
		var err error
		if m, err = ext.outsource(path, m); err != nil {
			return fmt.Errorf("onnx: %s: %w", path, err)
		}
	}
	options := proto.MarshalOptions{Deterministic: true}
	if size := options.Size(m); size > MaxModelBytes {
		return fmt.Errorf("onnx: %s: %d bytes, more than protobuf's limit of %d (save the weights as external data)", path, size, MaxModelBytes)
	}
	data, err := options.Marshal(m)
	if err != nil {
		return fmt.Errorf("onnx: %s: %w", path, err)
	}
	if err := atomicfile.Write(path, data); err != nil {
		return fmt.Errorf("onnx: %w", err)
	}
	return nil
}

func checkSavable(m *ModelProto) error {
	return eachTensor(m.GetGraph(), func(t *TensorProto) error {
		if t.GetDataLocation() == pb.TensorProto_EXTERNAL {
			return fmt.Errorf("tensor %q: its data is in another file (read the model with Load before saving it)", t.GetName())
		}
		if err := checkLength(t); err != nil {
			return fmt.Errorf("tensor %q: %w", t.GetName(), err)
		}
		return nil
	})
}
