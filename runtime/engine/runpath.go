package engine

import (
	"errors"
	"fmt"
)

// RunPath loads the given segment files, runs them one after the other on
// input, and returns the output of the last. Int8 tensors are quantized and
// dequantized with the scales that stand in the files.
func RunPath(files []string, input []float32, opts Options) ([]float32, error) {
	if len(files) == 0 {
		return nil, errors.New("engine: an empty path")
	}
	opts.Threads = max(1, opts.Threads)
	rt, err := newRuntime(opts)
	if err != nil {
		return nil, err
	}
	defer rt.close()
	at := input
	for _, file := range files {
		at, err = rt.runOnce(file, at)
		if err != nil {
			return nil, err
		}
	}
	return at, nil
}

func (rt *runtime) runOnce(file string, input []float32) ([]float32, error) {
	s, err := rt.load(file)
	if err != nil {
		return nil, err
	}
	defer s.close()
	if len(input) != s.in.len() {
		return nil, fmt.Errorf("engine: %s takes %d values %v, but is given %d", file, s.in.len(), s.in.shape, len(input))
	}
	s.in.set(input)
	if err := s.invoke(); err != nil {
		return nil, err
	}
	if err := s.settled(); err != nil {
		return nil, err
	}
	out := make([]float32, s.out.len())
	s.out.get(out)
	return out, nil
}
