//go:build cgo

package main

import (
	"fmt"

	"github.com/fathom-edge/fathom/convert"
	"github.com/fathom-edge/fathom/runtime/engine"
)

// runner runs segments with TFLite for the self-proof of convert.
func runner() convert.Runner { return engineRunner{} }

type engineRunner struct{}

func (engineRunner) Run(path []string, input []float32, outputLen int) ([]float32, error) {
	return runPath(path, input, outputLen, engine.Options{})
}

func (engineRunner) RunBuiltin(path []string, input []float32, outputLen int) ([]float32, error) {
	return runPath(path, input, outputLen, engine.Options{WithoutXNNPACK: true})
}

func runPath(path []string, input []float32, outputLen int, opts engine.Options) ([]float32, error) {
	out, err := engine.RunPath(path, input, opts)
	if err == nil && len(out) != outputLen {
		err = fmt.Errorf("TFLite gave %d values, need %d", len(out), outputLen)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}
