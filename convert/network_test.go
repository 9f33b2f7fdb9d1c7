package convert_test

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/networktest"
	"github.com/fathom-edge/fathom/convert/reference"
	"github.com/fathom-edge/fathom/convert/tflite"
)

const networks = "../testdata/networks"

// TestNetworks converts classifiers as PyTorch exports them. The golden has the
// operators of each and a hash of the file, which is the same on any machine.
// What TFLite makes of them is tested in cmd/fathom.
func TestNetworks(t *testing.T) {
	names, err := networktest.Names(networks)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, name := range names {
		n, err := networktest.Load(networks, name)
		if err != nil {
			t.Fatal(err)
		}
		g, err := graph.Import(n.Model)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if g, err = graph.Lower(g); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		data, err := tflite.Write(g)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		counts := map[graph.Op]int{}
		for _, node := range g.Nodes {
			counts[node.Op]++
		}
		fmt.Fprintf(&got, "%s: %d bytes, %x\n ", name, len(data), sha256.Sum256(data))
		for _, op := range slices.Sorted(maps.Keys(counts)) {
			fmt.Fprintf(&got, " %s:%d", op, counts[op])
		}
		got.WriteString("\n")
		own := strings.HasPrefix(name, "vit") || strings.HasPrefix(name, "swin") || strings.HasPrefix(name, "shufflenet")
		if n := counts[graph.OpTranspose]; n > 0 && !own {
			t.Errorf("%s has %d transposes; none of them is the network's own", name, n)
		}
	}
	golden(t, "networks.txt", got.String())
}

// TestNetworksReference holds the reference evaluator to onnxruntime where
// networks go beyond chains of convolutions.
func TestNetworksReference(t *testing.T) {
	for _, name := range []string{"convnext", "googlenet", "mobilenet_v3_small-11", "shufflenet_v2", "swin", "swin-20", "vit", "vit-20"} {
		t.Run(name, func(t *testing.T) {
			n, err := networktest.Load(networks, name)
			if err != nil {
				t.Fatal(err)
			}
			outputs, err := reference.Run(n.Model, map[string]reference.Tensor{n.Model.Graph.Input[0].Name: {Shape: n.Shape, Data: n.Input}})
			if err != nil {
				t.Fatal(err)
			}
			got := outputs[n.Model.Graph.Output[0].Name].Data
			share := reference.MaxDifference(got, n.Output) / float64(slices.Max(n.Output)-slices.Min(n.Output))
			if !(share <= 1e-5) {
				t.Errorf("differs from onnxruntime by %.2g of the outputs' range", share)
			}
			t.Logf("differs by %.2g of the outputs' range", share)
		})
	}
}
