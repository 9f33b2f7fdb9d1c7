// Package probe loads a bundle for the first time, in a process of its own.
//
// TensorFlow Lite crashes on some hostile or broken files, and no Go code can
// catch that. So a bundle that nobody here has run yet is loaded and run in a
// child process with bounded time and memory; what becomes of the child is the
// [Report]. The child is this very program: its main calls [Main] first.
//
// A probe finds files that crash, hang or eat memory. It is no sandbox: the
// child has the rights of its parent, and a file that takes TensorFlow Lite over
// instead of crashing it could make it report anything. Against that, only run
// bundles that are signed by someone whom you trust.
//
// Run may be called from any goroutine.
package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/fathom-edge/fathom/runtime/bundle"
)

// Limits of a probe.
type Limits struct {
	// Time for everything, by the clock on the wall.
	Time time.Duration
	// Memory that the child may take beyond what it starts with, in bytes. Only Linux holds it to that.
	Memory int64
	// Threads per inference; 0 means 1.
	Threads int
}

// DefaultLimits are wide enough for any network that a board could run at all.
func DefaultLimits() Limits { return Limits{Time: time.Minute, Memory: 1 << 30, Threads: 1} }

// minMemory is below what a child needs for itself.
const minMemory = 192 << 20

func (l Limits) check() error {
	switch {
	case l.Time < time.Second:
		return fmt.Errorf("probe: %v is too short a time (1s at least)", l.Time)
	case l.Memory < minMemory || l.Memory > math.MaxInt64/2:
		return fmt.Errorf("probe: memory of %d MiB: %d MiB at least", l.Memory>>20, minMemory>>20)
	case l.Threads < 1:
		return fmt.Errorf("probe: %d threads: 1 at least", l.Threads)
	}
	return nil
}

// Outcome of a probe.
type Outcome string

const (
	// Passed: every segment was loaded and every variant was run.
	Passed Outcome = "passed"
	// Refused: something is wrong with the bundle, and was noticed in an orderly way.
	Refused Outcome = "refused"
	// Crashed: the process died.
	Crashed Outcome = "crashed"
	// OutOfMemory: it wanted more than the limit, or the kernel killed it for memory.
	OutOfMemory Outcome = "out of memory"
	// Hung: it was not done when its time was over.
	Hung Outcome = "hung"
)

// Step is something that the child does. It says so before.
type Step struct {
	// Doing is a verb: "loading", "running".
	Doing string `json:"doing"`
	// Segment is a file of the bundle, Variant a name; at most one is given, none means the whole bundle.
	Segment string `json:"segment,omitempty"`
	Variant string `json:"variant,omitempty"`
}

// String is never empty.
func (s Step) String() string {
	switch {
	case s.Segment != "":
		return s.Doing + " " + s.Segment
	case s.Variant != "":
		return s.Doing + " variant " + s.Variant
	case s.Doing != "":
		return s.Doing + " the whole bundle"
	default:
		return "starting"
	}
}

// Report is what became of a probe.
type Report struct {
	Outcome Outcome `json:"outcome"`
	// Last is the last step that was begun.
	Last Step `json:"last"`
	// Problem is one line; empty if it passed.
	Problem string `json:"problem,omitempty"`
	// Signal names what the process died of, e.g. SIGSEGV, where that is known.
	Signal string `json:"signal,omitempty"`
	// Seconds by the clock, and the most memory that the child had at a time.
	Seconds   float64 `json:"seconds"`
	PeakBytes int64   `json:"peak_bytes,omitempty"`
}

// Err is nil if the bundle passed, and otherwise one line that says what happened and where.
func (r Report) Err() error {
	if r.Outcome == Passed {
		return nil
	}
	return fmt.Errorf("probe: %s while %s: %s", r.Outcome, r.Last, r.Problem)
}

// asProbe in the environment makes a process a child.
const asProbe = "PROBE_OF_FATHOM"

// Run probes a bundle that was opened, so that files which are merely damaged
// never get here. An error says that the probe itself could not be done;
// whatever the bundle did is in the report.
func Run(ctx context.Context, b *bundle.Bundle, limits Limits) (Report, error) {
	if err := limits.check(); err != nil {
		return Report{}, err
	}
	dir, err := filepath.Abs(b.Dir)
	if err != nil {
		return Report{}, fmt.Errorf("probe: %w", err)
	}
	program, err := os.Executable()
	if err != nil {
		return Report{}, fmt.Errorf("probe: %w", err)
	}
	line, err := json.Marshal(task{Dir: dir, Digest: b.Digest, Limits: limits})
	if err != nil {
		return Report{}, fmt.Errorf("probe: %w", err)
	}
	limited, cancel := context.WithTimeout(ctx, limits.Time)
	defer cancel()
	cmd := exec.CommandContext(limited, program)
	cmd.Env = childEnvironment(os.Environ())
	cmd.WaitDelay = time.Second // a grandchild that keeps the pipes open does not keep us
	var steps follower
	var messages headTail
	cmd.Stdout, cmd.Stderr = &steps, &messages
	// The child ends when its standard input does, which stays open as long as this process lives.
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return Report{}, fmt.Errorf("probe: %w", err)
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return Report{}, fmt.Errorf("probe: starting %s: %w", program, err)
	}
	_, _ = stdin.Write(append(line, '\n')) // a child that died already shows in Wait
	_ = cmd.Wait()                         // what it died of is in ProcessState
	took := time.Since(began)
	if err := ctx.Err(); err != nil {
		return Report{}, fmt.Errorf("probe: %w", err)
	}
	r := judge(steps.last, messages.String(), cmd.ProcessState, limited.Err() != nil, limits)
	r.Seconds, r.PeakBytes = took.Seconds(), peakBytes(cmd.ProcessState)
	return r, nil
}

// childEnvironment keeps what the dynamic linker needs, and nothing that may be secret.
func childEnvironment(parent []string) []string {
	env := []string{asProbe + "=1"}
	for _, v := range parent {
		if strings.HasPrefix(v, "LD_LIBRARY_PATH=") || strings.HasPrefix(v, "PATH=") {
			env = append(env, v)
		}
	}
	return env
}
