package main

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestContentIsATable(t *testing.T) {
	var out bytes.Buffer
	found := content{Name: "garden", Labels: []string{"blackbird", "empty"}, Size: 96,
		Counts: map[string][]int{"train": {120, 7}, "validation": {30, 2}}}
	if err := found.print(&out); err != nil {
		t.Fatal(err)
	}
	want := `garden: 2 classes, 96x96 pixels
      class  train  validation
  blackbird    120          30
      empty      7           2
        all    127          32
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

// A picture that breaks off is found without training, and the command fails.
func TestDataFindsABrokenPicture(t *testing.T) {
	dir := t.TempDir()
	img := image.NewRGBA(image.Rect(0, 0, 60, 40))
	for i := range img.Pix {
		img.Pix[i] = byte(i * i)
	}
	var picture bytes.Buffer
	if err := png.Encode(&picture, img); err != nil {
		t.Fatal(err)
	}
	for _, class := range []string{"train/cat", "train/dog", "val/cat", "val/dog"} {
		if err := os.MkdirAll(filepath.Join(dir, class), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, class, "1.png"), picture.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	config := filepath.Join(dir, "run.yaml")
	text := strings.Replace(smallConfig, "data: {kind: glyphs}", "data: {kind: folder, size: 16, path: "+dir+"}", 1)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := (&dataCmd{Config: config}).Run(context.Background()); err != nil {
		t.Errorf("good pictures: %v", err)
	}
	broken := filepath.Join(dir, "val/dog/1.png")
	if err := os.WriteFile(broken, picture.Bytes()[:picture.Len()/2], 0o644); err != nil {
		t.Fatal(err)
	}
	if err := (&dataCmd{Config: config, JSON: true}).Run(context.Background()); err == nil || !strings.Contains(err.Error(), broken) {
		t.Errorf("a broken picture: %v", err)
	}
}
