// Package atomicfile writes files so that a reader, or a machine that loses
// power, sees the old content or the new content and never a part: a temporary
// file in the same folder is written, synced and renamed, and then the folder
// is synced. A File is used by one goroutine.
package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
)

// File is a file that does not exist under its name before Commit.
type File struct {
	temp *os.File
	path string
}

// Create begins to write path. The caller ends with Commit or Discard.
func Create(path string) (*File, error) {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".tmp-*")
	if err != nil {
		return nil, err
	}
	return &File{temp: temp, path: path}, nil
}

// Write appends to the temporary file.
func (f *File) Write(p []byte) (int, error) { return f.temp.Write(p) }

// Commit puts the file in place with mode 0644. If it fails, the old content
// stands and the temporary file is gone.
func (f *File) Commit() error {
	if f.temp == nil {
		return os.ErrClosed
	}
	err := errors.Join(f.temp.Chmod(0o644), f.temp.Sync(), f.temp.Close())
	if err == nil {
		err = os.Rename(f.temp.Name(), f.path)
	}
	if err != nil {
		os.Remove(f.temp.Name())
		f.temp = nil
		return err
	}
	f.temp = nil
	return syncFolder(filepath.Dir(f.path))
}

// Discard removes the temporary file. After Commit it does nothing, so it can
// be deferred.
func (f *File) Discard() {
	if f.temp == nil {
		return
	}
	f.temp.Close()
	os.Remove(f.temp.Name())
	f.temp = nil
}

// Write replaces the content of path.
func Write(path string, data []byte) error {
	f, err := Create(path)
	if err != nil {
		return err
	}
	defer f.Discard()
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Commit()
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
