package train

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/fathom-edge/fathom/train/dataset"
	"github.com/fathom-edge/fathom/train/fastcpu"
)

// exampleTrainer is a trainer of an example, with drawn images in place of the files that nobody has here.
func exampleTrainer(t testing.TB, path string) *Trainer {
	t.Helper()
	cfg, err := LoadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Data = dataset.Config{Kind: dataset.KindGlyphs, Size: cfg.Data.Size}
	data, err := dataset.Open(cfg.Data)
	if err != nil {
		t.Fatal(err)
	}
	backend, err := fastcpu.New()
	if err != nil {
		t.Fatal(err)
	}
	tr, err := NewTrainer(cfg, backend, data)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func examples(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("examples/*.yaml")
	if err != nil || len(paths) < 7 {
		t.Fatalf("examples %v (%v), want 7 at least", paths, err)
	}
	return paths
}

// Every example is a valid configuration, whose ladder of deployed depths begins at a fraction of its deepest.
func TestExamples(t *testing.T) {
	kinds := map[string]bool{}
	for _, path := range examples(t) {
		tr := exampleTrainer(t, path)
		if want := strings.TrimSuffix(filepath.Base(path), ".yaml"); tr.cfg.Name != want {
			t.Errorf("%s: name %q, want %q", path, tr.cfg.Name, want)
		}
		least, most := int64(0), int64(0)
		for _, p := range tr.cfg.Deployed() {
			macs := tr.Cost(p).MACs()
			if least == 0 || macs < least {
				least = macs
			}
			most = max(most, macs)
		}
		if least*3 > most*2 {
			t.Errorf("%s: from %d to %d MACs is not much of a ladder", path, least, most)
		}
		s := tr.data.Spec()
		kinds[tr.cfg.Net.Kind+map[bool]string{true: " small", false: " at 224"}[s.Width < 224]] = true
		t.Logf("%s: %dx%d, %.1f to %.1f million MACs, training %.1f", path, s.Width, s.Height, float64(least)/1e6, float64(most)/1e6, float64(tr.TrainingMACs())/1e6)
	}
	for _, arch := range []string{"resnet", "mobilenetv2", "vit"} {
		for _, size := range []string{" small", " at 224"} {
			if !kinds[arch+size] {
				t.Errorf("no example of %s%s", arch, size)
			}
		}
	}
}

// BenchmarkExamples times steps of small batches, at 32x32 to 224x224.
func BenchmarkExamples(b *testing.B) {
	for _, path := range examples(b) {
		b.Run(filepath.Base(path), func(b *testing.B) {
			tr := exampleTrainer(b, path)
			tr.cfg.Batch = 2
			loader, err := dataset.NewLoader(tr.data, dataset.Options{Batch: tr.cfg.Batch})
			if err != nil {
				b.Fatal(err)
			}
			step := 0
			for batch, err := range loader.Train(b.Context(), 0) {
				if err != nil {
					b.Fatal(err)
				}
				if _, err := tr.learnBatch(step, batch); err != nil {
					b.Fatal(err)
				}
				if step == 0 {
					b.ResetTimer() // the first builds the graph
				}
				if step++; step > b.N {
					break
				}
			}
			b.ReportMetric(float64(b.N*tr.cfg.Batch)/b.Elapsed().Seconds(), "images/s")
		})
	}
}
