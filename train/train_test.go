package train

import (
	"context"
	"errors"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/fathom-edge/fathom/convert/family"
	"github.com/fathom-edge/fathom/convert/onnx"
	"github.com/fathom-edge/fathom/convert/reference"
	"github.com/fathom-edge/fathom/runtime/preprocess"
	"github.com/fathom-edge/fathom/train/arch"
	"github.com/fathom-edge/fathom/train/dataset"
	"github.com/fathom-edge/fathom/train/fastcpu"
)

// blobs is a dataset of four classes that a net learns within a few steps: a bright quarter on noise.
type blobs struct{}

const blobSize = 32

func (blobs) Name() string          { return "blobs" }
func (blobs) Labels() []string      { return []string{"nw", "ne", "sw", "se"} }
func (blobs) Len(dataset.Split) int { return dataset.Endless }
func (blobs) Spec() preprocess.Spec {
	return preprocess.Spec{Width: blobSize, Height: blobSize, Channels: "RGB", Fit: preprocess.FitCrop,
		Mean: [3]float32{0.5, 0.5, 0.5}, Std: [3]float32{0.25, 0.25, 0.25}}
}

func (blobs) Sample(split dataset.Split, index int, dst *image.RGBA) (int, error) {
	*dst = *image.NewRGBA(image.Rect(0, 0, blobSize, blobSize))
	r := rand.New(rand.NewPCG(uint64(index), uint64(split)))
	label := r.IntN(4)
	for y := range blobSize {
		for x := range blobSize {
			v := r.IntN(128)
			if x/(blobSize/2)+2*(y/(blobSize/2)) == label {
				v += 100
			}
			dst.SetRGBA(x, y, color.RGBA{byte(v), byte(v / 2), byte(255 - v), 255})
		}
	}
	return label, nil
}

func tiny() *Config {
	return &Config{Name: "tiny", Seed: 3, Data: dataset.Config{Kind: dataset.KindGlyphs},
		Net:       Net{Config: arch.Config{Stem: 16, Channels: []int{16, 32}}, Leader: Depth{2, 2}, A: []Depth{{2, 1}, {1, 0}}, B: []Depth{{2, 2}, {1, 1}}},
		Loss:      Loss{CE: 1, SubCE: 0.3, FromLeader: Distillation{1, 2}, FromMate: Distillation{0.5, 2}, FromTeammate: Distillation{1, 2}},
		Optimizer: Optimizer{LearningRate: 0.003, WeightDecay: 0.01, Warmup: 3},
		Batch:     16, Steps: 30, Eval: Eval{Every: 1000, Samples: 40, Final: 40, Recalibrate: 3}, CheckpointEvery: 1000}
}

