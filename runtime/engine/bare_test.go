//go:build cgo

package engine

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBareGivesWhatTheEngineGives(t *testing.T) {
	b := openBundle(t)
	file := b.SegmentPath(b.Manifest.Variants[0].Path[0])
	bare, err := OpenBare(file, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer bare.Close()
	input := make([]float32, b.Manifest.Preprocess.Len())
	for i := range input {
		input[i] = float32(i%17)/17 - 0.5
	}
	took := make([]time.Duration, 3)
	if err := bare.Loop(input, took); err != nil {
		t.Fatal(err)
	}
	for i, d := range took {
		if d <= 0 {
			t.Errorf("run %d took %v", i, d)
		}
	}
	want, err := RunPath([]string{file}, input, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, bare.Output); diff != "" {
		t.Error(diff)
	}
	wantError(t, bare.Loop(input[1:], took), "is given")
	wantError(t, bare.Loop(input, nil), "no runs")
	bare.Close()
	wantError(t, bare.Loop(input, took), "closed")
	_, err = OpenBare(file+".missing", 1)
	wantError(t, err, "cannot load")
}
