package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/runtime/preprocess"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// sample is a valid bundle of two variants that share their first segment.
func sample() (*Manifest, map[string][]byte) {
	segments := map[string][]byte{}
	segment := func(content string, in, out []int) Segment {
		sum := sha256.Sum256([]byte(content))
		digits := hex.EncodeToString(sum[:])
		s := Segment{ID: digits[:12], SHA256: digits, File: "segments/" + digits[:12] + ".tflite",
			Bytes: int64(len(content)), MACs: 10, Input: in, Output: out}
		segments[s.ID] = []byte(content)
		return s
	}
	stem := segment("stem", []int{1, 4, 6, 3}, []int{1, 4, 6, 8})
	block := segment("block", []int{1, 4, 6, 8}, []int{1, 4, 6, 8})
	head := segment("head", []int{1, 4, 6, 8}, []int{1, 2})
	return &Manifest{
		Format: 1, Name: "sample", Labels: []string{"cat", "dog"},
		Preprocess: preprocess.Spec{Width: 6, Height: 4, Channels: "RGB", Fit: preprocess.FitCrop, Std: [3]float32{1, 1, 1}},
		Segments:   []Segment{stem, block, head},
		Variants: []Variant{
			{Name: "a-1", Net: "A", Depth: []int{1}, Path: []string{stem.ID, head.ID}, MACs: 20,
				Accuracy: []profile.Accuracy{{Dataset: "glyphs", Split: "test", Top1: 0.9, Samples: 100}}},
			{Name: "a-2", Net: "A", Depth: []int{2}, Path: []string{stem.ID, block.ID, head.ID}, MACs: 30},
		},
	}, segments
}

func write(t *testing.T, dir string) {
	t.Helper()
	m, segments := sample()
	if err := Write(dir, m, segments, map[string][]byte{"evidence.json": []byte("{}\n")}); err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one with %q", err, want)
	}
}

func listing(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			names = append(names, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestWriteOpen(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "deep", "demo")
	write(t, dir)
	b, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	m, segments := sample()
	if diff := cmp.Diff(m, b.Manifest); diff != "" {
		t.Errorf("manifest (-written +read):\n%s", diff)
	}
	for _, s := range m.Segments {
		data, err := os.ReadFile(b.SegmentPath(s.ID))
		if err != nil || string(data) != string(segments[s.ID]) {
			t.Errorf("segment %s: %q, %v", s.ID, data, err)
		}
		if diff := cmp.Diff(&s, b.Segment(s.ID)); diff != "" {
			t.Error(diff)
		}
	}
	if b.Segment("nothing") != nil {
		t.Error("found a segment that does not exist")
	}

	first, _ := os.ReadFile(filepath.Join(dir, "manifest.json"))
	write(t, dir) // replaces
	second, _ := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if string(first) != string(second) {
		t.Error("the same manifest gave other bytes")
	}
	if got := listing(t, parent); len(got) != 5 {
		t.Errorf("files left after replacing: %v", got)
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("folder mode %v, %v", info.Mode(), err)
	}
}

func TestWriteIntoEmptyFolder(t *testing.T) {
	dir := t.TempDir()
	write(t, dir)
	if _, err := Open(dir); err != nil {
		t.Error(err)
	}
}

func TestWriteReplacesAllOfTheOld(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "b")
	write(t, dir)
	stale := filepath.Join(dir, "segments", "0123456789ab.tflite")
	if err := os.WriteFile(stale, []byte("stale"), 0o644); err != nil {
		t.Fatal(err)
	}
	write(t, dir)
	if _, err := os.Stat(stale); !os.IsNotExist(err) {
		t.Errorf("a segment of the old bundle is still there: %v", err)
	}
}

func TestWriteRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		file, want string
		bundle     bool
	}{
		"other folder":             {file: "thesis.tex", want: "not empty and not a bundle"},
		"bundle with notes":        {file: "notes.txt", bundle: true, want: "holds notes.txt"},
		"foreign file in segments": {file: "segments/thesis.tex", bundle: true, want: "holds segments/thesis.tex"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "b")
			if tc.bundle {
				write(t, dir)
			}
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, tc.file), []byte("keep"), 0o644); err != nil {
				t.Fatal(err)
			}
			before := listing(t, filepath.Dir(dir))
			m, segments := sample()
			wantError(t, Write(dir, m, segments, nil), tc.want)
			if diff := cmp.Diff(before, listing(t, filepath.Dir(dir))); diff != "" {
				t.Errorf("files changed (-before +after):\n%s", diff)
			}
		})
	}
	t.Run("plain file in its place", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "b")
		if err := os.WriteFile(file, []byte("keep"), 0o644); err != nil {
			t.Fatal(err)
		}
		m, segments := sample()
		wantError(t, Write(file, m, segments, nil), "not a directory")
	})
}

