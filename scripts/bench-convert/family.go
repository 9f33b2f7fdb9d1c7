package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/fathom-edge/fathom/convert"
	"github.com/fathom-edge/fathom/convert/familytest"
	"github.com/fathom-edge/fathom/internal/results"
)

// fiveDepths is a ResNet with as many basic blocks as ResNet-34, and four shallower ones, with random weights.
func fiveDepths() familytest.Spec {
	s := familytest.Spec{Widths: []int{64, 128, 256, 512}, Size: 224, Classes: 10, Seed: 1}
	for _, depth := range [][]int{{1, 1, 1, 1}, {2, 2, 2, 1}, {2, 2, 3, 2}, {3, 3, 4, 3}, {3, 4, 6, 3}} {
		s.Variants = append(s.Variants, familytest.Variant{Net: "A", Depth: depth})
	}
	return s
}

// measureFamily compares the bundle of all depths with that of the deepest alone.
func measureFamily(scratch string) ([]results.Row, error) {
	deepest := fiveDepths()
	deepest.Variants = deepest.Variants[len(deepest.Variants)-1:]
	alone, _, err := bundleSize(deepest, filepath.Join(scratch, "deepest"))
	if err != nil {
		return nil, err
	}
	var rows []results.Row
	for _, private := range []bool{false, true} {
		s := fiveDepths()
		s.PrivateNorm = private
		id, what := "shared", "shared"
		if private {
			id, what = "per-depth", "per depth"
		}
		size, segments, err := bundleSize(s, filepath.Join(scratch, id))
		if err != nil {
			return nil, err
		}
		r := row("family-size/"+id, fmt.Sprintf("five depths of a ResNet, normalization %s: the bundle over that of the deepest alone", what), "times", size/alone)
		if !private {
			r.Op, r.Limit = "<=", 1.05
		}
		rows = append(rows, r, row("family-segments/"+id, fmt.Sprintf("five depths of a ResNet, normalization %s: segments", what), "", float64(segments)))
	}
	return rows, nil
}

// bundleSize converts a family and adds up the bytes of all files of its bundle.
func bundleSize(s familytest.Spec, dir string) (size float64, segments int, err error) {
	source, out := filepath.Join(dir, "family"), filepath.Join(dir, "bundle")
	if err := os.MkdirAll(source, 0o755); err != nil {
		return 0, 0, err
	}
	f, err := familytest.Write(source, s)
	if err != nil {
		return 0, 0, err
	}
	r, err := convert.Convert(f, source, convert.Options{Out: out})
	if err != nil {
		return 0, 0, err
	}
	err = filepath.WalkDir(out, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size += float64(info.Size())
		}
		return err
	})
	return size, len(r.Manifest.Segments), err
}
