package boards

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// mount copies a fixture tree, so that a test may change it, and returns its
// root. A %3A in a name stands for the colon, which Go's module archives
// refuse.
func mount(t *testing.T, tree string) string {
	t.Helper()
	root := t.TempDir()
	source := os.DirFS(filepath.Join("..", "testdata", "boards", tree))
	err := fs.WalkDir(source, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(root, filepath.FromSlash(strings.ReplaceAll(name, "%3A", ":")))
		if d.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		content, err := fs.ReadFile(source, name)
		if err != nil {
			return err
		}
		return os.WriteFile(to, content, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// put writes an attribute of a mounted tree.
func put(t *testing.T, root, name, content string) {
	t.Helper()
	path := filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// takeOffline makes a zone answer EAGAIN, as that of a switched-off unit: its
// attribute becomes a FIFO whose writer writes nothing.
func takeOffline(t *testing.T, root, zone string) {
	t.Helper()
	path := filepath.Join(root, "sys/class/thermal", zone, "temp")
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	writer, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { writer.Close() })
}
