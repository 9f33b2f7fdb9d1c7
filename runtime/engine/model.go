package engine

import "fmt"

// Model is one TFLite file, of any shapes, that stays loaded: what benchmarks
// run where there is no bundle. One goroutine may use it.
type Model struct {
	runtime *runtime
	segment *segment
}

// OpenModel loads a file. The caller ends with Close.
func OpenModel(file string, opts Options) (*Model, error) {
	opts.Threads = max(1, opts.Threads)
	rt, err := newRuntime(opts)
	if err != nil {
		return nil, err
	}
	s, err := rt.load(file)
	if err != nil {
		rt.close()
		return nil, err
	}
	return &Model{rt, s}, nil
}

// InputShape is that of the file, whatever its layout.
func (m *Model) InputShape() []int { return m.segment.in.shape }

// Run returns the output for values in the order of the input's shape.
func (m *Model) Run(input []float32) ([]float32, error) {
	if len(input) != m.segment.in.len() {
		return nil, fmt.Errorf("engine: a model that takes %v is given %d values", m.segment.in.shape, len(input))
	}
	m.segment.in.set(input)
	if err := m.segment.invoke(); err != nil {
		return nil, err
	}
	out := make([]float32, m.segment.out.len())
	m.segment.out.get(out)
	return out, nil
}

// Close frees the model.
func (m *Model) Close() {
	m.segment.close()
	m.runtime.close()
}
