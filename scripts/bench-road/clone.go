package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/fathom-edge/fathom/internal/results"
)

// bare clones the repository's HEAD into a new folder and returns it with an
// environment in which every cache (Go's builds and modules, npm) is empty.
func bare() (dir string, env []string, cleanup func(), err error) {
	top, err := os.MkdirTemp("", "fathom-bench-")
	if err != nil {
		return "", nil, nil, err
	}
	cleanup = func() {
		// The module cache is read-only; go clean knows how to remove it.
		clean := exec.Command("go", "clean", "-modcache")
		clean.Env = append(os.Environ(), "GOMODCACHE="+filepath.Join(top, "mod"), "GOFLAGS=")
		_ = clean.Run()
		os.RemoveAll(top)
	}
	dir = filepath.Join(top, "fathom")
	if out, err := exec.Command("git", "clone", "--quiet", ".", dir).CombinedOutput(); err != nil {
		cleanup()
		return "", nil, nil, fmt.Errorf("git clone: %w: %s", err, out)
	}
	env = append(os.Environ(),
		"GOCACHE="+filepath.Join(top, "build"),
		"GOMODCACHE="+filepath.Join(top, "mod"),
		"npm_config_cache="+filepath.Join(top, "npm"))
	return dir, env, cleanup, nil
}

// firstClassification is the time from make demo in a clean clone with empty
// caches to the first classification that the page shows.
func firstClassification() ([]results.Row, error) {
	const limit = 3 * time.Minute
	dir, env, cleanup, err := bare()
	if err != nil {
		return nil, err
	}
	defer cleanup()
	if c, err := net.Dial("tcp", "127.0.0.1:8080"); err == nil {
		c.Close()
		return nil, fmt.Errorf("127.0.0.1:8080 is in use: stop what listens there")
	}
	cmd := exec.Command("make", "demo")
	cmd.Dir, cmd.Env, cmd.Stderr = dir, env, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	defer func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		<-done
	}()
	for time.Since(start) < 4*limit {
		select {
		case err := <-done:
			done <- err
			return nil, fmt.Errorf("make demo ended: %v", err)
		case <-time.After(100 * time.Millisecond):
		}
		if classified("http://127.0.0.1:8080/api/state") {
			took := time.Since(start).Seconds()
			return []results.Row{results.One("demo-first-classification", "make demo in a clean clone with empty caches, until the page's first classification",
				took, "s", "<=", limit.Seconds(), "go run ./scripts/bench-road demo")}, nil
		}
	}
	return nil, fmt.Errorf("no classification within %v", 4*limit)
}

// classified says whether the daemon has classified a frame.
func classified(url string) bool {
	resp, err := http.Get(url)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	var state struct{ Frames uint64 }
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return err == nil && json.Unmarshal(body, &state) == nil && state.Frames > 0
}

// testTime is how long make test takes in a clean clone with empty caches.
func testTime() ([]results.Row, error) {
	dir, env, cleanup, err := bare()
	if err != nil {
		return nil, err
	}
	defer cleanup()
	cmd := exec.Command("make", "test")
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, os.Stderr, os.Stderr
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("make test: %w", err)
	}
	return []results.Row{results.One("test-time", "make test in a clean clone with empty caches", time.Since(start).Seconds(), "s", "<=", 600,
		"go run ./scripts/bench-road test")}, nil
}
