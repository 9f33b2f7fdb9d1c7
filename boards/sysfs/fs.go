// Package sysfs reads what the Linux kernel says about a board: thermal zones,
// hardware monitors, power supplies, throttling and clocks.
//
// The root of /sys and /proc is a value (FS), so the same code reads a running
// board, a mounted host tree in a container and a fixture.
//
// Discovery (FS.ThermalZones and its like) reads names and types only, which
// the kernel answers from memory. The methods of what was discovered ask the
// driver, and a broken driver can hang in them: call them where a hang costs
// one value only. Everything is safe for concurrent use, for nothing is kept.
//
// Units are in the names: degrees Celsius, volts, amperes, watts, hertz. A value
// and its error exclude each other: there is no zero that stands for "absent".
package sysfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"
)

// FS is the folder that holds sys and proc: "/" on a running board.
type FS string

// NewFS returns the tree under root; an empty root is "/".
func NewFS(root string) FS {
	if root == "" {
		root = "/"
	}
	return FS(filepath.Clean(root))
}

// ErrOffline marks a sensor whose unit is switched off: the kernel answers
// EAGAIN, as for the zones of absent or power-gated units of a Jetson. It is a
// healthy state, not a fault.
var ErrOffline = errors.New("offline (EAGAIN: the measured unit is switched off)")

// maxAttribute is the size of a page, which no sysfs attribute exceeds.
const maxAttribute = 4096

// read returns the attribute at name, slash-separated below the root, without
// surrounding white space.
//
// It opens without blocking and reads once: os.ReadFile hands the file to Go's
// poller, which waits for ever for a thermal zone that answers EAGAIN.
// Errors carry the path below the root.
func (f FS) read(name string) (string, error) {
	data, err := readOnce(filepath.Join(string(f), filepath.FromSlash(name)))
	if err == syscall.EAGAIN {
		err = ErrOffline
	}
	if err != nil {
		return "", fmt.Errorf("/%s: %w", name, err)
	}
	return strings.TrimSpace(string(data)), nil
}

// entries returns the names in dir that are prefix followed by a number, in the
// order of the numbers. A missing dir has no entries.
func (f FS) entries(dir, prefix string) ([]string, error) {
	names, err := f.names(dir)
	if err != nil {
		return nil, err
	}
	type entry struct {
		name   string
		number uint64
	}
	var found []entry
	for _, name := range names {
		digits, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		if n, err := strconv.ParseUint(digits, 10, 32); err == nil {
			found = append(found, entry{name, n})
		}
	}
	sort.SliceStable(found, func(i, j int) bool { return found[i].number < found[j].number })
	ordered := make([]string, len(found))
	for i, e := range found {
		ordered[i] = e.name
	}
	return ordered, nil
}

// names returns the sorted names in dir; a missing dir has none.
func (f FS) names(dir string) ([]string, error) {
	list, err := os.ReadDir(filepath.Join(string(f), filepath.FromSlash(dir)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		var p *fs.PathError
		if errors.As(err, &p) {
			err = p.Err
		}
		return nil, fmt.Errorf("/%s: %w", dir, err)
	}
	names := make([]string, len(list))
	for i, e := range list {
		names[i] = e.Name()
	}
	return names, nil
}

// exists tells whether there is something at name, readable or not.
func (f FS) exists(name string) bool {
	_, err := os.Stat(filepath.Join(string(f), filepath.FromSlash(name)))
	return err == nil
}

// readParsed reads the attribute dir/name and parses it.
func readParsed[T any](f FS, dir, name string, parse func(string) (T, error)) (T, error) {
	var zero T
	full := path.Join(dir, name)
	s, err := f.read(full)
	if err != nil {
		return zero, err
	}
	v, err := parse(s)
	if err != nil {
		return zero, fmt.Errorf("/%s: %w", full, err)
	}
	return v, nil
}
