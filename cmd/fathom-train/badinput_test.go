package main

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func runFiles(t *testing.T, f files, edit func(*runCmd)) error {
	t.Helper()
	cmd := runCmd{Config: f.config, Output: f.family, Metrics: f.metrics, Checkpoint: f.checkpoints, backendFlag: backendFlag{"go"}}
	if edit != nil {
		edit(&cmd)
	}
	return cmd.Run(context.Background())
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("got %v, want an error with %q", err, part)
		}
	}
}

func TestDiskFullKeepsTheOlderCheckpoint(t *testing.T) {
	f := newFiles(t, strings.Replace(smallConfig, "checkpoint_every: 2", "checkpoint_every: 1", 1))
	cmd, out := command(t, nil, f.args("--steps", "2")...)
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	before := f.checkpoint()
	// The weights of a checkpoint are larger than this, all other files smaller.
	cmd, out = command(t, []string{fileLimit + "=40000"}, f.args("--steps", "4", "--resume")...)
	if err := cmd.Run(); err == nil {
		t.Fatalf("a checkpoint was written beyond the limit: %s", out)
	}
	for _, part := range []string{"save checkpoint in " + f.checkpoints, "file too large", "the newest checkpoint is " + filepath.Join(f.checkpoints, before)} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("output has no %q: %s", part, out)
		}
	}
	if f.checkpoint() != before {
		t.Errorf("the checkpoint is %q, want %q", f.checkpoint(), before)
	}
	if err := runFiles(t, f, func(c *runCmd) { c.Resume, c.Steps = true, 4 }); err != nil {
		t.Errorf("going on with room again: %v", err)
	}
}

func TestUnwritableOutputsAreFoundAtOnce(t *testing.T) {
	f := newFiles(t, smallConfig)
	inside := filepath.Join(f.config, "inside") // a file is no folder
	for name, edit := range map[string]func(*runCmd){
		"-o":           func(c *runCmd) { c.Output = inside },
		"--checkpoint": func(c *runCmd) { c.Checkpoint = inside },
		"--metrics":    func(c *runCmd) { c.Metrics = filepath.Join(inside, "m.jsonl") },
		"--report":     func(c *runCmd) { c.Report = filepath.Join(inside, "r.html") },
	} {
		wantError(t, runFiles(t, f, edit), name+": cannot write to "+inside)
		if lines, err := os.ReadFile(f.metrics); err == nil {
			t.Errorf("%s: trained before: %s", name, lines)
		}
	}
}

func TestResumeRefusesAnotherConfiguration(t *testing.T) {
	f := newFiles(t, smallConfig)
	if err := runFiles(t, f, nil); err != nil {
		t.Fatal(err)
	}
	wantError(t, runFiles(t, f, nil), f.checkpoints, "--resume")
	other := strings.Replace(smallConfig, "stem: 16", "stem: 24", 1)
	if err := os.WriteFile(f.config, []byte(other), 0o644); err != nil {
		t.Fatal(err)
	}
	wantError(t, runFiles(t, f, func(c *runCmd) { c.Resume = true }), "configuration's net is not that of the checkpoint")
	if f.checkpoint() == "" {
		t.Error("the checkpoint is gone")
	}
}

// A picture that breaks off shows in the first epoch: the run names it, and goes on when it was replaced.
func TestUnreadableImageInTheMiddle(t *testing.T) {
	dir := t.TempDir()
	picture := func(name string, shade byte) string {
		img := image.NewGray(image.Rect(0, 0, 20, 20))
		for i := range img.Pix {
			img.Pix[i] = byte(i*7) ^ shade
		}
		img.SetGray(0, 0, color.Gray{shade})
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	broken := ""
	for i := range 12 {
		name := "0123456789ab"[i:i+1] + ".png"
		picture("train/cat/"+name, byte(i))
		broken = picture("train/dog/"+name, byte(200+i))
	}
	picture("val/cat/1.png", 1)
	picture("val/dog/1.png", 201)
	whole, err := os.ReadFile(broken)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(broken, whole[:len(whole)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	config := strings.NewReplacer("{kind: glyphs}", "{kind: folder, size: 16, path: "+dir+"}", "checkpoint_every: 2", "checkpoint_every: 1",
		"batch: 8", "batch: 2", "steps: 4", "steps: 12").Replace(smallConfig)
	f := newFiles(t, config)
	wantError(t, runFiles(t, f, nil), broken, "checkpoint")
	if err := os.WriteFile(broken, whole, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := runFiles(t, f, func(c *runCmd) { c.Resume = true }); err != nil {
		t.Errorf("after the file was replaced: %v", err)
	}
}