// TestWriteAllOrNone writes two bundles of which the second cannot be put in
// place: its folder lies in that of the first.
func TestWriteAllOrNone(t *testing.T) {
	parent := t.TempDir()
	first, second := filepath.Join(parent, "first"), filepath.Join(parent, "second")
	m, segments := sample()
	extra := map[string][]byte{"evidence.json": []byte("new")}
	write(t, first)
	before := listing(t, parent)
	for name, other := range map[string]string{"inside": filepath.Join(first, "inside"), "taken": "/proc/self/taken"} {
		if err := WriteAll(Content{first, m, segments, extra}, Content{other, m, segments, extra}); err == nil {
			t.Errorf("%s: wrote both", name)
		}
		if diff := cmp.Diff(before, listing(t, parent)); diff != "" {
			t.Errorf("%s: files changed (-before +after):\n%s", name, diff)
		}
		if _, err := Open(first); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := WriteAll(Content{first, m, segments, extra}, Content{second, m, segments, extra}); err != nil {
		t.Fatal(err)
	}
	if got := listing(t, parent); len(got) != 2*len(listing(t, first)) {
		t.Errorf("files of two bundles: %v", got)
	}
}

func TestWriteChecksItsArguments(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(m *Manifest, segments, extra map[string][]byte)
		want   string
	}{
		"invalid manifest": {func(m *Manifest, _, _ map[string][]byte) { m.Labels = nil }, "no labels"},
		"missing segment":  {func(m *Manifest, s, _ map[string][]byte) { delete(s, m.Segments[1].ID) }, "2 segments given"},
		"other segment": {func(m *Manifest, s, _ map[string][]byte) {
			delete(s, m.Segments[1].ID)
			s["x"] = nil
		}, "is not given"},
		"changed bytes":  {func(m *Manifest, s, _ map[string][]byte) { s[m.Segments[0].ID] = []byte("stew") }, "not those that the manifest describes"},
		"extra upwards":  {func(_ *Manifest, _, e map[string][]byte) { e["../evil"] = nil }, "plain name"},
		"extra manifest": {func(_ *Manifest, _, e map[string][]byte) { e["manifest.json"] = nil }, "plain name"},
	} {
		t.Run(name, func(t *testing.T) {
			parent := t.TempDir()
			m, segments := sample()
			extra := map[string][]byte{}
			tc.change(m, segments, extra)
			wantError(t, Write(filepath.Join(parent, "b"), m, segments, extra), tc.want)
			if got := listing(t, parent); len(got) != 0 {
				t.Errorf("a refused bundle left %v", got)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	m, _ := sample()
	stem := m.Segments[0]
	for name, tc := range map[string]struct {
		damage func(dir string) error
		want   string
	}{
		"no manifest": {func(dir string) error { return os.Remove(filepath.Join(dir, "manifest.json")) }, "has no manifest.json: not a bundle"},
		"huge manifest": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "manifest.json"), make([]byte, maxManifest+1), 0o644)
		}, "larger than"},
		"missing segment": {func(dir string) error { return os.Remove(filepath.Join(dir, stem.File)) }, stem.File + " is missing"},
		"truncated segment": {func(dir string) error { return os.Truncate(filepath.Join(dir, stem.File), 3) },
			stem.File + ": 3 bytes where the manifest says 4 (file truncated? copy the bundle again)"},
		"flipped bit": {func(dir string) error { return os.WriteFile(filepath.Join(dir, stem.File), []byte("stel"), 0o644) },
			stem.File + ": sha256 differs from the manifest (file damaged? copy the bundle again)"},
		"folder for a segment": {func(dir string) error {
			if err := os.Remove(filepath.Join(dir, stem.File)); err != nil {
				return err
			}
			return os.Mkdir(filepath.Join(dir, stem.File), 0o755)
		}, "not a regular file"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "b")
			write(t, dir)
			if err := tc.damage(dir); err != nil {
				t.Fatal(err)
			}
			b, err := Open(dir)
			wantError(t, err, tc.want)
			if b != nil {
				t.Error("an error came with a bundle")
			}
		})
	}
}
