package daemon

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// tinyProfile is measured on a board, where the deeper variant of the tiny bundle takes twice as long.
func tinyProfile(t *testing.T, m *bundle.Manifest) profile.Profile {
	t.Helper()
	var segments []profile.Segment
	for _, s := range m.Segments {
		segments = append(segments, profile.Segment{ID: s.ID, Threads: 1, Cost: profile.Cost{Latency: time.Millisecond, Source: profile.Measured}})
	}
	var list []profile.Measurement
	for i, v := range m.Variants {
		cost := profile.Cost{Latency: time.Duration(i+1) * time.Millisecond, Source: profile.Measured}
		list = append(list, profile.Measurement{Threads: 1, Rung: profile.Rung{Variant: v.Name, MACs: v.MACs, Cost: cost}})
	}
	p, err := profile.FromMeasurements("a board", list, segments)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestLadderOf(t *testing.T) {
	b, err := bundle.Open(tinyBundle)
	if err != nil {
		t.Fatal(err)
	}
	state := t.TempDir()
	file := filepath.Join(state, "profile.json")
	if err := profile.Write(file, tinyProfile(t, b.Manifest)); err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(t.TempDir(), "profile.json")
	if err := os.WriteFile(damaged, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what   string
		config Config
		board  string
		source profile.Source
		said   string
		fails  string
	}{
		{"no state folder", Config{Threads: 1}, "a board", profile.Estimated, "", ""},
		{"an empty one", Config{Threads: 1, StateDir: t.TempDir()}, "a board", profile.Estimated, "", ""},
		{"measured", Config{Threads: 1, StateDir: state}, "a board", profile.Measured, "level=INFO", ""},
		{"named", Config{Threads: 1, Profile: file}, "a board", profile.Measured, "level=INFO", ""},
		{"another board", Config{Threads: 1, Profile: file}, "another", profile.Estimated, "measured on a board, and this is another", ""},
		{"other threads", Config{Threads: 2, StateDir: state}, "a board", profile.Estimated, "nothing was measured with 2 threads", ""},
		{"damaged", Config{Threads: 1, StateDir: filepath.Dir(damaged)}, "a board", profile.Estimated, "not a profile", ""},
		{"named and damaged", Config{Threads: 1, Profile: damaged}, "a board", "", "", "not a profile"},
		{"named and missing", Config{Threads: 1, Profile: file + "x"}, "a board", "", "", "no such file"},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Setenv("STATE_DIRECTORY", "")
			var said strings.Builder
			p, err := ladderOf(c.config, b.Manifest, c.board, slog.New(slog.NewTextHandler(&said, nil)))
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Fatalf("%v, want %q", err, c.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Rungs[0].Cost.Source; got != c.source {
				t.Errorf("costs are %s, want %s", got, c.source)
			}
			if !strings.Contains(said.String(), c.said) || c.said == "" && said.Len() > 0 {
				t.Errorf("said %q, want %q", said.String(), c.said)
			}
		})
	}
}

func TestLadderOfAnotherBundle(t *testing.T) {
	b, err := bundle.Open(tinyBundle)
	if err != nil {
		t.Fatal(err)
	}
	p := tinyProfile(t, b.Manifest)
	m := *b.Manifest
	m.Segments = append([]bundle.Segment{{ID: "0123456789ab"}}, m.Segments...)
	if _, err := fitting(p, Config{Threads: 1}, &m, "a board"); err == nil || !strings.Contains(err.Error(), "segment 0123456789ab") {
		t.Errorf("%v", err)
	}
	got, err := fitting(p, Config{Threads: 1}, b.Manifest, "a board")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p.Rungs, got.Rungs); diff != "" {
		t.Error(diff)
	}
}
