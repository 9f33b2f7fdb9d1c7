package main

import (
	"context"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/fathom-edge/fathom/convert/family"
	"github.com/fathom-edge/fathom/glyphs"
)

func TestGlyphsWritesTheSamples(t *testing.T) {
	dir := t.TempDir()
	const count = 40
	if err := (&glyphsCmd{Split: "validation", Count: count, Output: dir}).Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	g, err := glyphs.New()
	if err != nil {
		t.Fatal(err)
	}
	rgb := make([]byte, glyphs.SampleBytes)
	const index = 37
	label := g.Sample(glyphs.Validation, index, rgb)
	f, err := os.Open(filepath.Join(dir, glyphs.Labels[label], "000037.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	for p := range glyphs.Size * glyphs.Size {
		r, g, b, _ := img.At(p%glyphs.Size, p/glyphs.Size).RGBA()
		if byte(r>>8) != rgb[3*p] || byte(g>>8) != rgb[3*p+1] || byte(b>>8) != rgb[3*p+2] {
			t.Fatalf("pixel %d differs from the sample", p)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.png"))
	if err != nil || len(files) != count {
		t.Errorf("%d files (%v), want %d", len(files), err, count)
	}
}

const smallConfig = `
name: small
seed: 1
data: {kind: glyphs}
net: {stem: 16, channels: [16], leader: 1, a: [1, 0], b: [1]}
loss:
  ce: 1
  sub_ce: 0.3
  from_leader: {weight: 1, temperature: 2}
  from_mate: {weight: 0.5, temperature: 2}
  from_teammate: {weight: 1, temperature: 2}
optimizer: {learning_rate: 0.003, weight_decay: 0.01, warmup: 2}
batch: 8
steps: 4
eval: {every: 2, samples: 10, final: 20, recalibrate: 2}
checkpoint_every: 2
`

func TestRunWritesAFamilyAndResumes(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "small.yaml")
	if err := os.WriteFile(config, []byte(smallConfig), 0o644); err != nil {
		t.Fatal(err)
	}
	metrics := filepath.Join(dir, "metrics.jsonl")
	run := runCmd{Config: config, Output: filepath.Join(dir, "family"), Metrics: metrics, Checkpoint: filepath.Join(dir, "checkpoints"), backendFlag: backendFlag{"go"}}
	if err := run.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	run.Steps, run.Resume = 6, true
	if err := run.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	f, err := family.Read(run.Output)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, v := range f.Variants {
		names = append(names, v.Name)
	}
	if got := strings.Join(names, " "); got != "a-1 a-0 b-1" {
		t.Errorf("variants %s, want a-1 a-0 b-1", got)
	}
	lines, err := os.ReadFile(metrics)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(lines), `"kind":"final","step":6`) {
		t.Errorf("metrics have no final line of step 6:\n%s", lines)
	}
	run.Checkpoint = ""
	if err := run.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "--checkpoint") {
		t.Errorf("resume without a folder gave %v", err)
	}
}

func TestEveryCommandHasAnExample(t *testing.T) {
	k, err := kong.New(&cli{}, kong.Name("fathom-train"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range k.Model.Children {
		if !strings.Contains(c.Detail, "Example:\n\n  fathom-train "+c.Name+" ") {
			t.Errorf("%s --help has no example: %q", c.Name, c.Detail)
		}
	}
}
