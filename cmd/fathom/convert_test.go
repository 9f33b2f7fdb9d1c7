//go:build cgo

package main

import (
	"testing"

	"github.com/fathom-edge/fathom/convert"
	"github.com/fathom-edge/fathom/convert/familytest"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/engine"
)

// TestOperatorsAgainstReference converts a model for every operator, runs it
// with TFLite and compares with the reference evaluator of the ONNX model. The
// outputs are a few units in size.
func TestOperatorsAgainstReference(t *testing.T) {
	for _, c := range familytest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			dir, out := t.TempDir(), t.TempDir()
			fam, err := familytest.Single(dir, c.Model)
			if err != nil {
				t.Fatal(err)
			}
			result, err := convert.Convert(fam, dir, convert.Options{Out: out, MaxError: 1e-5, Runner: runner()})
			if err != nil {
				t.Fatal(err)
			}
			if p := result.Evidence.Proof; len(p) != 1 || p[0].Samples == 0 {
				t.Errorf("proof is %v", p)
			}
			b, err := bundle.Open(out)
			if err != nil {
				t.Fatal(err)
			}
			e, err := engine.Open(b, engine.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			if delegated, all := e.Operators(); delegated != all {
				t.Errorf("XNNPACK took %d of %d operators", delegated, all)
			}
		})
	}
}

// TestWideOperatorsAgainstReference does the same for operators that XNNPACK
// need not take.
func TestWideOperatorsAgainstReference(t *testing.T) {
	for _, c := range familytest.WideCases() {
		t.Run(c.Name, func(t *testing.T) {
			dir := t.TempDir()
			fam, err := familytest.Single(dir, c.Model)
			if err != nil {
				t.Fatal(err)
			}
			result, err := convert.Convert(fam, dir, convert.Options{Out: t.TempDir(), MaxError: 1e-5, Runner: runner()})
			if err != nil {
				t.Fatal(err)
			}
			if p := result.Evidence.Proof; len(p) != 1 || p[0].Samples == 0 {
				t.Errorf("proof is %v", p)
			}
		})
	}
}
