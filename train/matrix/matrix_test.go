package matrix

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fathom-edge/fathom/internal/results"
	"github.com/fathom-edge/fathom/train"
	"github.com/fathom-edge/fathom/train/arch"
	"github.com/fathom-edge/fathom/train/dataset"
	"github.com/fathom-edge/fathom/train/fastcpu"
)

func measured(path string, trained bool, macs int64, validation, test float64) Measured {
	return Measured{Path: path, Trained: trained, MACs: macs, Top1: map[string]float64{"validation": validation, "test": test},
		Samples: map[string]int{"validation": 100, "test": 100}}
}

// madeUp is two seeds of a comparison of two depths, in numbers that are easy to follow.
func madeUp() []*Result {
	var list []*Result
	for seed, more := range map[uint64]float64{1: 0, 2: 0.02} {
		list = append(list,
			&Result{Method: Cooperative, Seed: seed, TrainingMACs: 130, Paths: []Measured{
				measured("l-2", true, 100, 0.95+more, 0.9+more), measured("a-2", true, 100, 0.9+more, 0.8+more),
				measured("b-1", true, 20, 0.7, 0.6)}},
			&Result{Method: Embedded, Seed: seed, Paths: []Measured{measured("a-2", true, 100, 0.9, 0.79), measured("a-1", true, 20, 0.7, 0.58)}},
			&Result{Method: Extremes, Seed: seed, Paths: []Measured{measured("a-2", true, 100, 0.9, 0.78), measured("a-1", true, 20, 0.7, 0.5)}},
			&Result{Method: Alone + "2", Seed: seed, TrainingMACs: 100, Paths: []Measured{measured("a-2", true, 100, 0.9, 0.79), measured("a-1", false, 20, 0.2, 0.1)}},
			&Result{Method: Alone + "1", Seed: seed, TrainingMACs: 60, Paths: []Measured{measured("a-1", true, 20, 0.7, 0.62)}})
	}
	return list
}

var near = cmpopts.EquateApprox(0, 1e-9)

