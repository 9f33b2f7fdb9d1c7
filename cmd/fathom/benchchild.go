package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/engine"
)

// benchChildCommand is one fresh process of fathom bench: it loads a bundle, or
// one variant of it, and says what that took.
type benchChildCommand struct {
	Bundle  string `arg:""`
	Variant []string
	Threads int
}

// loading is what a fresh process takes until it can infer.
type loading struct {
	// Open is the time to load and warm everything, First that of the first inference then.
	Open  time.Duration `json:"open_ns"`
	First time.Duration `json:"first_ns"`
	// Bytes is the resident set, above that of the process before it opened the bundle.
	Bytes int64 `json:"bytes"`
}

// Run implements the command.
func (c *benchChildCommand) Run(out *output) error {
	b, err := bundle.Open(c.Bundle)
	if err != nil {
		return err
	}
	b = subset(b, func(v string) bool { return slices.Contains(c.Variant, v) })
	if len(b.Manifest.Variants) == 0 {
		return &usageError{errors.New("bench-child: no variant")}
	}
	frame := benchFrame(b.Manifest.Preprocess)
	base, err := residentBytes()
	if err != nil {
		return err
	}
	start := time.Now()
	e, err := engine.Open(b, engine.Options{Threads: c.Threads})
	if err != nil {
		return err
	}
	defer e.Close()
	l := loading{Open: time.Since(start)}
	for i, v := range b.Manifest.Variants {
		if err := e.SetActive(v.Name); err != nil {
			return err
		}
		start := time.Now()
		if _, err := e.Infer(frame); err != nil {
			return err
		}
		if i == 0 {
			l.First = time.Since(start)
		}
	}
	loaded, err := residentBytes()
	if err != nil {
		return err
	}
	l.Bytes = loaded - base
	return writeJSON(out, l)
}

// residentBytes is the resident set of this process, without what Go's heap could give back.
func residentBytes() (int64, error) {
	debug.FreeOSMemory()
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, fmt.Errorf("bench: memory: %w", err)
	}
	fields := strings.Fields(string(data))
	if len(fields) < 2 {
		return 0, fmt.Errorf("bench: memory: /proc/self/statm is %q", data)
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

// loadInChild starts a fresh process.
func loadInChild(ctx context.Context, b *bundle.Bundle, variants []bundle.Variant, threads int) (loading, error) {
	var l loading
	self, err := os.Executable()
	if err != nil {
		return l, err
	}
	args := []string{"bench-child", b.Dir, "--threads", strconv.Itoa(threads)}
	for _, v := range variants {
		args = append(args, "--variant", v.Name)
	}
	var complaint strings.Builder
	child := exec.CommandContext(ctx, self, args...)
	child.Stderr = &complaint
	text, err := child.Output()
	if err == nil {
		err = json.Unmarshal(text, &l)
	}
	if err != nil {
		return l, fmt.Errorf("bench: a process of its own for %s: %w: %s", b.Dir, err, strings.TrimSpace(complaint.String()))
	}
	return l, nil
}
