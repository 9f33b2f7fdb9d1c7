//go:build cgo

package engine

import (
	"fmt"
	"unsafe"

	"github.com/mattn/go-tflite"

	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/preprocess"
)

// This file is the only user of go-tflite. It turns its three ways of failing
// (a status, nil, and an error on stderr) into errors, and checks every length.

// runtime holds what all segments share.
type runtime struct {
	threads  int
	delegate *delegate // nil without XNNPACK
}

func newRuntime(opts Options) (*runtime, error) {
	if opts.WithoutXNNPACK {
		return &runtime{threads: opts.Threads}, nil
	}
	d, err := newDelegate(opts.Threads)
	if err != nil {
		return nil, err
	}
	return &runtime{threads: opts.Threads, delegate: d}, nil
}

// close is called after every segment was closed.
func (rt *runtime) close() {
	if rt.delegate != nil {
		rt.delegate.Delete()
	}
	returnMemory()
}

// segment is one loaded TFLite file with one input and one output.
type segment struct {
	file        string
	data        []byte // what model reads, where that is not the file itself
	model       *tflite.Model
	interpreter *tflite.Interpreter
	in, out     tensor
	// input is TFLite's own of in; at is the memory that it stands for: that of in, or of the output of a segment before.
	input *tflite.Tensor
	at    tensor
	// operators of the file, and how many of them XNNPACK took.
	operators, delegated int
}

// load maps a file and prepares an interpreter. The bytes must have been
// verified, since TFLite crashes on some damaged files, and the file must not
// change while the segment is open.
func (rt *runtime) load(file string) (*segment, error) {
	return rt.prepare(&segment{file: file, model: tflite.NewModelFromFile(file)})
}

// loadVerified copies a segment of a bundle to memory, verifies what it copied,
// and prepares an interpreter. What becomes of the file does not matter then.
func (rt *runtime) loadVerified(b *bundle.Bundle, want *bundle.Segment) (*segment, error) {
	data, err := mapCopy(b, want)
	if err != nil {
		return nil, err
	}
	return rt.prepare(&segment{file: want.File, data: data, model: newModel(data)})
}

// prepare completes a segment, or closes it.
func (rt *runtime) prepare(s *segment) (*segment, error) {
	if err := s.open(rt); err != nil {
		s.close()
		return nil, fmt.Errorf("engine: %s: %w", s.file, err)
	}
	return s, nil
}

func (s *segment) open(rt *runtime) error {
	if s.model == nil {
		return fmt.Errorf("TensorFlow Lite cannot read it (missing, or no TFLite model?)")
	}
	options := tflite.NewInterpreterOptions()
	if options == nil {
		return fmt.Errorf("TensorFlow Lite gave no options (out of memory?)")
	}
	defer options.Delete()
	options.SetNumThread(rt.threads)
	if rt.delegate != nil {
		options.AddDelegate(rt.delegate)
	}
	if s.interpreter = tflite.NewInterpreter(s.model, options); s.interpreter == nil {
		return fmt.Errorf("TensorFlow Lite cannot run it (an operator that this library lacks?)")
	}
	if rt.delegate != nil {
		s.operators, s.delegated = rt.delegate.taken()
	}
	if status := s.interpreter.AllocateTensors(); status != tflite.OK {
		return fmt.Errorf("TensorFlow Lite cannot allocate its tensors (%v)", status)
	}
	if in, out := s.interpreter.GetInputTensorCount(), s.interpreter.GetOutputTensorCount(); in != 1 || out != 1 {
		return fmt.Errorf("%d inputs and %d outputs: a segment has one of each", in, out)
	}
	var err error
	s.input = s.interpreter.GetInputTensor(0)
	if s.in, err = view(s.input); err != nil {
		return fmt.Errorf("input: %w", err)
	}
	s.at = s.in
	if s.out, err = view(s.interpreter.GetOutputTensor(0)); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	return nil
}

// view is a tensor in TFLite's own memory.
func view(t *tflite.Tensor) (tensor, error) {
	if t == nil {
		return tensor{}, fmt.Errorf("no tensor")
	}
	kind := t.Type()
	if kind != tflite.Float32 && kind != tflite.Int8 {
		return tensor{}, fmt.Errorf("a tensor of type %v: only float32 and int8 are run", kind)
	}
	shape := t.Shape()
	values := uint64(1)
	for _, d := range shape {
		if d < 1 || uint64(d) > 1<<31/values {
			return tensor{}, fmt.Errorf("a tensor of shape %v cannot be run", shape)
		}
		values *= uint64(d)
	}
	want := values
	if kind == tflite.Float32 {
		want *= 4
	}
	if size := uint64(t.ByteSize()); size != want {
		return tensor{}, fmt.Errorf("a tensor of shape %v with %d bytes", shape, size)
	}
	data := t.Data()
	if data == nil {
		return tensor{}, fmt.Errorf("a tensor of shape %v without memory", shape)
	}
	if kind == tflite.Float32 {
		return tensor{shape: shape, floats: unsafe.Slice((*float32)(data), values)}, nil
	}
	q := t.QuantizationParams()
	scale := preprocess.Quantization{Scale: float32(q.Scale), ZeroPoint: int(q.ZeroPoint)}
	if err := scale.Validate(); err != nil {
		return tensor{}, err
	}
	return tensor{shape: shape, codes: unsafe.Slice((*int8)(data), values), scale: scale}, nil
}

func (s *segment) invoke() error {
	if status := s.interpreter.Invoke(); status != tflite.OK {
		return fmt.Errorf("engine: %s: TensorFlow Lite failed to run it (%v)", s.file, status)
	}
	return nil
}

// settled checks after the first run that TFLite keeps tensors in place.
func (s *segment) settled() error {
	in, err := view(s.interpreter.GetInputTensor(0))
	if err == nil {
		var out tensor
		out, err = view(s.interpreter.GetOutputTensor(0))
		if err == nil && !(in.same(s.at) && out.same(s.out)) {
			err = fmt.Errorf("its tensors move while it runs: only fixed shapes are run")
		}
	}
	if err != nil {
		return fmt.Errorf("engine: %s: %w", s.file, err)
	}
	return nil
}

// close frees the segment; the model goes after the interpreter that reads it, and its bytes after the model.
func (s *segment) close() {
	if s.interpreter != nil {
		s.interpreter.Delete()
	}
	if s.model != nil {
		s.model.Delete()
	}
	if s.data != nil {
		unmap(s.data)
	}
	*s = segment{file: s.file}
}
