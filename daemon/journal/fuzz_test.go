package journal

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Whatever a file holds when it is opened, whole lines stay and what is written follows them.
func FuzzOpen(f *testing.F) {
	f.Add([]byte("one\ntwo\n"))
	f.Add([]byte("one\nto"))
	f.Add([]byte{})
	f.Add([]byte("\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "j")
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		j, err := OpenAt(path, DefaultConfig(), func(error) {}, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer j.file.Close()
		if _, err := j.Write([]byte("new\n")); err != nil {
			t.Fatal(err)
		}
		if err := j.Flush(); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if want := append(bytes.Clone(content[:bytes.LastIndexByte(content, '\n')+1]), "new\n"...); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	})
}
