// Package boardtest unpacks the fixture trees of testdata/boards: what /sys and
// /proc of a board look like, written after kernel sources and published logs.
//
// A fixture is a txtar archive, one file per attribute. Its comment says which
// board in which state it is, and names the attributes that answer EAGAIN:
//
//	fifo sys/class/thermal/thermal_zone1/temp
//
// Such an attribute becomes a FIFO with a writer that writes nothing, which
// answers a read as the zone of a switched-off unit does. Below a device tree,
// each line of a file is one string that ends in a NUL.
package boardtest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/tools/txtar"
)

// Unpack writes the archive's tree into dir. The FIFOs are open until closeAll is called.
func Unpack(archive, dir string) (closeAll func() error, err error) {
	a, err := txtar.ParseFile(archive)
	if err != nil {
		return nil, err
	}
	for _, f := range a.Files {
		content := f.Data
		if strings.Contains(f.Name, "devicetree/") || strings.Contains(f.Name, "device-tree/") {
			content = bytes.ReplaceAll(content, []byte("\n"), []byte{0})
		}
		if err := Put(dir, f.Name, string(content)); err != nil {
			return nil, err
		}
	}
	var writers []*os.File
	closeAll = func() error {
		var errs []error
		for _, w := range writers {
			errs = append(errs, w.Close())
		}
		return errors.Join(errs...)
	}
	for line := range strings.Lines(string(a.Comment)) {
		name, ok := strings.CutPrefix(strings.TrimSpace(line), "fifo ")
		if !ok {
			continue
		}
		w, err := Fifo(dir, name)
		if err != nil {
			return nil, errors.Join(err, closeAll())
		}
		writers = append(writers, w)
	}
	return closeAll, nil
}

// Put writes an attribute of the tree in dir.
func Put(dir, name, content string) error {
	path := filepath.Join(dir, filepath.FromSlash(name))
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return fmt.Errorf("boardtest: %s: not below the root", name)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(content), 0o644)
}

// Fifo makes an attribute of the tree in dir answer EAGAIN until the returned file is closed.
func Fifo(dir, name string) (*os.File, error) {
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	if err := os.RemoveAll(path); err != nil {
		return nil, err
	}
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		return nil, fmt.Errorf("boardtest: %s: %w", name, err)
	}
	return os.OpenFile(path, os.O_RDWR, 0)
}

// Mount unpacks an archive for a test and returns its root.
func Mount(t testing.TB, archive string) string {
	t.Helper()
	root := t.TempDir()
	closeAll, err := Unpack(archive, root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeAll() })
	return root
}

// Write is Put for a test.
func Write(t testing.TB, root, name, content string) {
	t.Helper()
	if err := Put(root, name, content); err != nil {
		t.Fatal(err)
	}
}

// Remove takes an attribute or folder away.
func Remove(t testing.TB, root, name string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(root, filepath.FromSlash(name))); err != nil {
		t.Fatal(err)
	}
}

// TakeOffline is Fifo for a test.
func TakeOffline(t testing.TB, root, name string) {
	t.Helper()
	w, err := Fifo(root, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
}
