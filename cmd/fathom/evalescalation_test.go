//go:build cgo

package main

import (
	"encoding/json"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/runtime/bundle"
)

// deepData is a folder of images whose classes are what the tiny bundle's deepest variant says.
func deepData(t *testing.T, first, count int) string {
	t.Helper()
	b, err := bundle.Open(tiny)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for i := range count {
		img := noise(uint64(first + i))
		save(t, filepath.Join(dir, predict(t, b.Manifest.Variants[1].Name, img), fmt.Sprintf("%02d.png", i)), img, png.Encode)
	}
	return dir
}

func TestEvalEscalation(t *testing.T) {
	dir, plot := copyOf(t, tiny), filepath.Join(t.TempDir(), "doubt.png")
	data, other := deepData(t, 0, 40), deepData(t, 100, 20)
	code, out, errs := fathom("eval", dir, data, "--escalation", "--report", other, "--plot", plot, "--write", "--json")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var got calibration
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	shallow, deep := got.Singles[0], got.Singles[1]
	if deep.Top1 != 1 || shallow.Top1 == 1 || len(got.Pairs) != 1 || len(got.Chosen) != 1 || !got.Written || got.Samples != 40 {
		t.Fatalf("%s", out)
	}
	chosen := got.Chosen[0]
	if r := got.Report; r == nil || r.Samples != 20 || len(r.Steps) != 1 || r.Steps[0].Margin != chosen.Margin || r.Steps[0].Single.Variant != shallow.Variant {
		t.Errorf("report %+v", got.Report)
	}
	b, err := bundle.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := &bundle.Escalation{Dataset: filepath.Base(data), Split: "validation", Samples: 40, Steps: got.Chosen}
	if diff := cmp.Diff(want, b.Manifest.Escalation); diff != "" {
		t.Errorf("in the manifest (-want +got):\n%s", diff)
	}
	if info, err := os.Stat(plot); err != nil || info.Size() == 0 {
		t.Errorf("plot: %v", err)
	}

	// As text, and on images of which nothing is to be learned: no step stays.
	code, out, errs = fathom("eval", dir, data, "--escalation", "--write", "--limit", "1")
	if code != 0 || !strings.Contains(out, "No escalation is more often right") || !strings.Contains(out, "Stored in "+dir) {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if b, err = bundle.Open(dir); err != nil || b.Manifest.Escalation != nil {
		t.Errorf("%v, %v", b, err)
	}
}

func TestEvalEscalationRefuses(t *testing.T) {
	dir, data, again := copyOf(t, tiny), deepData(t, 0, 4), deepData(t, 3, 4)
	variant := "net-A-1-1"
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{data, "--write"}, exitUsage, "belong to --escalation"},
		{[]string{"glyphs:test", "--escalation"}, exitUsage, "glyphs:test is the test split"},
		{[]string{filepath.Join(data, "test"), "--escalation"}, exitUsage, "is the test split"},
		{[]string{data, "--escalation", "--report", data + "/."}, exitUsage, "is what is chosen by"},
		{[]string{data, "--escalation", "--report", again}, exitFailure, "is also in " + data},
		{[]string{data, "--escalation", "--variant", variant}, exitUsage, "two variants at least"},
		{[]string{data, "--escalation", "--profile", filepath.Join(data, "p.json")}, exitFailure, "no such file"},
		{[]string{data, "--escalation", "--plot", filepath.Join(data, "p.xyz")}, exitFailure, "p.xyz"},
	} {
		code, _, errs := fathom(append([]string{"eval", dir}, c.args...)...)
		if code != c.code || !strings.Contains(errs, c.want) {
			t.Errorf("%v: exit %d, %q; want %d, %q", c.args, code, errs, c.code, c.want)
		}
	}
	if b, err := bundle.Open(dir); err != nil || b.Manifest.Escalation != nil {
		t.Errorf("%v, %v", b, err)
	}
}
