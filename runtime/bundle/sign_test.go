package bundle

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"
	"github.com/google/go-cmp/cmp"
)

func newKey(t testing.TB) (minisign.PublicKey, minisign.PrivateKey) {
	t.Helper()
	public, secret, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return public, secret
}

// signed writes the sample bundle and signs it.
func signed(t *testing.T) (dir string, key minisign.PublicKey) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "bundle")
	write(t, dir)
	key, secret := newKey(t)
	if err := Sign(dir, secret, time.Unix(1700000000, 0)); err != nil {
		t.Fatal(err)
	}
	return dir, key
}

func TestSignedBundleOpens(t *testing.T) {
	dir, key := signed(t)
	other, _ := newKey(t)
	b, err := OpenSigned(dir, []minisign.PublicKey{other, key})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plain, b); diff != "" {
		t.Error(diff)
	}
	write(t, dir) // an older bundle with its signature is replaced
	if _, err := os.Stat(filepath.Join(dir, SignatureFile)); !os.IsNotExist(err) {
		t.Errorf("the old signature stands: %v", err)
	}
}

func TestOpenSignedRefuses(t *testing.T) {
	other, secret := newKey(t)
	for name, test := range map[string]struct {
		spoil func(t *testing.T, dir string)
		want  string
		sign  bool // the error is one of signatures
	}{
		"no signature": {func(t *testing.T, dir string) { remove(t, dir, SignatureFile) }, "not signed", true},
		"another key": {func(t *testing.T, dir string) {
			if err := Sign(dir, secret, time.Now()); err != nil {
				t.Fatal(err)
			}
		}, "none of the keys that are trusted", true},
		"changed manifest": {func(t *testing.T, dir string) { replaceIn(t, dir, manifestFile, "sample", "hostil") }, "is not the one that key", true},
		"changed trusted comment": {func(t *testing.T, dir string) { replaceIn(t, dir, SignatureFile, "timestamp:17", "timestamp:18") },
			"is not the one that key", true},
		"garbage":         {func(t *testing.T, dir string) { put(t, dir, SignatureFile, "RW") }, "no minisign signature", true},
		"empty":           {func(t *testing.T, dir string) { put(t, dir, SignatureFile, "") }, "no minisign signature", true},
		"large":           {func(t *testing.T, dir string) { put(t, dir, SignatureFile, strings.Repeat("a", 1<<20)) }, "larger than 8192 bytes", true},
		"changed segment": {func(t *testing.T, dir string) { replaceIn(t, dir, segmentOf(t, dir), "e", "a") }, "sha256 differs", false},
	} {
		t.Run(name, func(t *testing.T) {
			dir, key := signed(t)
			test.spoil(t, dir)
			b, err := OpenSigned(dir, []minisign.PublicKey{key})
			wantError(t, err, test.want)
			if b != nil || errors.Is(err, ErrSignature) != test.sign {
				t.Errorf("%v, %v", b, err)
			}
		})
	}
	dir, _ := signed(t)
	if _, err := OpenSigned(dir, []minisign.PublicKey{other}); !errors.Is(err, ErrSignature) {
		t.Errorf("error %v", err)
	}
	if _, err := OpenSigned(dir, nil); !errors.Is(err, ErrSignature) {
		t.Errorf("without a key: %v", err)
	}
}

func remove(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func replaceIn(t *testing.T, dir, name, old, fresh string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil || !strings.Contains(string(data), old) {
		t.Fatalf("%s: %v, or it holds no %q", name, err, old)
	}
	put(t, dir, name, strings.Replace(string(data), old, fresh, 1))
}

func segmentOf(t *testing.T, dir string) string {
	t.Helper()
	b, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return b.Manifest.Segments[0].File
}

// minisign's own files are golden.
func golden(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "minisign", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestSignatureOfMinisignItself(t *testing.T) {
	key, err := ReadPublicKey("testdata/minisign/m.pub")
	if err != nil {
		t.Fatal(err)
	}
	again, err := ReadPublicKey(key.String())
	if err != nil || !key.Equal(again) {
		t.Errorf("%v is not %v (%v)", again, key, err)
	}
	if err := verifySignature(golden(t, "manifest.json"), golden(t, "manifest.json.minisig"), []minisign.PublicKey{key}); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"testdata/minisign/m.key", "testdata/minisign/nothing", "RWnonsense", ""} {
		if _, err := ReadPublicKey(name); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestSignRefusesWhatIsNotWhole(t *testing.T) {
	dir, _ := signed(t)
	_, secret := newKey(t)
	before, err := os.ReadFile(filepath.Join(dir, SignatureFile))
	if err != nil {
		t.Fatal(err)
	}
	replaceIn(t, dir, segmentOf(t, dir), "e", "a")
	wantError(t, Sign(dir, secret, time.Now()), "sha256 differs")
	after, err := os.ReadFile(filepath.Join(dir, SignatureFile))
	if err != nil || string(after) != string(before) {
		t.Errorf("the signature has changed: %v", err)
	}
}

// FuzzSignature: no text that is not minisign's own signature, but for its
// untrusted comment and line ends, verifies, and none panics.
func FuzzSignature(f *testing.F) {
	manifest, good := golden(f, "manifest.json"), golden(f, "manifest.json.minisig")
	key, ok := ParsePublicKey(string(golden(f, "m.pub")))
	if !ok {
		f.Fatal("the public key is not read")
	}
	var want minisign.Signature
	if err := want.UnmarshalText(good); err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte(strings.ReplaceAll(string(good), "\n", "\r\n")))
	f.Add([]byte("untrusted comment: \n\ntrusted comment: \n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		err := verifySignature(manifest, text, []minisign.PublicKey{key})
		if err != nil {
			if !errors.Is(err, ErrSignature) {
				t.Errorf("error %v", err)
			}
			return
		}
		var got minisign.Signature
		if err := got.UnmarshalText(text); err != nil || !got.Equal(want) {
			t.Errorf("verified: %q", text)
		}
	})
}

// FuzzPublicKey: what is read says the same when it is written and read again.
func FuzzPublicKey(f *testing.F) {
	f.Add(string(golden(f, "m.pub")))
	f.Add("RWRIPBae7QWnMpg/B2VQyjX8qEBb3J3/VYs/YU4Wee2sNkXia4U98KP9")
	f.Add("untrusted comment: \n")
	f.Fuzz(func(t *testing.T, text string) {
		key, ok := ParsePublicKey(text)
		if !ok {
			return
		}
		if again, ok := ParsePublicKey(key.String()); !ok || !again.Equal(key) {
			t.Errorf("%q gives %v", text, key)
		}
	})
}
