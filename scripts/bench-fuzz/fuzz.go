package main

import (
	"bufio"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// fuzzed is a package with fuzz functions.
type fuzzed struct {
	folder    string
	functions []string
}

var declared = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(\w+ \*testing\.F\)`)

// find lists the packages below the folders, sorted.
func find(folders []string) ([]fuzzed, error) {
	functions := map[string][]string{}
	for _, root := range folders {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && path != "." && strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir
			}
			if d.IsDir() || !strings.HasSuffix(path, "_test.go") {
				return nil
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			folder := filepath.Dir(path)
			for _, m := range declared.FindAllSubmatch(text, -1) {
				if name := string(m[1]); !slices.Contains(functions[folder], name) {
					functions[folder] = append(functions[folder], name)
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	var list []fuzzed
	for folder, names := range functions {
		slices.Sort(names)
		list = append(list, fuzzed{folder, names})
	}
	slices.SortFunc(list, func(a, b fuzzed) int { return strings.Compare(a.folder, b.folder) })
	if len(list) == 0 {
		return nil, fmt.Errorf("no fuzz functions below %s", strings.Join(folders, ", "))
	}
	return list, nil
}

// outcome is what came of one or more functions.
type outcome struct {
	executions, inputs, failures int
	processor                    time.Duration
}

func (o *outcome) add(p outcome) {
	o.executions += p.executions
	o.inputs += p.inputs
	o.failures += p.failures
	o.processor += p.processor
}

// Go's own line of progress.
var progress = regexp.MustCompile(`execs: (\d+) .*\(total: (\d+)\)`)

// program is a package's tests, built to be fuzzed.
type program struct{ path, folder, corpus string }

func (p fuzzed) build(ctx context.Context, dir string) (program, error) {
	x := program{path: filepath.Join(dir, strings.ReplaceAll(p.folder, "/", ".")+".test"), folder: p.folder}
	environ := os.Environ()
	if strings.HasPrefix(p.folder, "train") {
		environ = append(environ, "CGO_ENABLED=0", "GOEXPERIMENT=simd")
	}
	run := func(args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Env, cmd.Stderr = environ, os.Stderr
		out, err := cmd.Output()
		if err != nil {
			err = fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
		}
		return strings.TrimSpace(string(out)), err
	}
	if _, err := run("test", "-c", "-fuzz", ".", "-o", x.path, "./"+p.folder); err != nil {
		return x, err
	}
	name, err := run("list", "./"+p.folder)
	if err != nil {
		return x, err
	}
	cache, err := run("env", "GOCACHE")
	x.corpus = filepath.Join(cache, "fuzz", name) // where go test -fuzz keeps it
	return x, err
}

// minimizing is how long an input may be made shorter: Go's minute for each would leave little for the search.
const minimizing = time.Second

// fuzz runs one function with one worker. An error says that it failed.
func (x program) fuzz(ctx context.Context, name string, length time.Duration) (o outcome, err error) {
	cmd := exec.CommandContext(ctx, x.path, "-test.run", "^$", "-test.fuzz", "^"+name+"$", "-test.fuzztime", length.String(),
		"-test.fuzzminimizetime", minimizing.String(), "-test.parallel", "1", "-test.fuzzcachedir", x.corpus)
	cmd.Dir = x.folder
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return o, err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return o, err
	}
	var said []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if m := progress.FindStringSubmatch(lines.Text()); m != nil {
			o.executions, _ = strconv.Atoi(m[1])
			o.inputs, _ = strconv.Atoi(m[2])
		} else if len(said) < 40 {
			said = append(said, lines.Text())
		}
	}
	err = cmd.Wait()
	o.processor = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	text := strings.Join(said, "\n")
	if err != nil && strings.Contains(text, "context deadline exceeded") && !strings.Contains(text, "Failing input") {
		err = nil // Go's fuzzer says so now and then when its time ends within an input: nothing has failed
	}
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, text)
	}
	return o, err
}
