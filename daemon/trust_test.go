package daemon

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"

	"github.com/fathom-edge/fathom/runtime/bundle"
)

const tinyBundle = "../testdata/bundles/tiny"

// trial counts the probes of a bundle.
func trial(c Config, program string, fail error) (o Options, probes *int) {
	probes = new(int)
	return Options{Config: c, ProbeID: program, Log: slog.New(slog.DiscardHandler),
		Probe: func(context.Context, *bundle.Bundle) error { *probes++; return fail }}, probes
}

func TestBundleIsProbedOnce(t *testing.T) {
	state := t.TempDir()
	c := DefaultConfig()
	c.Bundle, c.StateDir = tinyBundle, state
	for _, step := range []struct {
		what    string
		program string
		fail    error
		change  func(*Config)
		probes  int
	}{
		{"a probe that fails is not recorded", "one", errors.New("crashed"), nil, 1},
		{"first", "one", nil, nil, 1},
		{"second", "one", nil, nil, 0},
		{"another program", "two", nil, nil, 1},
		{"another bundle", "two", nil, func(c *Config) { c.Bundle = "../testdata/bundles/demo" }, 1},
		{"both are known", "two", nil, nil, 0},
		{"switched off", "three", nil, func(c *Config) { c.Probe = false }, 0},
		{"no state folder", "two", nil, func(c *Config) { c.StateDir = "" }, 1},
	} {
		c := c
		if step.change != nil {
			step.change(&c)
		}
		o, probes := trial(c, step.program, step.fail)
		b, err := o.openBundle(t.Context())
		if *probes != step.probes || (err != nil) != (step.fail != nil) || (b == nil) != (err != nil) {
			t.Errorf("%s: %d probes, want %d; %v, %v", step.what, *probes, step.probes, b, err)
		}
	}
}

// A record that is damaged, or cannot be written, costs a probe and nothing else.
func TestRecordMayBeDamaged(t *testing.T) {
	c := DefaultConfig()
	c.Bundle, c.StateDir = tinyBundle, t.TempDir()
	file := filepath.Join(c.StateDir, probedFile)
	if err := os.WriteFile(file, []byte(`{"program": "one", "digests": [`), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{1, 0} {
		o, probes := trial(c, "one", nil)
		if _, err := o.openBundle(t.Context()); err != nil || *probes != want {
			t.Errorf("start %d: %d probes, want %d; %v", i, *probes, want, err)
		}
	}
	c.StateDir = filepath.Join(c.StateDir, "missing")
	o, probes := trial(c, "one", nil)
	if _, err := o.openBundle(t.Context()); err != nil || *probes != 1 {
		t.Errorf("%d probes, %v", *probes, err)
	}
}

func TestRequiredSignature(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bundle")
	if err := os.CopyFS(dir, os.DirFS(tinyBundle)); err != nil {
		t.Fatal(err)
	}
	public, secret, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	open := func(keys ...string) error {
		_, err := Config{Bundle: dir, RequireSignature: keys}.openTrusted()
		return err
	}
	if err := open(public.String()); !errors.Is(err, bundle.ErrSignature) {
		t.Errorf("not signed: %v", err)
	}
	if err := bundle.Sign(dir, secret, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := open(public.String()); err != nil {
		t.Error(err)
	}
	if err := open("nowhere.pub"); err == nil || !strings.Contains(err.Error(), "require_signature") {
		t.Errorf("no such key: %v", err)
	}
}

// Keys stand as they are; files are found beside the configuration.
func TestKeyFilesLieBesideTheConfiguration(t *testing.T) {
	const key = "RWRIPBae7QWnMpg/B2VQyjX8qEBb3J3/VYs/YU4Wee2sNkXia4U98KP9"
	file := filepath.Join(t.TempDir(), "fathomd.yaml")
	if err := os.WriteFile(file, []byte("require_signature: ["+key+", team.pub]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := LoadConfig(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{key, filepath.Join(filepath.Dir(file), "team.pub")}
	if len(c.RequireSignature) != 2 || c.RequireSignature[0] != want[0] || c.RequireSignature[1] != want[1] {
		t.Errorf("%q, want %q", c.RequireSignature, want)
	}
}
