package results

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func row(id string, value float64, op string, limit float64) Row {
	return Row{ID: id, What: "what " + id, Value: value, Unit: "ms", Op: op, Limit: limit,
		Samples: []float64{value}, Command: "make bench", Machine: "m"}
}

func TestMergeReplacesByIDAndKeepsOrder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.json")
	if err := Merge(file, []Row{row("x", 1, "", 0), row("y", 2, "<=", 3)}); err != nil {
		t.Fatal(err)
	}
	if err := Merge(file, []Row{row("x", 5, "", 0), row("z", 6, ">=", 7)}); err != nil {
		t.Fatal(err)
	}
	got, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	want := []Row{row("x", 5, "", 0), row("y", 2, "<=", 3), row("z", 6, ">=", 7)}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestRemove(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.json")
	if err := Merge(file, []Row{row("a", 1, "<=", 2), row("b", 3, "<=", 2)}); err != nil {
		t.Fatal(err)
	}
	if err := Remove(file, func(r Row) bool { return r.ID == "a" }); err != nil {
		t.Fatal(err)
	}
	if rows, err := Read(file); err != nil || len(rows) != 1 || rows[0].ID != "b" {
		t.Errorf("%+v, %v: want b alone", rows, err)
	}
	if err := Remove(filepath.Join(t.TempDir(), "none.json"), nil); err != nil {
		t.Errorf("no file: %v", err)
	}
}

func TestRenderSaysWhatDoesNotHold(t *testing.T) {
	dir := t.TempDir()
	rows := []Row{row("t/a", 1, "<=", 3), row("t/b", 4, "<=", 3), row("t/c", 2, "<=", 3), row("u", 2, "", 0)}
	if err := Merge(filepath.Join(dir, "n.json"), rows); err != nil {
		t.Fatal(err)
	}
	failing, err := Render(dir)
	if err != nil {
		t.Fatal(err)
	}
	if failing != 1 {
		t.Errorf("failing = %d, want 1", failing)
	}
	md, err := os.ReadFile(filepath.Join(dir, "n.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| what t/b | 4 ms | ≤ 3 ms | **does not hold** |", "| what u | 2 ms | – | – |", "n-t.png"} {
		if !strings.Contains(string(md), want) {
			t.Errorf("n.md lacks %q:\n%s", want, md)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "n-t.png")); err != nil {
		t.Error(err)
	}
}

func TestReadRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON":       `{`,
		"unknown op":    `[{"id":"a","what":"w","op":"<","samples":[1],"command":"c","machine":"m"}]`,
		"no samples":    `[{"id":"a","what":"w","command":"c","machine":"m"}]`,
		"ID used twice": `[{"id":"a","what":"w","samples":[1],"command":"c","machine":"m"},{"id":"a","what":"w","samples":[1],"command":"c","machine":"m"}]`,
		"no command":    `[{"id":"a","what":"w","samples":[1],"machine":"m"}]`,
	} {
		file := filepath.Join(t.TempDir(), "a.json")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if rows, err := Read(file); err == nil {
			t.Errorf("%s: accepted: %v", name, rows)
		}
	}
}
