package main

import (
	"fmt"
	"os"
	"path/filepath"

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
	if err := n.fixed(in("fixed.onnx")); err != nil {
		return nil, err
	}
	want, err := outputs(in("compared.npy"), n.model)
	if err != nil {
		return nil, err
	}
	mean := means(want[0])
	var rows []results.Row
	for _, t := range chosen(int8Tools(n, scratch)) {
		more, made, err := n.convert(t, "int8", "")
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
		if made == nil {
			continue
		}
		got, err := outputs(in("compared.npy"), n.made(t.name, "int8"))
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: the int8 file of %s does not run: %v\n", n.name, t.name, err)
			continue
		}
		same, balanced := 0.0, 0.0
		for i, y := range got[0] {
			same += bit(best(y, nil) == best(want[0][i], nil))
			balanced += bit(best(y, mean) == best(want[0][i], mean))
		}
		rows = append(rows,
			row("agreement-"+t.name, "int8 of "+t.name+" gives the answer of float32", "%", 100*same/compared),
			row("balanced-"+t.name, "int8 of "+t.name+" gives the answer of float32, of logits less their mean", "%", 100*balanced/compared))
	}
	classes, balanced := map[int]bool{}, map[int]bool{}
	for _, y := range want[0] {
		classes[best(y, nil)], balanced[best(y, mean)] = true, true
	}
	return append(rows,
		row("classes", "different answers of float32 among the pictures compared", "", float64(len(classes))),
		row("classes-balanced", "different answers of float32, of logits less their mean", "", float64(len(balanced)))), nil
}

// means of each logit. A network with random weights gives hardly more than one answer to any picture; less their means
// over the pictures its logits give all.
func means(logits [][]float32) []float32 {
	mean := make([]float32, len(logits[0]))
	for _, y := range logits {
		for k, v := range y {
			mean[k] += v / float32(len(logits))
		}
	}
	return mean
}

// best is the place of the largest logit, or of the largest less its mean.
func best(logits, mean []float32) int {
	at := 0
	above := func(k int) float32 {
		if mean == nil {
			return logits[k]
		}
		return logits[k] - mean[k]
	}
	for k := range logits {
		if above(k) > above(at) {
			at = k
		}
	}
	return at
}