func TestPoints(t *testing.T) {
	list := []*Result{madeUp()[0], {Method: Alone + "2", Seed: 1, Paths: []Measured{measured("a-1", false, 20, 0.2, 0.1), measured("a-2", true, 100, 0.9, 0.79)}}}
	list[0].Seed = 1
	list[0].Paths = []Measured{measured("b-1", true, 20, 0.7, 0.6), measured("l-2", true, 100, 0.95, 0.9)}
	again := *list[0]
	again.Seed, again.Paths = 2, []Measured{measured("b-1", true, 20, 0.8, 0.7), {Path: "l-2", Top1: map[string]float64{"validation": 1}}}
	got := Points(append(list, &again), "test")
	want := []Point{
		{Cooperative, "l-2", "2", 100, []float64{90}, []uint64{1}},
		{Cooperative, "b-1", "1", 20, []float64{60, 70}, []uint64{1, 2}},
		{Truncated, "a-1", "1", 20, []float64{10}, []uint64{1}},
		{Alone + "2", "a-2", "2", 100, []float64{79}, []uint64{1}},
	}
	if diff := cmp.Diff(want, got, near); diff != "" {
		t.Errorf("points (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[1:], Deployed(got), near); diff != "" {
		t.Errorf("deployed (-want +got):\n%s", diff)
	}
	if got, want := want[1].String(), "65.00 ± 7.07"; got != want {
		t.Errorf("mean and deviation %s, want %s", got, want)
	}
	if sd := want[0].SD(); sd != 0 {
		t.Errorf("deviation of one seed is %v", sd)
	}
}

func TestDifferencesArePairedBySeed(t *testing.T) {
	a := Point{Top1: []float64{80, 82, 90}, Seeds: []uint64{1, 2, 5}}
	b := Point{Top1: []float64{70, 79, 60}, Seeds: []uint64{2, 1, 7}}
	if diff := cmp.Diff([]float64{1, 12}, Differences(a, b), near); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
}

func TestTable(t *testing.T) {
	got := Table(Points([]*Result{
		{Method: Cooperative, Seed: 1, Paths: []Measured{measured("l-2", true, 100e6, 0, 0.9), measured("a-2", true, 100e6, 0, 0.8), measured("b-1", true, 20e6, 0, 0.6)}},
		{Method: Alone + "2", Seed: 1, Paths: []Measured{measured("a-2", true, 100e6, 0, 0.79)}},
		{Method: Alone + "1", Seed: 1, Paths: []Measured{measured("a-1", true, 20e6, 0, 0.62)}},
	}, "test"))
	want := `| depth | million MACs | cooperative | alone |
|---|---:|---:|---:|
| 2 (Leader) | 100.00 | 90.00 ± 0.00 | – |
| 2 | 100.00 | 80.00 ± 0.00 | 79.00 ± 0.00 |
| 1 | 20.00 | 60.00 ± 0.00 | 62.00 ± 0.00 |
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestRows(t *testing.T) {
	type number struct {
		ID      string
		Value   float64
		Verdict string
		Samples int
	}
	var got []number
	for _, r := range Rows(madeUp(), "command", "machine") {
		got = append(got, number{r.ID, r.Value, r.Verdict(), len(r.Samples)})
	}
	want := []number{
		{"cooperative/a-2", 81, "", 2}, {"cooperative/b-1", 60, "", 2},
		{"above-alone/a-2", 2, "holds", 2}, {"above-alone/b-1", -2, "does not hold", 2},
		{"above-embedded/b-1", 2, "holds", 2},
		{"above-extremes/a-2", 3, "", 2}, {"above-extremes/b-1", 10, "", 2},
		{"above-truncated/b-1", 50, "", 2},
		{"shallowest-macs", 20, "holds", 1},
		{"rise/a-2", 21, "holds", 2},
		{"training-macs", 130.0 / 160, "holds", 1},
	}
	sorted := cmpopts.SortSlices(func(a, b number) bool { return a.ID < b.ID })
	if diff := cmp.Diff(want, got, near, sorted); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	file := filepath.Join(t.TempDir(), "rows.json")
	if err := results.Merge(file, Rows(madeUp(), "command", "machine")); err != nil {
		t.Error(err)
	}
	if rows := Rows(nil, "command", "machine"); len(rows) != 0 {
		t.Errorf("rows of nothing: %v", rows)
	}
}

func TestAblationRows(t *testing.T) {
	var list []*Result
	for seed, more := range map[uint64]float64{1: 0.01, 2: 0.03} {
		list = append(list, &Result{Method: Cooperative, Seed: seed, Paths: []Measured{measured("l-2", true, 1, 0.1, 0), measured("a-2", true, 1, 0.8, 0), measured("b-1", true, 1, 0.6, 0)}},
			&Result{Method: "without-x", Seed: seed, Paths: []Measured{measured("l-2", true, 1, 0.9, 0), measured("a-2", true, 1, 0.8-more, 0), measured("b-1", true, 1, 0.6-3*more, 0)}})
	}
	rows := AblationRows(list, "command", "machine")
	if len(rows) != 1 || rows[0].ID != "ablation/without-x" || math.Abs(rows[0].Value+4) > 1e-9 || len(rows[0].Samples) != 2 {
		t.Errorf("rows %+v, want one of -4 points over two seeds", rows)
	}
}

func base() *train.Config {
	d := train.Distillation{Weight: 1, Temperature: 2}
	return &train.Config{Name: "small", Seed: 1, Data: dataset.Config{Kind: dataset.KindGlyphs},
		Net:  train.Net{Config: arch.Config{Stem: 8, StemStride: 4, Channels: []int{8, 8}}, Leader: train.Depth{3, 3}, A: []train.Depth{{3, 3}, {1, 1}}, B: []train.Depth{{2, 2}}},
		Loss: train.Loss{CE: 1, SubCE: 1, FromLeader: d, FromMate: d, FromTeammate: d}, Optimizer: train.Optimizer{LearningRate: 0.01},
		Batch: 4, Steps: 3, Eval: train.Eval{Every: 10, Samples: 10, Final: 20}, CheckpointEvery: 1}
}

func TestCompareCells(t *testing.T) {
	type cell struct {
		Name, Leader, A, B, Norm, Extra string
		Loss                            train.Loss
	}
	join := func(depths []train.Depth) string {
		var s []string
		for _, d := range depths {
			s = append(s, d.String())
		}
		return strings.Join(s, " ")
	}
	cells, err := Compare(base(), 7)
	if err != nil {
		t.Fatal(err)
	}
	var got []cell
	for _, c := range cells {
		var extra []train.Depth
		for _, p := range c.Extra {
			extra = append(extra, p.Depth)
		}
		n := c.Config.Net
		got = append(got, cell{c.Name(), n.Leader.String(), join(n.A), join(n.B), string(n.Norm), join(extra), c.Config.Loss})
		same := *c.Config
		same.Net, same.Loss, same.Seed = base().Net, base().Loss, 1
		if diff := cmp.Diff(base(), &same); diff != "" {
			t.Errorf("%s differs in more than nets and loss:\n%s", c.Name(), diff)
		}
	}
	want := []cell{
		{"cooperative-seed7", "3-3", "3-3 1-1", "2-2", "", "", base().Loss},
		{"embedded-seed7", "", "3-3 2-2 1-1", "", "", "", train.Loss{CE: 1, FromTeammate: train.Distillation{Weight: 0.5, Temperature: 1}}},
		{"extremes-seed7", "", "3-3 2-2", "", "per-stage", "3-2 2-3", train.Loss{CE: 0.5, FromTeammate: train.Distillation{Weight: 0.5, Temperature: 1}}},
		{"alone-3-3-seed7", "", "3-3", "", "", "2-2 1-1", train.Loss{CE: 1}},
		{"alone-2-2-seed7", "", "2-2", "", "", "", train.Loss{CE: 1}},
		{"alone-1-1-seed7", "", "1-1", "", "", "", train.Loss{CE: 1}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cells (-want +got):\n%s", diff)
	}
	crossed := base()
	crossed.Net.B = []train.Depth{{1, 3}, {0, 2}}
	if _, err := Compare(crossed, 1); err == nil || !strings.Contains(err.Error(), "is not within") {
		t.Errorf("depths that do not lie one in another gave %v", err)
	}
}

func TestAblateChangesOneThing(t *testing.T) {
	seen := map[string]bool{}
	for i, c := range Ablate(base(), 1) {
		if seen[c.Name()] {
			t.Errorf("%s stands twice", c.Name())
		}
		seen[c.Name()] = true
		if changed := !equal(c.Config, base()); changed != (i > 0) {
			t.Errorf("%s: changed is %v", c.Name(), changed)
		}
	}
}

func TestRunResumesAndRefusesAnotherConfiguration(t *testing.T) {
	dir := t.TempDir()
	trained := map[string]int{}
	var done []string
	o := Options{Dir: filepath.Join(dir, "cells"), Checkpoints: filepath.Join(dir, "checkpoints"), Jobs: 1, Backend: func() (compute.Backend, error) { return fastcpu.New() },
		Progress: func(c Cell, _ train.Progress) { trained[c.Name()]++ }, Done: func(c Cell, _ *Result) { done = append(done, c.Name()) }}
	cells := []Cell{{Method: "one", Config: base(), Extra: []train.Path{{Net: "A", Depth: train.Depth{1, 0}}}}, {Method: "two", Config: base()}}

	// Ended in the second cell.
	ctx, cancel := context.WithCancel(context.Background())
	stopping := o
	stopping.Progress = func(c Cell, p train.Progress) {
		if o.Progress(c, p); c.Method == "two" {
			cancel()
		}
	}
	if _, err := Run(ctx, cells, stopping); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want a cancelled run", err)
	}
	list, err := Run(context.Background(), cells, o)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"one-seed1": 3, "two-seed1": 3}, trained); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"one-seed1", "one-seed1", "two-seed1"}, done); diff != "" {
		t.Errorf("told of (-want +got):\n%s", diff)
	}
	var paths []string
	for _, m := range list[0].Paths {
		paths = append(paths, m.Path)
		if m.Samples["test"] != 20 || m.MACs == 0 {
			t.Errorf("%+v: want 20 samples of the test split, and MACs", m)
		}
	}
	if diff := cmp.Diff([]string{"l-3-3", "a-3-3", "a-1-1", "b-2-2", "a-1-0"}, paths); diff != "" {
		t.Errorf("measured (-want +got):\n%s", diff)
	}
	if left, err := os.ReadDir(o.Checkpoints); err != nil || len(left) > 0 {
		t.Errorf("checkpoints left: %v (%v)", left, err)
	}

	other := base()
	other.Loss.SubCE = 0.5
	_, err = Run(context.Background(), []Cell{{Method: "one", Config: other}}, o)
	if err == nil || !strings.Contains(err.Error(), "one-seed1.json is the result of another configuration") {
		t.Errorf("got %v, want a refusal", err)
	}
	// And so is a checkpoint, even of one that differs in the steps alone.
	if err := os.Remove(filepath.Join(o.Dir, "two-seed1.json")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithCancel(context.Background())
	defer cancel()
	if _, err := Run(ctx, cells[1:], stopping); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want a cancelled run", err)
	}
	longer := base()
	longer.Steps = 9
	_, err = Run(context.Background(), []Cell{{Method: "two", Config: longer}}, o)
	if err == nil || !strings.Contains(err.Error(), "two-seed1 is of another configuration") {
		t.Errorf("got %v, want a refusal", err)
	}
}

func TestPlotsAreWritten(t *testing.T) {
	dir := t.TempDir()
	if err := Plot(filepath.Join(dir, "plot.png"), "title", Points(madeUp(), "test")); err != nil {
		t.Error(err)
	}
	list := []train.Candidate{{Path: train.Path{Net: "A", Depth: train.Depth{0}}, Name: "a-0", MACs: 1e6, Top1: 0.5, Front: true},
		{Path: train.Path{Net: "B", Depth: train.Depth{1}}, Name: "b-1", MACs: 3e6, Top1: 0.7, Front: true}}
	if err := PlotFront(filepath.Join(dir, "front.png"), list, []int{0, 1}); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("files %v (%v), want both plots and nothing else", entries, err)
	}
	if err := Plot(filepath.Join(dir, "no", "plot.png"), "title", Points(madeUp(), "test")); err == nil {
		t.Error("plotted into a folder that is not there")
	}
}
