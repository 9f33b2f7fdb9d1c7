//go:build cgo

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/probe"
)

// The tests run this very binary as the child that fathom verify starts.
func TestMain(m *testing.M) {
	probe.Main()
	os.Exit(m.Run())
}

const hostile = "../../testdata/hostile/crash"

// copyOf is a bundle that a test may change.
func copyOf(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "bundle")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// newKey makes a key without a password.
func newKey(t *testing.T) (secret string) {
	t.Helper()
	secret = filepath.Join(t.TempDir(), "fathom.key")
	if code, _, stderr := fathom("sign", "--generate-key", secret, "--no-password"); code != 0 {
		t.Fatal(stderr)
	}
	return secret
}

func TestSignThenVerify(t *testing.T) {
	dir, key := copyOf(t, tiny), newKey(t)
	if code, _, stderr := fathom("sign", dir, "--key", key); code != 0 {
		t.Fatal(stderr)
	}
	code, stdout, stderr := fathom("verify", dir, "--public-key", key+".pub", "--json")
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	var got verification
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := verification{Bundle: b.Manifest.Name, Digest: b.Digest, Signed: true, Segments: 3, Variants: 2,
		Probe: &probe.Report{Outcome: probe.Passed, Last: probe.Step{Doing: "running", Variant: "net-A-2-1"}}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(probe.Report{}, "Seconds", "PeakBytes")); diff != "" {
		t.Error(diff)
	}
}

// What we sign, minisign accepts, and the other way round.
func TestMinisignAgrees(t *testing.T) {
	minisign, err := exec.LookPath("minisign")
	if err != nil {
		t.Skip("minisign is not installed: run make deps")
	}
	dir, key := copyOf(t, tiny), newKey(t)
	if code, _, stderr := fathom("sign", dir, "--key", key); code != 0 {
		t.Fatal(stderr)
	}
	manifest := filepath.Join(dir, "manifest.json")
	run := func(args ...string) {
		t.Helper()
		if out, err := exec.Command(minisign, args...).CombinedOutput(); err != nil {
			t.Errorf("minisign %v: %v\n%s", args, err, out)
		}
	}
	run("-V", "-p", key+".pub", "-m", manifest)
	if err := os.Remove(filepath.Join(dir, bundle.SignatureFile)); err != nil {
		t.Fatal(err)
	}
	run("-S", "-s", key, "-m", manifest)
	if code, _, stderr := fathom("verify", dir, "--public-key", key+".pub", "--no-run"); code != 0 {
		t.Error(stderr)
	}
	if code, _, stderr := fathom("sign", manifest, "--key", key); code != 0 { // as any file
		t.Fatal(stderr)
	}
	run("-V", "-p", key+".pub", "-m", manifest)
}

// The key was made by minisign and has a password, which it takes some seconds
// to try: so a wrong one is not among the cases.
func TestSignWithPassword(t *testing.T) {
	const keys = "../../runtime/bundle/testdata/minisign/"
	for password, want := range map[string]int{"a password\n": 0, "\n": exitFailure} {
		dir := copyOf(t, tiny)
		stdin(t, password)
		code, _, stderr := fathom("sign", dir, "--key", keys+"m.key")
		if code != want || strings.Count(stderr, "\n") > 1 {
			t.Errorf("%q: exit code %d, %s", password, code, stderr)
		}
		verified, _, _ := fathom("verify", dir, "--no-run", "--public-key", keys+"m.pub")
		if (verified == 0) != (want == 0) || want != 0 && verified != exitSignature {
			t.Errorf("%q: verify exits with %d", password, verified)
		}
	}
}

// stdin replaces standard input by text.
func stdin(t *testing.T, text string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "stdin")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	old := os.Stdin
	os.Stdin = f
	t.Cleanup(func() { os.Stdin = old; f.Close() })
}

func TestKeyIsNeverReplaced(t *testing.T) {
	key := newKey(t)
	info, err := os.Stat(key)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	before, _ := os.ReadFile(key)
	if code, _, stderr := fathom("sign", "--generate-key", key, "--no-password"); code != exitFailure || !strings.Contains(stderr, "never replaced") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	if after, _ := os.ReadFile(key); string(after) != string(before) {
		t.Error("the key has changed")
	}
}

func TestVerifyExitCodes(t *testing.T) {
	key := newKey(t)
	damaged := copyOf(t, tiny)
	if err := os.Truncate(filepath.Join(damaged, "segments", "72b9a492b528.tflite"), 100); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"fine":              {[]string{"verify", tiny}, 0, ""},
		"nothing run":       {[]string{"verify", hostile, "--no-run"}, 0, ""},
		"damaged":           {[]string{"verify", damaged}, exitFailure, "100 bytes where the manifest says"},
		"no bundle":         {[]string{"verify", t.TempDir()}, exitFailure, "not a bundle"},
		"not signed":        {[]string{"verify", tiny, "--public-key", key + ".pub"}, exitSignature, "not signed"},
		"no key":            {[]string{"verify", tiny, "--public-key", "nowhere"}, exitUsage, "public key"},
		"crash":             {[]string{"verify", hostile}, exitHostile, "crashed while loading segments/ab1daacae4ed.tflite: the process died of SIGSEGV"},
		"no time":           {[]string{"verify", tiny, "--time", "1ms"}, exitFailure, "too short a time"},
		"sign nothing":      {[]string{"sign"}, exitUsage, "give a bundle and --key"},
		"sign and generate": {[]string{"sign", tiny, "--generate-key", "x"}, exitUsage, "signs nothing"},
		"no secret key":     {[]string{"sign", damaged, "--key", "nowhere"}, exitFailure, "100 bytes where"},
		"public for secret": {[]string{"sign", tiny, "--key", key + ".pub"}, exitFailure, "holds no minisign secret key"},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, stderr := fathom(test.args...)
			if code != test.code || !strings.Contains(stderr, test.want) || test.code != 0 && strings.Count(stderr, "\n") != 1 {
				t.Errorf("exit code %d, want %d with %q:\n%s", code, test.code, test.want, stderr)
			}
		})
	}
}
