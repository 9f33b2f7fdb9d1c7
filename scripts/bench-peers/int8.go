package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/fathom-edge/fathom/internal/results"
)

const (
	calibrated = 16  // pictures that int8 is calibrated on, the same for all tools
	compared   = 200 // other pictures, that answers are compared on
)

// quantizeAll quantizes one network with every tool and compares the answers with onnxruntime's of the float32 network, all
// on the newest LiteRT.
func quantizeAll(n network) ([]results.Row, error) {
	scratch, err := os.MkdirTemp("", "bench-peers-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	in := func(name string) string { return filepath.Join(scratch, name) }
	if err := n.labels(in("labels.txt")); err != nil {
		return nil, err
	}
	if err := writePictures(in("images"), 0, calibrated, n.size); err != nil {
		return nil, err
	}
	raw := values(0, calibrated, n.size, [3]float32{}, [3]float32{1, 1, 1})
	if err := writeNPY(in("calibration.npy"), []int{calibrated, n.size, n.size, 3}, raw); err != nil {
		return nil, err
	}
	inputs := values(calibrated, compared, n.size, [3]float32{0.485, 0.456, 0.406}, [3]float32{0.229, 0.224, 0.225})
	if err := writeNPY(in("compared.npy"), []int{compared, n.size, n.size, 3}, inputs); err != nil {
		return nil, err
	}
	want, err := outputs(in("compared.npy"), n.model)
	if err != nil {
		return nil, err
	}
	var rows []results.Row
	for _, t := range int8Tools(n, scratch) {
		more, seconds, err := n.convert(t, "int8", "")
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
		if seconds == 0 {
			continue
		}
		got, err := outputs(in("compared.npy"), n.made(t.name, "int8"))
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: the int8 file of %s does not run: %v\n", n.name, t.name, err)
			continue
		}
		same := 0
		for i, y := range got[0] {
			same += int(bit(best(y) == best(want[0][i])))
		}
		rows = append(rows, row("agreement-"+t.name, "int8 of "+t.name+" gives the answer of float32", "%", 100*float64(same)/compared))
	}
	classes := map[int]bool{}
	for _, y := range want[0] {
		classes[best(y)] = true
	}
	return append(rows, row("classes", "different answers of float32 among the pictures compared", "", float64(len(classes)))), nil
}

func best(logits []float32) int { return slices.Index(logits, slices.Max(logits)) }
