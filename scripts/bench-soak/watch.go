package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fathom-edge/fathom/internal/results"
)

// deadlock is how long an actor may take for one act.
const deadlock = 2 * time.Minute

// watch looks at memory and at whether everybody still acts.
type watch struct {
	length time.Duration
	began  time.Time

	mu    sync.Mutex
	seen  map[int]time.Time
	stall time.Duration // of frames

	resident, threads []float64    // bytes, and threads of the system, at even times
	log               bytes.Buffer // some sixty lines
}

func newWatch(length time.Duration) *watch {
	return &watch{length: length, began: time.Now(), seen: map[int]time.Time{}}
}

// alive notes that an actor has acted; 0 is the one that infers.
func (w *watch) alive(actor int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if last, ok := w.seen[actor]; ok && actor == 0 {
		w.stall = max(w.stall, now.Sub(last))
	}
	w.seen[actor] = now
}

// run samples until ctx ends, and ends the program when an actor is stuck.
func (w *watch) run(ctx context.Context, t *trial) {
	const samples = 500
	every := max(w.length/samples, 500*time.Millisecond)
	told, c := time.Now(), &t.counts
	for sleep(ctx, every) {
		t.comparable(ctx, func() {
			w.resident = append(w.resident, float64(status("VmRSS")<<10))
			w.threads = append(w.threads, float64(status("Threads")))
		})
		w.stuck()
		if len(w.resident) > 0 && time.Since(told) >= max(w.length/60, time.Second) {
			told = time.Now()
			line := fmt.Sprintf("%8s of %s: %d frames, %d swaps, %d thread changes, %d loads refused, %.1f MiB, %d wrong\n", time.Since(w.began).Round(time.Second),
				w.length, c.frames.Load(), c.swaps.Load(), c.threads.Load(), c.refused.Load(), w.resident[len(w.resident)-1]/(1<<20), c.wrong.Load())
			fmt.Fprint(os.Stderr, line)
			w.log.WriteString(line)
		}
	}
}

func (w *watch) stuck() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for actor, last := range w.seen {
		if time.Since(last) > deadlock {
			fmt.Fprintf(os.Stderr, "bench-soak: deadlock: actor %d has not acted for %v\n", actor, deadlock)
			_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 2)
			os.Exit(3)
		}
	}
}

// tenths are the medians of the second and the last tenth of the samples. In the
// first, heaps and threads grow to what the work needs.
func tenths(samples []float64) (second, last float64) {
	n := len(samples) / 10
	if n == 0 {
		return math.NaN(), math.NaN()
	}
	return results.Median(samples[n : 2*n]), results.Median(samples[len(samples)-n:])
}

// status is the number in a field of /proc/self/status, where sizes are in KiB.
func status(field string) int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err == nil {
				return n
			}
		}
	}
	return 0
}
