package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/convert/family"
	"github.com/fathom-edge/fathom/train"
)

func TestSearchWritesTheLadder(t *testing.T) {
	f := newFiles(t, strings.Replace(smallConfig, "steps: 4", "steps: 12", 1))
	search := func(edit func(*searchCmd)) error {
		c := searchCmd{Config: f.config, Checkpoint: f.checkpoints, Rungs: 2, Samples: 40, backendFlag: backendFlag{"go"}}
		if edit != nil {
			edit(&c)
		}
		return c.Run(context.Background())
	}
	wantError(t, search(nil), "no checkpoint in "+f.checkpoints)
	if err := runFiles(t, f, nil); err != nil {
		t.Fatal(err)
	}
	wantError(t, search(func(c *searchCmd) { c.Rungs = 0 }), "at least 1")
	wantError(t, search(func(c *searchCmd) { c.Samples = 0 }), "--samples")
	wantError(t, search(func(c *searchCmd) { c.Budget = 10 }), "no candidate fits into 10 bytes")

	// As a child, whose output is the JSON of all candidates.
	plot, out := filepath.Join(t.TempDir(), "front.png"), filepath.Join(t.TempDir(), "family")
	cmd, _ := command(t, nil, "search", f.config, "--checkpoint", f.checkpoints, "--rungs", "2", "--samples", "40", "--json", "--plot", plot, "-o", out)
	cmd.Stdout = nil
	stdout, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, cmd.Stderr)
	}
	var list []train.Candidate
	if err := json.Unmarshal(stdout, &list); err != nil {
		t.Fatalf("%v: %s", err, stdout)
	}
	var names, rungs []string
	for _, c := range list {
		names = append(names, c.Name)
		if c.Rung {
			rungs = append(rungs, c.Name)
			if !c.Front {
				t.Errorf("%+v is a rung, and another is better in every way", c)
			}
		}
		if c.MACs <= 0 || c.Bytes <= 0 || c.PrefixMACs <= 0 || c.PrefixMACs > c.MACs {
			t.Errorf("%+v: costs nothing, or has a prefix longer than itself", c)
		}
	}
	if diff := cmp.Diff([]string{"l-0", "l-1", "a-0", "a-1", "b-0", "b-1"}, names); diff != "" {
		t.Errorf("candidates (-want +got):\n%s", diff)
	}
	fam, err := family.Read(out)
	if err != nil {
		t.Fatal(err)
	}
	var variants []string
	for _, v := range fam.Variants {
		variants = append(variants, v.Name)
		if len(v.Accuracy) != 2 {
			t.Errorf("%s: accuracy %+v, want two splits", v.Name, v.Accuracy)
		}
	}
	if len(variants) == 0 || len(variants) != len(rungs) {
		t.Errorf("the family has %v, the rungs are %v", variants, rungs)
	}
	for _, r := range rungs {
		if !strings.Contains(" "+strings.Join(variants, " ")+" ", " "+r+" ") {
			t.Errorf("the family has %v, not %s", variants, r)
		}
	}
	if info, err := os.Stat(plot); err != nil || info.Size() == 0 {
		t.Errorf("plot: %v", err)
	}
}
