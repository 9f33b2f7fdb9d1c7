//go:build !cgo

package engine

import (
	"errors"
	"testing"

	"github.com/fathom-edge/fathom/runtime/bundle"
)

func TestWithoutCgo(t *testing.T) {
	b, err := bundle.Open("../../testdata/bundles/tiny")
	if err != nil {
		t.Fatal(err)
	}
	if e, err := Open(b, Options{}); e != nil || !errors.Is(err, ErrNoInference) {
		t.Errorf("Open: %v, %v", e, err)
	}
	if out, err := RunPath([]string{"x.tflite"}, nil, Options{}); out != nil || !errors.Is(err, ErrNoInference) {
		t.Errorf("RunPath: %v, %v", out, err)
	}
}
