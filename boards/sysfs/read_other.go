//go:build !unix

package sysfs

import (
	"io"
	"os"
)

// readOnce reads at most maxAttribute bytes. Where there is no kernel with a
// sysfs, only recorded trees are read, and their files are plain.
func readOnce(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxAttribute))
}
