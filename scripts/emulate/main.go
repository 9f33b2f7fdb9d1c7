// Command emulate boots the emulated board that scripts/emulate/image.sh makes,
// installs the arm64 package on it, and tests it there: camera, sensors, broker,
// watchdog, and power cuts. It is started by scripts/emulate.sh.
//
//	emulate run --image DIR --share DIR     the test; on the host
//	emulate shell --image DIR --share DIR   a console on the board with the package
//	emulate guest                           the other end; on the board
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/fathom-edge/fathom/internal/atomicfile"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "emulate:", err)
		os.Exit(1)
	}
}

// options of the host's commands.
type options struct {
	image, share, work string
	cuts               int
	limit              time.Duration
}

func run(args []string) error {
	if len(args) == 0 {
		return errors.New("say run, shell or guest")
	}
	if args[0] == "guest" {
		return runGuest()
	}
	var o options
	flags := flag.NewFlagSet("emulate "+args[0], flag.ContinueOnError)
	flags.StringVar(&o.image, "image", "", "folder that scripts/emulate/image.sh printed")
	flags.StringVar(&o.share, "share", "", "folder with the package and what the guest runs")
	flags.StringVar(&o.work, "work", ".cache/emulate/run", "folder for disks, consoles and reports")
	flags.IntVar(&o.cuts, "cuts", 10, "power cuts")
	flags.DurationVar(&o.limit, "limit", 40*time.Minute, "time for everything")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeoutCause(ctx, o.limit, fmt.Errorf("not done after %v: the reports and consoles are in %s", o.limit, o.work))
	defer cancel()
	switch args[0] {
	case "run":
		return o.test(ctx)
	case "shell":
		m, err := newMachine(o, "shell", 2, modeShell)
		if err != nil {
			return err
		}
		return m.interact(ctx)
	}
	return fmt.Errorf("no command %q: say run, shell or guest", args[0])
}

// test runs boards side by side: one whose power is cut from the beginning, and others that take their share of that when
// their tests are done.
func (o options) test(ctx context.Context) error {
	began := time.Now()
	summary := filepath.Join(filepath.Dir(o.work), "result.json")
	if err := os.RemoveAll(summary); err != nil { // of the last run
		return err
	}
	var (
		mu  sync.Mutex
		all result
	)
	note := func(m *machine, l line) {
		mu.Lock()
		defer mu.Unlock()
		if l.First {
			all.FirstSeconds = append(all.FirstSeconds, l.Uptime)
			all.FirstCPUSeconds = append(all.FirstCPUSeconds, l.CPU)
		}
		if l.Check == "" {
			return
		}
		all.Checks = append(all.Checks, l)
		word := "ok  "
		if l.Failure != "" {
			word = "FAIL"
		}
		fmt.Printf("emulate: %s %-8s %6.1f s, %5.1f s computed  %s\n", word, m.name, l.Uptime, l.CPU, strings.TrimSpace(l.Check+"  "+l.Failure))
	}
	cuts := counter{left: o.cuts}
	var boards []*machine
	for _, b := range []struct {
		mode  string
		cores int
	}{{modeSensors, 2}, {modeFaults, 1}, {modePower, 1}} {
		m, err := newMachine(o, b.mode, b.cores, b.mode)
		if err != nil {
			return err
		}
		boards = append(boards, m)
	}
	failures := make([]error, len(boards))
	var wait sync.WaitGroup
	for i, m := range boards {
		wait.Go(func() {
			if m.name != modePower {
				if failures[i] = m.once(ctx, note); failures[i] != nil {
					return
				}
			}
			failures[i] = m.cutPower(ctx, &cuts, note)
		})
	}
	wait.Wait()
	err := errors.Join(failures...)

	all.Cuts = cuts.survived
	all.Seconds = time.Since(began).Seconds()
	all.CPUSeconds = childrenSeconds()
	all.Kernel, all.Package = readWord(filepath.Join(o.image, "release")), readWord(filepath.Join(o.share, "package"))
	failed := 0
	for _, c := range all.Checks {
		if c.Failure != "" {
			failed++
		}
	}
	// The closing line that tells how many tests ran, for whoever reads only the end.
	fmt.Printf("emulate: %.0f s, %.0f s of processors, %d power cuts\n%d passed, %d failed\n",
		all.Seconds, all.CPUSeconds, all.Cuts, len(all.Checks)-failed, failed)
	if err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d checks failed: consoles and reports are in %s", failed, o.work)
	}
	if all.Cuts < o.cuts {
		return fmt.Errorf("only %d power cuts of %d were survived", all.Cuts, o.cuts)
	}
	data, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(summary, append(data, '\n'))
}

// counter hands out power cuts to boards that want one.
type counter struct {
	mu             sync.Mutex
	left, survived int
}

func (c *counter) take() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left == 0 {
		return false
	}
	c.left--
	return true
}

func (c *counter) survive() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.survived++
}

func readWord(file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(data))
}

// writing is for how long a board writes before its power is cut: anywhere between two flushes of its logs, and mostly
// long enough that something was settled.
func writing() time.Duration { return 2*time.Second + rand.N(6*time.Second) }

func childrenSeconds() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}
