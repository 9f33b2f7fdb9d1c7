package daemon

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/governor"
)

// Whatever the page posts: a change that holds wholly, or an error and nothing changed.
func FuzzChange(f *testing.F) {
	for _, s := range []string{`{"paused": true}`, `{"policy": "fixed"}`, `{"objectives": {"fps": 2, "quiet_hours": [{"from": "22:00", "to": "06:00"}]}}`,
		`{"objectives": {"battery": {"until": "18:00"}, "priority": ["accuracy"]}}`, `{"x": 1}`, `{`, `null`, `[]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		controls, _, _ := steered(t, governor.Spec{Name: governor.PredictiveName})
		d := &daemon{controls: controls}
		before := d.controls.Settings()
		if err := d.change(strings.NewReader(body)); err != nil {
			if diff := cmp.Diff(before, d.controls.Settings()); diff != "" {
				t.Errorf("changed in spite of %v (-before +after)\n%s", err, diff)
			}
			return
		}
		after := d.controls.Settings()
		if o := after.Objectives; o.FPS <= 0 || o.FPS > 1000 || o.CeilingCelsius < 0 {
			t.Errorf("%+v holds", o)
		}
		if _, err := json.Marshal(after); err != nil {
			t.Error(err)
		}
	})
}

// An environment variable sets a field or is a problem.
func FuzzEnvironment(f *testing.F) {
	f.Add("FATHOM_LISTEN=127.0.0.1:1")
	f.Add("FATHOM_EVENTS_CLASSES={fox: {enter: 0.5}}")
	f.Add("FATHOM_SENSORS_BATTERIES=[{device: x")
	f.Add("FATHOM_X=")
	f.Fuzz(func(t *testing.T, entry string) {
		c := DefaultConfig()
		set, problems := override(&c, []string{entry})
		if len(set)+len(problems) > 1 || strings.HasPrefix(entry, variablePrefix) && len(set)+len(problems) == 0 && !isOther(entry) {
			t.Errorf("%q sets %v, problems %v", entry, set, problems)
		}
	})
}

func isOther(entry string) bool {
	for _, name := range otherVariables {
		if entry == name || strings.HasPrefix(entry, name+"=") {
			return true
		}
	}
	return false
}

// Whatever the record of probed bundles holds, a bundle that was added is known afterwards, and no other.
func FuzzProbed(f *testing.F) {
	f.Add([]byte(`{"program": "p", "digests": ["a"]}`))
	f.Add([]byte(`{"program": 3}`))
	f.Add([]byte(``))
	f.Fuzz(func(t *testing.T, content []byte) {
		p := probed{filepath.Join(t.TempDir(), probedFile), "p"}
		if err := os.WriteFile(p.file, content, 0o644); err != nil {
			t.Fatal(err)
		}
		if known, err := p.has("new"); known && (err != nil || !strings.Contains(string(content), "new")) {
			t.Errorf("%q is known, %v", content, err)
		}
		if err := p.add("new"); err != nil {
			t.Fatal(err)
		}
		if known, err := p.has("new"); !known || err != nil {
			t.Errorf("after %q: known %v, %v", content, known, err)
		}
	})
}

// A token is one word that nobody guesses, or there is none.
func FuzzToken(f *testing.F) {
	f.Add("a-token-that-nobody-guesses\n")
	f.Add("short")
	f.Fuzz(func(t *testing.T, content string) {
		path := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		token, err := readToken(path)
		if err != nil && token != "" || err == nil && (len(token) < leastToken || strings.ContainsAny(token, " \t\r\n")) {
			t.Errorf("%q, %v", token, err)
		}
	})
}
