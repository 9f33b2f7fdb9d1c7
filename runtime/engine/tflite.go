//go:build cgo

package engine

import (
	"fmt"
	"unsafe"

	"github.com/mattn/go-tflite"
)

// This file is the only user of go-tflite. It turns its three ways of failing
// (a status, nil, and an error on stderr) into errors, and checks every length.

// runtime holds what all segments share.
type runtime struct {
	threads  int
	delegate *delegate
}

func newRuntime(threads int) (*runtime, error) {
	d, err := newDelegate(threads)
	if err != nil {
		return nil, err
	}
	return &runtime{threads: threads, delegate: d}, nil
}

// close is called after every segment was closed.
func (rt *runtime) close() { rt.delegate.Delete() }

// segment is one loaded TFLite file with one float32 input and one float32 output.
type segment struct {
	file        string
	model       *tflite.Model
	interpreter *tflite.Interpreter
	// in and out are TFLite's own memory, valid until close.
	in, out           []float32
	inShape, outShape []int
	// operators of the file, and how many of them XNNPACK took.
	operators, delegated int
}

// load maps the file and prepares an interpreter. The bytes must have been
// verified: TFLite crashes on some damaged files.
func (rt *runtime) load(file string) (*segment, error) {
	s := &segment{file: file}
	if err := s.open(rt); err != nil {
		s.close()
		return nil, fmt.Errorf("engine: %s: %w", file, err)
	}
	return s, nil
}

func (s *segment) open(rt *runtime) error {
	if s.model = tflite.NewModelFromFile(s.file); s.model == nil {
		return fmt.Errorf("TensorFlow Lite cannot read it (missing, or no TFLite model?)")
	}
	options := tflite.NewInterpreterOptions()
	if options == nil {
		return fmt.Errorf("TensorFlow Lite gave no options (out of memory?)")
	}
	defer options.Delete()
	options.SetNumThread(rt.threads)
	options.AddDelegate(rt.delegate)
	if s.interpreter = tflite.NewInterpreter(s.model, options); s.interpreter == nil {
		return fmt.Errorf("TensorFlow Lite cannot run it (an operator that this library lacks?)")
	}
	s.operators, s.delegated = rt.delegate.taken()
	if status := s.interpreter.AllocateTensors(); status != tflite.OK {
		return fmt.Errorf("TensorFlow Lite cannot allocate its tensors (%v)", status)
	}
	if in, out := s.interpreter.GetInputTensorCount(), s.interpreter.GetOutputTensorCount(); in != 1 || out != 1 {
		return fmt.Errorf("%d inputs and %d outputs: a segment has one of each", in, out)
	}
	var err error
	if s.in, s.inShape, err = view(s.interpreter.GetInputTensor(0)); err != nil {
		return fmt.Errorf("input: %w", err)
	}
	if s.out, s.outShape, err = view(s.interpreter.GetOutputTensor(0)); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	return nil
}

// view is a tensor's own memory as a slice, and its shape.
func view(t *tflite.Tensor) ([]float32, []int, error) {
	if t == nil {
		return nil, nil, fmt.Errorf("no tensor")
	}
	if t.Type() != tflite.Float32 {
		return nil, nil, fmt.Errorf("a tensor of type %v: only float32 is run", t.Type())
	}
	shape := t.Shape()
	values := uint64(1)
	for _, d := range shape {
		if d < 1 || uint64(d) > 1<<31/values {
			return nil, nil, fmt.Errorf("a tensor of shape %v cannot be run", shape)
		}
		values *= uint64(d)
	}
	if size := uint64(t.ByteSize()); size != 4*values {
		return nil, nil, fmt.Errorf("a tensor of shape %v with %d bytes", shape, size)
	}
	data := t.Data()
	if data == nil {
		return nil, nil, fmt.Errorf("a tensor of shape %v without memory", shape)
	}
	return unsafe.Slice((*float32)(data), values), shape, nil
}

func (s *segment) invoke() error {
	if status := s.interpreter.Invoke(); status != tflite.OK {
		return fmt.Errorf("engine: %s: TensorFlow Lite failed to run it (%v)", s.file, status)
	}
	return nil
}

// settled checks after the first run that TFLite keeps tensors in place.
func (s *segment) settled() error {
	in, _, err := view(s.interpreter.GetInputTensor(0))
	if err == nil {
		var out []float32
		out, _, err = view(s.interpreter.GetOutputTensor(0))
		if err == nil && (len(in) != len(s.in) || len(out) != len(s.out) || &in[0] != &s.in[0] || &out[0] != &s.out[0]) {
			err = fmt.Errorf("its tensors move while it runs: only fixed shapes are run")
		}
	}
	if err != nil {
		return fmt.Errorf("engine: %s: %w", s.file, err)
	}
	return nil
}

// close frees the segment; the model goes after the interpreter that maps it.
func (s *segment) close() {
	if s.interpreter != nil {
		s.interpreter.Delete()
	}
	if s.model != nil {
		s.model.Delete()
	}
	s.interpreter, s.model, s.in, s.out = nil, nil, nil, nil
}