func trainer(t testing.TB, cfg *Config) *Trainer {
	t.Helper()
	backend, err := fastcpu.New()
	if err != nil {
		t.Fatal(err)
	}
	tr, err := NewTrainer(cfg, backend, blobs{})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func steps(t testing.TB, tr *Trainer, n int) (losses []float64) {
	t.Helper()
	l, err := dataset.NewLoader(blobs{}, dataset.Options{Batch: tr.cfg.Batch})
	if err != nil {
		t.Fatal(err)
	}
	for b, err := range l.Train(context.Background(), tr.Step()) {
		if err != nil {
			t.Fatal(err)
		}
		values, err := tr.learnBatch(tr.Step(), b)
		if err != nil {
			t.Fatal(err)
		}
		if losses = append(losses, values["total"]); len(losses) == n {
			break
		}
	}
	return losses
}

// architectures, each as small as it can be and still learn.
var architectures = []struct {
	name string
	edit func(*Net)
}{
	{"resnet", func(*Net) {}},
	{"mobilenetv2", func(n *Net) { n.Kind, n.Expand = "mobilenetv2", 2 }},
	{"vit", func(n *Net) { n.Kind, n.StemStride, n.Heads, n.Channels = "vit", 8, 2, []int{16, 16} }},
}

func TestEveryArchitectureLowersTheLoss(t *testing.T) {
	for _, a := range architectures[1:] { // resnet has a test of its own
		t.Run(a.name, func(t *testing.T) {
			cfg := tiny()
			a.edit(&cfg.Net)
			cfg.Optimizer.LearningRate = 0.01
			losses := steps(t, trainer(t, cfg), 20)
			if first, last := losses[0], losses[len(losses)-1]; last > 0.8*first {
				t.Errorf("loss went from %v to %v, want a fall by 20 %%", first, last)
			}
		})
	}
}

func TestTrainingLowersTheLossAndBeatsChance(t *testing.T) {
	tr := trainer(t, tiny())
	losses := steps(t, tr, 30)
	if first, last := losses[0], losses[len(losses)-1]; last > 0.6*first {
		t.Errorf("loss went from %v to %v, want a fall by 40 %%", first, last)
	}
	if err := tr.recalibrate(5); err != nil {
		t.Fatal(err)
	}
	top1, err := tr.Evaluate(tr.cfg.Paths(), dataset.Validation, 130)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range tr.cfg.Paths() {
		if top1[i] < 0.6 {
			t.Errorf("%s: top-1 %.2f, want well above chance (0.25)", p, top1[i])
		}
	}
}

func TestResumeGivesTheSameNextLoss(t *testing.T) {
	dir := t.TempDir()
	tr := trainer(t, tiny())
	steps(t, tr, 3)
	if err := tr.SaveCheckpoint(dir); err != nil {
		t.Fatal(err)
	}
	steps(t, tr, 1)
	if err := tr.SaveCheckpoint(dir); err != nil {
		t.Fatal(err)
	}
	want := steps(t, tr, 2)

	resumed := trainer(t, tiny())
	if err := resumed.Resume(dir); err != nil {
		t.Fatal(err)
	}
	if resumed.Step() != 4 {
		t.Fatalf("resumed at step %d, want 4", resumed.Step())
	}
	if diff := cmp.Diff(want, steps(t, resumed, 2)); diff != "" {
		t.Errorf("losses after resuming (-want +got):\n%s", diff)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(names) != 1 {
		t.Errorf("folder holds %v (%v), want the newest checkpoint alone", names, err)
	}
	if err := trainer(t, tiny()).Resume(t.TempDir()); err == nil {
		t.Error("resumed from an empty folder")
	}
}

func TestRunStopsWithACheckpointAndGoesOn(t *testing.T) {
	cfg := tiny()
	cfg.Steps, cfg.Eval.Every = 6, 3
	dir := t.TempDir()
	tr := trainer(t, cfg)
	ctx, cancel := context.WithCancel(context.Background())
	err := tr.Run(ctx, RunOptions{Checkpoints: dir, Progress: func(p Progress) {
		if p.Step == 2 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want a cancelled run", err)
	}
	again := trainer(t, cfg)
	if err := again.Resume(dir); err != nil {
		t.Fatal(err)
	}
	var metrics strings.Builder
	if err := again.Run(context.Background(), RunOptions{Metrics: &metrics}); err != nil {
		t.Fatal(err)
	}
	if again.Step() != 6 || !strings.Contains(metrics.String(), `"kind":"eval","step":3`) {
		t.Errorf("ended at step %d with metrics %s, want step 6 and a measurement at step 3", again.Step(), metrics.String())
	}
}

func TestExportEqualsTrainer(t *testing.T) {
	cases := slices.Clone(architectures)
	for name, edit := range map[string]func(*Net){
		"stem of stride 4":        func(n *Net) { n.StemStride = 4 },
		"per-depth normalization": func(n *Net) { n.Norm = PerDepth },
		"per-stage normalization": func(n *Net) { n.Norm = PerStage },
	} {
		cases = append(cases, architectures[0])
		cases[len(cases)-1].name, cases[len(cases)-1].edit = name, edit
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cfg := tiny()
			cfg.Batch = 4
			c.edit(&cfg.Net)
			testExport(t, cfg, c.name)
		})
	}
}

func testExport(t *testing.T, cfg *Config, name string) {
	tr := trainer(t, cfg)
	steps(t, tr, 4)
	report, err := tr.Finish(nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := tr.Export(dir, cfg.Deployed(), report); err != nil {
		t.Fatal(err)
	}
	f, err := family.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	l, err := dataset.NewLoader(blobs{}, dataset.Options{Batch: 1})
	if err != nil {
		t.Fatal(err)
	}
	var image []float32
	for b, err := range l.Evaluate(context.Background(), dataset.Validation, 1) {
		if err != nil {
			t.Fatal(err)
		}
		image = slices.Clone(b.Images)
	}
	logits, err := tr.infer(cfg.Paths())
	if err != nil {
		t.Fatal(err)
	}
	out, err := logits.Call(tensors.FromFlatDataAndDimensions(image, 1, blobSize, blobSize, 3))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]float32{}
	for i, p := range cfg.Paths() {
		want[p.String()] = tensors.MustCopyFlatData[float32](out[i])
	}
	nchw, _ := permute(image, []int{blobSize, blobSize, 3}, 2, 0, 1)
	if len(f.Variants) != 4 {
		t.Fatalf("%d variants, want 4", len(f.Variants))
	}
	for _, v := range f.Variants {
		m, err := onnx.Load(filepath.Join(dir, v.Model))
		if err != nil {
			t.Fatal(err)
		}
		got, err := reference.Run(m, map[string]reference.Tensor{"input": {Shape: []int{1, 3, blobSize, blobSize}, Data: nchw}})
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range want[v.Name] {
			if g := got["logits"].Data[i]; math.Abs(float64(g-w)) > 1e-4 {
				t.Errorf("%s: logit %d is %v in ONNX, %v in the trainer", v.Name, i, g, w)
			}
		}
		if cases := os.Getenv("FATHOM_ONNX_CASES"); cases != "" {
			writeCase(t, filepath.Join(cases, strings.ReplaceAll(name, " ", "-")+"--"+v.Name), dir, v.Model, nchw, want[v.Name])
		}
		if len(v.Accuracy) != 2 || v.Accuracy[0].Split != "validation" || v.Accuracy[1].Split != "test" || v.Accuracy[1].Samples != 40 {
			t.Errorf("%s: accuracy %+v, want validation and test on 40 samples", v.Name, v.Accuracy)
		}
	}
}

// writeCase writes a variant with an input and the trainer's output in the layout of ONNX's backend tests, for
// scripts/bench-onnx.
func writeCase(t *testing.T, dir, from, model string, input, output []float32) {
	t.Helper()
	set := filepath.Join(dir, "test_data_set_0")
	if err := os.MkdirAll(set, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(path string, data []byte, err error) {
		if err == nil {
			err = os.WriteFile(path, data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for old, name := range map[string]string{model: "model.onnx", weightsFile: weightsFile} {
		data, err := os.ReadFile(filepath.Join(from, old))
		write(filepath.Join(dir, name), data, err)
	}
	data, err := proto.Marshal(onnx.FloatTensor(inputName, []int64{1, 3, blobSize, blobSize}, input))
	write(filepath.Join(set, "input_0.pb"), data, err)
	data, err = proto.Marshal(onnx.FloatTensor(outputName, []int64{1, int64(len(output))}, output))
	write(filepath.Join(set, "output_0.pb"), data, err)
}

// logSoftmax at temperature T, in float64.
func logSoftmax(v []float64, temperature float64) []float64 {
	sum := 0.0
	for _, x := range v {
		sum += math.Exp(x / temperature)
	}
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = x/temperature - math.Log(sum)
	}
	return out
}

func TestObjectiveEqualsHandComputation(t *testing.T) {
	logits := [][]float64{{1, 2, -1}, {0.5, 0, 1}, {-1, 1, 2}, {2, 0, 0}, {0, 3, 1}} // l, a, a-sub, b, b-sub; one sample
	const label, temperature = 1, 2.0
	ce := func(i int) float64 { return -logSoftmax(logits[i], 1)[label] }
	kl := func(teacher, student int) float64 {
		p, q, sum := logSoftmax(logits[teacher], temperature), logSoftmax(logits[student], temperature), 0.0
		for i := range p {
			sum += math.Exp(p[i]) * (p[i] - q[i])
		}
		return temperature * temperature * sum
	}
	want := map[string]float64{
		"ce": ce(0) + ce(1) + ce(3), "sub_ce": ce(2) + ce(4),
		"from_leader": kl(0, 1) + kl(0, 3), "from_mate": kl(1, 3) + kl(3, 1), "from_teammate": kl(1, 2) + kl(3, 4),
	}
	weights := Loss{CE: 1, SubCE: 0.3, FromLeader: Distillation{0.7, temperature}, FromMate: Distillation{0.5, temperature},
		FromTeammate: Distillation{0.9, temperature}}
	wantTotal := want["ce"] + 0.3*want["sub_ce"] + 0.7*want["from_leader"] + 0.5*want["from_mate"] + 0.9*want["from_teammate"]

	var names []string
	got := objective(t, weights, logits, label, func(in []*graph.Node, terms []Term) []*graph.Node {
		out := []*graph.Node{Total(terms, graph.Const(in[0].Graph(), float32(1)))}
		for _, term := range terms {
			names = append(names, term.Name)
			out = append(out, term.Value)
		}
		return out
	})
	if math.Abs(float64(got[0][0])-wantTotal) > 1e-5 {
		t.Errorf("total is %v, want %v", got[0][0], wantTotal)
	}
	if len(names) != len(want) {
		t.Errorf("terms %v, want %d of them", names, len(want))
	}
	for i, name := range names {
		if math.Abs(float64(got[i+1][0])-want[name]) > 1e-5 {
			t.Errorf("%s is %v, want %v", name, got[i+1][0], want[name])
		}
	}
}

// objective evaluates f on a graph of the given logits: l, a, a-sub, b, b-sub.
func objective(t *testing.T, w Loss, logits [][]float64, label int32, f func(in []*graph.Node, terms []Term) []*graph.Node) [][]float32 {
	t.Helper()
	backend, err := fastcpu.New()
	if err != nil {
		t.Fatal(err)
	}
	target := make([]float32, len(logits[0]))
	target[label] = 1
	args := []any{tensors.FromFlatDataAndDimensions(target, 1, len(target))}
	for _, l := range logits {
		row := make([]float32, len(l))
		for i, v := range l {
			row[i] = float32(v)
		}
		args = append(args, tensors.FromFlatDataAndDimensions(row, 1, len(row)))
	}
	out, err := graph.CallOnceN(backend, func(in []*graph.Node) []*graph.Node {
		targets, in := in[0], in[1:]
		return f(in, Objective(Outputs{Leader: in[0], A: in[1:3], B: in[3:5]}, targets, w))
	}, args...)
	if err != nil {
		t.Fatal(err)
	}
	var flat [][]float32
	for _, o := range out {
		flat = append(flat, tensors.MustCopyFlatData[float32](o))
	}
	return flat
}

var distilling = Loss{FromLeader: Distillation{1, 2}, FromMate: Distillation{1, 2}, FromTeammate: Distillation{1, 2}}

func TestTeachersAreDetached(t *testing.T) {
	logits := [][]float64{{1, 2, -1}, {0.5, 0, 1}, {-1, 1, 2}, {2, 0, 0}, {0, 3, 1}}
	students := map[string][]bool{ // which of l, a, a-sub, b, b-sub a term may move
		"ce": {true, true, false, true, false}, "sub_ce": {false, false, true, false, true},
		"from_leader": {false, true, false, true, false}, "from_mate": {false, true, false, true, false},
		"from_teammate": {false, false, true, false, true},
	}
	for name, want := range students {
		t.Run(name, func(t *testing.T) {
			grads := objective(t, distilling, logits, 0, func(in []*graph.Node, terms []Term) []*graph.Node {
				for _, term := range terms {
					if term.Name == name {
						return graph.Gradient(term.Value, in...)
					}
				}
				t.Fatalf("no term %s", name)
				return nil
			})
			for i, g := range grads {
				moves := false
				for _, v := range g {
					moves = moves || v != 0
				}
				if moves != want[i] {
					t.Errorf("gradient of output %d is %v, want non-zero: %v", i, g, want[i])
				}
			}
		})
	}
	// From A <-> B, the gradient of A is that of KL(p_B | p_A) with B fixed: T (softmax(a/T) - softmax(b/T)).
	grads := objective(t, distilling, logits, 0, func(in []*graph.Node, terms []Term) []*graph.Node {
		i := slices.IndexFunc(terms, func(t Term) bool { return t.Name == "from_mate" })
		return graph.Gradient(terms[i].Value, in[1])
	})
	a, b := logSoftmax(logits[1], 2), logSoftmax(logits[3], 2)
	for i := range a {
		if want := 2 * (math.Exp(a[i]) - math.Exp(b[i])); math.Abs(float64(grads[0][i])-want) > 1e-5 {
			t.Errorf("gradient %d of A is %v, want %v", i, grads[0][i], want)
		}
	}
}
