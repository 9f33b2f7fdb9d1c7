//go:build cgo

package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/networktest"
	"github.com/fathom-edge/fathom/convert/reference"
	"github.com/fathom-edge/fathom/convert/tflite"
)

// TestNetworks holds TFLite on what is converted to onnxruntime on what PyTorch
// exported.
func TestNetworks(t *testing.T) {
	const folder = "../../testdata/networks"
	names, err := networktest.Names(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			n, err := networktest.Load(folder, name)
			if err != nil {
				t.Fatal(err)
			}
			g, err := graph.Import(n.Model)
			if err != nil {
				t.Fatal(err)
			}
			if g, err = graph.Lower(g); err != nil {
				t.Fatal(err)
			}
			data, err := tflite.Write(g)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "network.tflite")
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := runner().Run([]string{file}, n.NHWC(), len(n.Output))
			if err != nil {
				t.Fatal(err)
			}
			share := reference.MaxDifference(got, n.Output) / float64(slices.Max(n.Output)-slices.Min(n.Output))
			if !(share <= 1e-4) {
				t.Errorf("differs from onnxruntime by %.2g of the outputs' range", share)
			}
			t.Logf("differs by %.2g of the outputs' range", share)
		})
	}
}
