//go:build cgo

package probe_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	flatbuffers "github.com/google/flatbuffers/go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/probe"
)

// The tests run this very binary as the child.
func TestMain(m *testing.M) {
	probe.Main()
	os.Exit(m.Run())
}

const tiny = "../../testdata/bundles/tiny"

// limits are short, since a test waits for a child that hangs.
func limits() probe.Limits {
	l := probe.DefaultLimits()
	l.Time, l.Memory = 20*time.Second, 512<<20
	return l
}

func run(t *testing.T, dir string, l probe.Limits) probe.Report {
	t.Helper()
	b, err := bundle.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	r, err := probe.Run(context.Background(), b, l)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// hostile is the tiny bundle with its second segment replaced by what change
// makes of it; hashes and sizes agree with the file, as an attacker would have
// them. It returns the folder and the name of the segment's file.
func hostile(t *testing.T, change func([]byte) []byte) (dir, file string) {
	t.Helper()
	b, err := bundle.Open(tiny)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for i, s := range b.Manifest.Segments {
		data, err := os.ReadFile(b.SegmentPath(s.ID))
		if err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			data = change(data)
			sum := sha256.Sum256(data)
			old := s.ID
			s.SHA256, s.Bytes = hex.EncodeToString(sum[:]), int64(len(data))
			s.ID = s.SHA256[:12]
			s.File = "segments/" + s.ID + ".tflite"
			b.Manifest.Segments[i], file = s, s.File
			for _, v := range b.Manifest.Variants {
				if at := slices.Index(v.Path, old); at >= 0 {
					v.Path[at] = s.ID
				}
			}
		}
		files[s.ID] = data
	}
	dir = filepath.Join(t.TempDir(), "hostile")
	if err := bundle.Write(dir, b.Manifest, files, nil); err != nil {
		t.Fatal(err)
	}
	return dir, file
}

// operator changes one operator of a model in place.
func operator(index int, change func(*schema.Operator) bool) func([]byte) []byte {
	return func(data []byte) []byte {
		var g schema.SubGraph
		var op schema.Operator
		if !schema.GetRootAsModel(data, 0).Subgraphs(&g, 0) || !g.Operators(&op, index) || !change(&op) {
			panic("the model has no such operator")
		}
		return data
	}
}

// matMul is x·x for a square of the given size, which takes size³
// multiplications and hardly any file.
func matMul(size int) func([]byte) []byte {
	return func([]byte) []byte {
		in := &graph.Node{Op: graph.OpInput, Shape: []int{1, size, size}}
		out := &graph.Node{Op: graph.OpMatMul, Inputs: []*graph.Node{in, in}, Shape: []int{1, size, size}}
		data, err := tflite.Write(&graph.Graph{Layout: graph.NHWC, Nodes: []*graph.Node{in, out}, Output: out})
		if err != nil {
			panic(err)
		}
		return data
	}
}

func TestGoodBundlePasses(t *testing.T) {
	r := run(t, tiny, limits())
	want := probe.Report{Outcome: probe.Passed, Last: probe.Step{Doing: "running", Variant: "net-A-2-1"}}
	if diff := cmp.Diff(want, r, cmpopts.IgnoreFields(probe.Report{}, "Seconds", "PeakBytes")); diff != "" {
		t.Error(diff)
	}
	if r.Seconds <= 0 || r.PeakBytes < 1<<20 || r.Err() != nil {
		t.Errorf("%+v", r)
	}
}

// TestHostileFiles gives TensorFlow Lite files that kill or stall it. This
// process must live and name the file.
func TestHostileFiles(t *testing.T) {
	for name, test := range map[string]struct {
		change  func([]byte) []byte
		outcome probe.Outcome
		doing   string
		problem string
	}{
		"filter left out": {operator(0, func(op *schema.Operator) bool { return op.MutateInputs(1, -1) }),
			probe.Crashed, "loading", "SIGSEGV"},
		"tensor that is not there": {operator(0, func(op *schema.Operator) bool { return op.MutateInputs(1, 1<<20) }),
			probe.Refused, "loading", "TensorFlow Lite cannot"},
		"output that is not there": {operator(0, func(op *schema.Operator) bool { return op.MutateOutputs(0, 1<<20) }),
			probe.Refused, "loading", "TensorFlow Lite cannot"},
		"no model at all": {func([]byte) []byte { return []byte("hostile") },
			probe.Refused, "loading", "TensorFlow Lite cannot read it"},
		"buffer beyond the file": {func(data []byte) []byte {
			flatbuffers.WriteUOffsetT(data, flatbuffers.UOffsetT(len(data)-8))
			return data
		}, probe.Refused, "loading", "TensorFlow Lite cannot read it"},
		"too much memory": {matMul(20000), probe.OutOfMemory, "loading", "more than 512 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, file := hostile(t, test.change)
			r := run(t, dir, limits())
			want := probe.Step{Doing: test.doing, Segment: file}
			if r.Outcome != test.outcome || r.Last != want || !strings.Contains(r.Problem, test.problem) {
				t.Errorf("%+v, want %s while %s with %q", r, test.outcome, want, test.problem)
			}
			err := r.Err()
			if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), file) {
				t.Errorf("%v: want one line that names %s", err, file)
			}
		})
	}
}

func TestChildEndsWithItsTime(t *testing.T) {
	dir, file := hostile(t, matMul(6000))
	l := limits()
	l.Time, l.Memory = 2*time.Second, 4<<30
	r := run(t, dir, l)
	if r.Outcome != probe.Hung || r.Last != (probe.Step{Doing: "running", Segment: file}) || r.Seconds > 10 {
		t.Errorf("%+v", r)
	}
}

func TestFileOfAnotherShapeIsRefused(t *testing.T) {
	dir, file := hostile(t, matMul(4))
	r := run(t, dir, limits())
	if r.Outcome != probe.Refused || r.Last != (probe.Step{Doing: "loading"}) || !strings.Contains(r.Problem, file+": its input") {
		t.Errorf("%+v", r)
	}
}

func TestCallerMayGiveUp(t *testing.T) {
	b, err := bundle.Open(tiny)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := probe.Run(ctx, b, limits()); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestChangedAfterOpening(t *testing.T) {
	b, err := bundle.Open(tiny)
	if err != nil {
		t.Fatal(err)
	}
	b.Digest = strings.Repeat("0", 64)
	r, err := probe.Run(context.Background(), b, limits())
	if err != nil || r.Outcome != probe.Refused || !strings.Contains(r.Problem, "changed since") {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestLimitsMakeSense(t *testing.T) {
	for name, change := range map[string]func(*probe.Limits){
		"no time":    func(l *probe.Limits) { l.Time = 0 },
		"no memory":  func(l *probe.Limits) { l.Memory = 1 << 20 },
		"no threads": func(l *probe.Limits) { l.Threads = 0 },
	} {
		l := probe.DefaultLimits()
		change(&l)
		b := &bundle.Bundle{}
		if r, err := probe.Run(context.Background(), b, l); err == nil || r != (probe.Report{}) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}
