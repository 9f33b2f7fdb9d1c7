package dataset

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestCensus(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := writeFolder(t)
	var spoilt []string
	for _, name := range []string{"train/dog/0.jpg", "val/owl/0.jpg"} {
		picture := encodeJPEG(t, noise(64, 64, 0, 256))
		spoilt = append(spoilt, filepath.Join(dir, name))
		write(t, filepath.Join(dir, name), picture[:len(picture)/2])
	}
	d, err := openAnimals(dir)
	if err != nil {
		t.Fatal(err)
	}
	var read atomic.Int64
	counts, err := Census(t.Context(), d, func() { read.Add(1) })
	want := [3][]int{Train: {4, 3, 4}, Validation: {2, 2, 1}, Test: {2, 2, 2}}
	if diff := cmp.Diff(want, counts); diff != "" || read.Load() != 24 {
		t.Errorf("%d read: %s", read.Load(), diff)
	}
	lines := strings.Split(fmt.Sprint(err), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], spoilt[0]) || !strings.Contains(lines[1], spoilt[1]) {
		t.Errorf("%v", err)
	}
}

func TestCensusOfEndlessSplitsIsNothing(t *testing.T) {
	if counts, err := Census(t.Context(), newGlyphs(Config{}.spec()), nil); err != nil || counts[Train] != nil {
		t.Errorf("%v, %v", counts, err)
	}
}

func TestCensusEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Census(ctx, numbered{8, 100, 5, -1}, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
