package results

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBenchMergesThePartsAskedFor(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rows.json")
	part := func(id, command string, err error) func() ([]Row, error) {
		return func() ([]Row, error) { return []Row{One(id, "what", 1, "s", "", 0, command)}, err }
	}
	parts := []Part{
		{Name: "a", Measure: part("one", "", nil)},
		{Name: "b", Measure: part("two/now", "other", nil), Owns: []string{"two/"}},
		{Name: "c", Measure: part("three", "", errors.New("broken")), Owns: []string{"th"}},
	}
	before := []Row{One("two/before", "what", 1, "s", "", 0, "gone"), One("this", "what", 1, "s", "", 0, "kept")}
	for i := range before {
		before[i].Machine = "another"
	}
	if err := Merge(file, before); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		code int
		told string
	}{
		{[]string{"x"}, 2, "bench-t: no part \"x\": there are a, b, c\n"},
		{[]string{"b"}, 0, "bench-t: b\n"},
		{nil, 1, "bench-t: a\nbench-t: b\nbench-t: c\nbench-t: c: broken\n"},
	} {
		var told bytes.Buffer
		if code := Bench("bench-t", file, parts, tt.args, &told); code != tt.code || told.String() != tt.told {
			t.Errorf("%v: exit %d, %q; want %d, %q", tt.args, code, &told, tt.code, tt.told)
		}
	}
	rows, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	commands := map[string]string{}
	for _, r := range rows {
		commands[r.ID] = r.Command
	}
	if diff := cmp.Diff(map[string]string{"this": "kept", "one": "go run ./scripts/bench-t a", "two/now": "other"}, commands); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
}
