//go:build cgo

package main

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/convert"
	"github.com/fathom-edge/fathom/convert/familytest"
	"github.com/fathom-edge/fathom/convert/onnx"
	"github.com/fathom-edge/fathom/runtime/bundle"
)

var update = flag.Bool("update", false, "write testdata anew")

// TestConvertThenInspect goes the way of a user.
func TestConvertThenInspect(t *testing.T) {
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "bundle")
	if _, err := familytest.Write(dir, familytest.Small()); err != nil {
		t.Fatal(err)
	}
	code, converted, stderr := fathom("convert", dir, "-o", out)
	if code != 0 || stderr != "" {
		t.Fatalf("convert: exit code %d, %s", code, stderr)
	}
	ladder, proof, _ := strings.Cut(converted, "\nProven: ")
	if !strings.HasPrefix(proof, "TFLite differs from the reference by at most ") || !strings.HasSuffix(proof, " in 16 runs (limit 0.0001).\n") {
		t.Errorf("convert says %q", proof)
	}

	code, inspected, stderr := fathom("inspect", out)
	if code != 0 || stderr != "" {
		t.Fatalf("inspect: exit code %d, %s", code, stderr)
	}
	if !strings.Contains(inspected, ladder) {
		t.Errorf("inspect does not print the ladder that convert printed:\n%s\n%s", ladder, inspected)
	}
	const golden = "testdata/inspect.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(inspected), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), inspected); diff != "" {
		t.Errorf("%s (run the test with -update if this is meant): -want +got:\n%s", golden, diff)
	}
}

func TestJSON(t *testing.T) {
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "bundle")
	s := familytest.Small()
	s.Variants = s.Variants[:2]
	if _, err := familytest.Write(dir, s); err != nil {
		t.Fatal(err)
	}
	_, stdout, stderr := fathom("convert", dir, "-o", out, "--json")
	var result struct {
		Manifest bundle.Manifest
		Evidence convert.Evidence
	}
	if err := json.Unmarshal([]byte(stdout), &result); err != nil {
		t.Fatalf("%v: %s%s", err, stdout, stderr)
	}
	b, err := bundle.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*b.Manifest, result.Manifest); diff != "" {
		t.Errorf("convert prints another manifest than it wrote:\n%s", diff)
	}
	if len(result.Evidence.Proof) != 2 || result.Evidence.Tools["go"] == "" {
		t.Errorf("evidence is %+v", result.Evidence)
	}
	_, stdout, stderr = fathom("inspect", out, "--json")
	var i inspection
	if err := json.Unmarshal([]byte(stdout), &i); err != nil {
		t.Fatalf("%v: %s%s", err, stdout, stderr)
	}
	var total int64
	for _, s := range b.Manifest.Segments {
		total += s.Bytes
	}
	if i.TotalBytes != total || i.DeepestBytes != i.Variants[1].Bytes || i.Ratio != float64(total)/float64(i.DeepestBytes) {
		t.Errorf("total %d, deepest %d, ratio %g of segments of %d bytes", i.TotalBytes, i.DeepestBytes, i.Ratio, total)
	}
	if v := i.Variants[0]; v.SharedBytes == 0 || v.SharedBytes >= v.Bytes {
		t.Errorf("%s shares %d of %d bytes", v.Name, v.SharedBytes, v.Bytes)
	}
}

func TestErrors(t *testing.T) {
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "bundle")
	s := familytest.Small()
	s.Edit = func(variant string, m *onnx.ModelProto) { m.Graph.Node[0].OpType = "Einsum" }
	if _, err := familytest.Write(dir, s); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no command", nil, exitUsage, "fathom --help"},
		{"unknown command", []string{"frobnicate"}, exitUsage, "frobnicate"},
		{"no output", []string{"convert", dir}, exitUsage, "--out"},
		{"no family", []string{"convert", filepath.Join(dir, "x"), "-o", out}, exitFailure, "family.json"},
		{"max error", []string{"convert", dir, "-o", out, "--max-error=0"}, exitUsage, "--max-error is 0: must be positive"},
		{"min saving", []string{"convert", dir, "-o", out, "--min-saving=0"}, exitUsage, "--min-saving is 0 KiB: must be 1"},
		{"channels of a family", []string{"convert", dir, "-o", out, "--channels=BGR"}, exitUsage, "leave those flags out"},
		{"unsupported", []string{"convert", dir, "-o", out}, exitFailure, "net-B-3-2: stem.conv (Einsum): operator not supported"},
		{"no bundle", []string{"inspect", dir}, exitFailure, "not a bundle"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, stdout, stderr := fathom(c.args...)
			if code != c.code || stdout != "" {
				t.Errorf("exit code %d, want %d; stdout %q", code, c.code, stdout)
			}
			if !strings.HasPrefix(stderr, "fathom: ") || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, c.want) {
				t.Errorf("stderr is %q; want one line with %q", stderr, c.want)
			}
		})
	}
	if _, err := os.Stat(out); !os.IsNotExist(err) {
		t.Errorf("something was written: %v", err)
	}
	if code, stdout, stderr := fathom("--help"); code != 0 || !strings.Contains(stdout, "inspect") || stderr != "" {
		t.Errorf("help: exit code %d, %q, %q", code, stdout, stderr)
	}
}
