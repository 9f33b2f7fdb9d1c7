package convert

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/fathom-edge/fathom/convert/family"
	"github.com/fathom-edge/fathom/convert/tflite"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// idDigits is how much of its SHA-256 names a segment.
const idDigits = 12

// built is a bundle in memory.
type built struct {
	manifest *bundle.Manifest
	segments map[string][]byte
}

// build writes every distinct run of pieces as a segment, and the manifest.
func build(fam *family.Family, variants []*variant, a *alphabet, cuts map[pair]bool, accuracy [][]profile.Accuracy, precision bundle.Precision) (*built, error) {
	b := &built{
		manifest: &bundle.Manifest{Format: bundle.Format, Name: fam.Name, Labels: fam.Labels, Preprocess: fam.Preprocess, Precision: precision},
		segments: map[string][]byte{},
	}
	ids := map[string]string{} // run to segment
	for i, v := range variants {
		entry := bundle.Variant{Name: v.Name, Net: v.Net, Depth: v.Depth, MACs: v.graph.MACs(), Accuracy: accuracy[i]}
		for _, run := range runs(a.words[i], cuts) {
			key := fmt.Sprint(run)
			if ids[key] == "" {
				id, err := b.segment(a, run)
				if err != nil {
					return nil, fmt.Errorf("convert: variant %s: %w", v.Name, err)
				}
				ids[key] = id
			}
			entry.Path = append(entry.Path, ids[key])
		}
		b.manifest.Variants = append(b.manifest.Variants, entry)
	}
	return b, nil
}

// segment writes a run of pieces and enters it into the manifest.
func (b *built) segment(a *alphabet, run []int) (string, error) {
	g := a.concat(run)
	data, err := tflite.Write(g)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	digest := hex.EncodeToString(sum[:])
	id := digest[:idDigits]
	if b.segments[id] != nil {
		return "", fmt.Errorf("two segments have the ID %s", id)
	}
	b.segments[id] = data
	s := bundle.Segment{
		ID: id, File: "segments/" + id + ".tflite", SHA256: digest, Bytes: int64(len(data)),
		MACs: g.MACs(), Input: g.Input().Shape, Output: g.Output.Shape,
		InputQuantization: quantization(g.Input()), OutputQuantization: quantization(g.Output),
	}
	if b.manifest.Precision == bundle.Int8 {
		s.FloatLayers = floatLayers(g)
	}
	b.manifest.Segments = append(b.manifest.Segments, s)
	return id, nil
}
