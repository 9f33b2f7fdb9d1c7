package train

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
)

func TestLossThatIsNoNumber(t *testing.T) {
	if err := finite(7, map[string]float64{"ce": 1, "from_mate": 0, "total": 2}); err != nil {
		t.Error(err)
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		err := finite(7, map[string]float64{"ce": 1, "from_mate": bad, "total": math.NaN()})
		if want := fmt.Sprintf("step 7: loss from_mate is %v", bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// Weights that are no numbers end the run, which says after which step, and from where it can go on with a lower rate. No
// checkpoint holds them.
func TestNaNStopsWithAGoodCheckpoint(t *testing.T) {
	for _, c := range []struct {
		name  string
		rate  float64
		every int // steps between checkpoints
		want  string
	}{
		{"found when a checkpoint is due", 1e39, 1, " after step 1:"}, // beyond float32: the update itself
		{"found when a metric is due", 1e20, 1000, "is NaN after step 19"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			cfg := tiny()
			cfg.Steps, cfg.Batch, cfg.Optimizer.WeightDecay = 30, 4, 0
			tr := trainer(t, cfg)
			steps(t, tr, 1)
			if err := tr.SaveCheckpoint(dir); err != nil {
				t.Fatal(err)
			}
			cfg.Optimizer.LearningRate, cfg.Optimizer.Warmup, cfg.CheckpointEvery = c.rate, 0, c.every
			err := tr.Run(context.Background(), RunOptions{Checkpoints: dir})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "lower optimizer.learning_rate") {
				t.Fatalf("got %v, want a complaint of %s and what to do", err, c.want)
			}
			names, cerr := folders(dir, checkpointPrefix)
			if cerr != nil || len(names) != 1 || !strings.Contains(err.Error(), "the newest checkpoint is "+filepath.Join(dir, names[0])) {
				t.Errorf("%v, with the checkpoints %v (%v)", err, names, cerr)
			}
			cfg.Optimizer.LearningRate = 0.001
			again := trainer(t, cfg)
			if err := again.Resume(dir); err != nil {
				t.Fatal(err)
			}
			if err := again.finiteWeights(); err != nil {
				t.Errorf("the checkpoint: %v", err)
			}
		})
	}
}

func TestCheckpointsRefuseWhatIsNotFinite(t *testing.T) {
	cfg := tiny()
	cfg.Batch = 4
	tr, dir := trainer(t, cfg), t.TempDir()
	steps(t, tr, 1)
	for v := range tr.store.IterVariables() {
		if strings.HasSuffix(v.Path(), "head/bias") {
			if err := v.SetValue(tensors.FromFlatDataAndDimensions([]float32{0, float32(math.Inf(1)), 0, 0}, 4)); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	err := tr.SaveCheckpoint(dir)
	if err == nil || !strings.Contains(err.Error(), "head/bias is +Inf after step 0") {
		t.Errorf("got %v, want a complaint of the bias", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("the folder holds %v (%v)", entries, err)
	}
}

func FuzzTrim(f *testing.F) {
	f.Add([]byte(`{"kind":"step","step":20,"losses":{"ce":1}}`+"\n"+`{"kind":"eval","step":40}`+"\n"+`{"kind":"final","step":40}`+"\n"), 20)
	f.Add([]byte(`{"kind":"step","step":20}`+"\n"+`{"kind":"st`), 20)
	f.Add([]byte("\n{}\n"), 0)
	f.Add([]byte("no metrics\n"), 3)
	f.Fuzz(func(t *testing.T, data []byte, step int) {
		once, err := trim(data, step)
		if err != nil {
			if once != nil {
				t.Errorf("%v, and yet %q", err, once)
			}
			return
		}
		if len(once) > 0 && once[len(once)-1] != '\n' {
			t.Errorf("half a last line in %q", once)
		}
		for line := range strings.Lines(string(once)) {
			if !strings.Contains("\n"+string(data), "\n"+line) {
				t.Errorf("line %q is new", line)
			}
		}
		if twice, err := trim(once, step); err != nil || string(twice) != string(once) {
			t.Errorf("trimming again gave %q from %q (%v)", twice, once, err)
		}
	})
}

func TestTrimMetrics(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.jsonl")
	if err := TrimMetrics(path, 3); err != nil {
		t.Errorf("without a file: %v", err)
	}
	lines := []string{`{"kind":"step","step":20}`, `{"kind":"eval","step":20}`, `{"kind":"step","step":40}`, `{"kind":"final","step":20}`, `{"kind":"st`}
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := TrimMetrics(path, 20); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != lines[0]+"\n"+lines[1]+"\n" {
		t.Errorf("kept %q (%v), want the first two lines", got, err)
	}
	if err := os.WriteFile(path, []byte("{}\nno metrics\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := TrimMetrics(path, 0); err == nil || !strings.Contains(err.Error(), path+": line 2") {
		t.Errorf("got %v, want a complaint of line 2", err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "{}\nno metrics\n" {
		t.Errorf("a file that is refused became %q (%v)", got, err)
	}
}
