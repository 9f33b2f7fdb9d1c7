package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	broker "github.com/mochi-mqtt/server/v2"

	"github.com/fathom-edge/fathom/boards/boardtest"
	"github.com/fathom-edge/fathom/internal/results"
)

const (
	fixture = "testdata/boards/pi4.txtar"
	bundle  = "testdata/bundles/tiny"
	token   = "a-token-that-nobody-guesses"
	fps     = 30
	// mostPictures are kept.
	mostPictures = 20
	// patience is how long a fault may go untold, and how long its end may take to be noticed: what is tried again is tried
	// within half a minute.
	patience = time.Minute
)

// settling is how long after a start what was broken before it may still show.
const settling = 3 * time.Second

// trial is one run.
type trial struct {
	options options
	dir     string
	subject *subject
	disk    disk
	camera  *webCamera
	hook    *receiver
	broker  *broker.Server
	to      map[string]*proxy // camera, broker, webhook
	servers []*http.Server
	release func() error // of the fixture
	client  *http.Client

	calm     sync.RWMutex // written while nothing may be broken
	kills    bool         // guarded by calm
	starving atomic.Bool  // it may end for lack of memory
	began    time.Time

	mu     sync.Mutex
	counts map[string]*count // by kind
	wrong  []string
	broken int
	lost   []float64 // lines of the log that were older than a second at a kill
	memory struct{ resident, goroutines, files []float64 }
	frames float64
	quiet  int // moments in which all was well
	stall  time.Duration
}

// count is what came of the faults of a kind.
type count struct{ done, untold, unrecovered, cutShort int }

func newTrial(o options) (t *trial, err error) {
	t = &trial{options: o, counts: map[string]*count{}, to: map[string]*proxy{}, hook: &receiver{}}
	t.client = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	if t.dir, err = os.MkdirTemp("", "bench-faults-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = t.close()
		}
	}()
	t.disk.path = filepath.Join(t.dir, "disk")
	state := filepath.Join(t.disk.path, "state")
	if err := os.Mkdir(t.disk.path, 0o755); err != nil {
		return nil, err
	}
	if err := syscall.Mount("tmpfs", t.disk.path, "tmpfs", 0, fmt.Sprintf("size=%d", diskBytes)); err != nil {
		t.disk.path = ""
		return nil, fmt.Errorf("mount a tmpfs: %w (run as root)", err)
	}
	if err := os.Mkdir(state, 0o755); err != nil {
		return nil, err
	}
	if t.release, err = boardtest.Unpack(fixture, filepath.Join(t.dir, "board")); err != nil {
		return nil, err
	}
	if t.camera, err = newWebCamera(fps); err != nil {
		return nil, err
	}
	var address string
	if t.broker, address, err = newBroker(); err != nil {
		return nil, err
	}
	if t.to["broker"], err = newProxy(address); err != nil {
		return nil, err
	}
	for name, h := range map[string]http.Handler{"camera": t.camera, "webhook": t.hook} {
		s, address, err := serve(h)
		if err != nil {
			return nil, err
		}
		t.servers = append(t.servers, s)
		if t.to[name], err = newProxy(address); err != nil {
			return nil, err
		}
	}
	t.subject = &subject{config: filepath.Join(t.dir, "fathomd.yaml"), state: state}
	if o.keep != "" {
		f, err := os.Create(o.keep)
		if err != nil {
			return nil, err
		}
		t.subject.keep = f
	}
	if err := os.Setenv(clockFile, filepath.Join(t.dir, "clock")); err != nil {
		return nil, err
	}
	if t.subject.binary, err = buildShifted(t.dir); err != nil {
		return nil, err
	}
	return t, t.start()
}

// start starts it with the right configuration: with a wrong one it would not. It needs subject.running, but for the first time.
func (t *trial) start() error { return errors.Join(t.configure(""), t.subject.start()) }

// configure writes the configuration with something added.
func (t *trial) configure(more string) error {
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	at := func(name string) string { return filepath.Join(t.disk.path, name) }
	text := fmt.Sprintf(`bundle: %s
listen: 127.0.0.1:0
source: {kind: camera, address: "http://%s/stream", fps: %d}
target_rate: %d
objectives: {least_fps: %d}
smoothing: 0s
sensors: {root: %s}
stale_after: 5s
events: {enter: 0.05, leave: 0.05, appear_after: 0s, gone_after: 0s, present_every: 1s}
event_log: %s
decision_log: %s
prediction_log: %s
logs: {file_bytes: 65536, files: 3, bytes_per_hour: 1073741824, sync_every: 1s}
snapshots: {folder: %s, files: %d, per_hour: 36000, on: [appeared, present, gone]}
webhook: {url: "http://%s/", timeout: 1s}
mqtt: {broker: "mqtt://%s", id: faults, controls: true, every: 1s, image_every: 1s}
`, filepath.Join(here, bundle), t.to["camera"].address, fps, fps, fps, filepath.Join(t.dir, "board"), at("events.jsonl"), at("decisions.jsonl"),
		at("predictions.jsonl"), at("pictures"), mostPictures, t.to["webhook"].address, t.to["broker"].address)
	return errors.Join(os.Setenv("FATHOM_TOKEN", token), os.WriteFile(t.subject.config, []byte(text+more), 0o644))
}

// close ends everything. An error says that something could not be cleaned up.
func (t *trial) close() error {
	var errs []error
	if t.subject != nil && t.subject.cmd != nil {
		_, err := t.subject.end(syscall.SIGTERM, startPatience)
		errs = append(errs, err)
	}
	for _, s := range t.servers {
		errs = append(errs, s.Close())
	}
	if t.broker != nil {
		errs = append(errs, t.broker.Close())
	}
	if t.release != nil {
		errs = append(errs, t.release())
	}
	if t.disk.path != "" {
		errs = append(errs, syscall.Unmount(t.disk.path, 0))
	}
	return errors.Join(append(errs, os.RemoveAll(t.dir))...)
}

// run lets faults come until the time is over.
func (t *trial) run(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, t.options.length)
	defer cancel()
	t.began, t.kills = time.Now(), true
	var wg sync.WaitGroup
	watched, stop := context.WithCancel(context.Background())
	wg.Go(func() { t.scrape(watched) })
	var actors sync.WaitGroup
	for i, a := range t.actors() {
		rng := rand.New(rand.NewPCG(t.options.seed, uint64(i)))
		actors.Go(func() {
			for sleep(ctx, time.Duration(rng.ExpFloat64()*float64(a.pause))) {
				t.inject(ctx, rng, a.faults[rng.IntN(len(a.faults))])
			}
		})
	}
	actors.Go(func() { t.calmly(ctx) })
	actors.Wait()
	t.moment(context.Background()) // after the last fault, all must be well
	stop()
	wg.Wait()
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// scrape keeps the view new.
func (t *trial) scrape(ctx context.Context) {
	answered := time.Now()
	for sleep(ctx, 50*time.Millisecond) {
		t.revive()
		if err := t.subject.scrape(t.client); err == nil {
			answered = time.Now()
		}
		t.mu.Lock()
		t.stall = max(t.stall, time.Since(answered))
		t.mu.Unlock()
	}
}

// revive starts it again where it has ended by itself, as systemd would.
func (t *trial) revive() {
	if !t.subject.running.TryLock() {
		return
	}
	defer t.subject.running.Unlock()
	if !t.subject.gone() {
		return
	}
	if t.starving.Load() {
		t.note("process: ended for lack of memory", func(c *count) { c.done++ })
	} else {
		t.wrongly("it ended by itself: %s", t.subject.last())
		t.note("process: ended by itself", func(c *count) { c.done++; c.unrecovered++ })
	}
	if err := t.start(); err != nil {
		t.wrongly("after it ended by itself: %v", err)
	}
}

// fault is one kind of what can go wrong.
type fault struct {
	kind string
	// begin breaks something until end is called; end may be nil.
	begin func(*rand.Rand) (end func() error, err error)
	// One of the counters of /metrics must have grown, and the log must have said; none where a person need not see it.
	counters []string
	says     string
	// moot tells that another fault has kept it from being noticed; nil for never.
	moot func(before, now view) bool
	// parts must work again afterwards.
	parts []string
	// hold is about how long it goes on after it was told.
	hold time.Duration
	// kills tells that it ends the process, or may.
	kills bool
}

// errNotBegun is what a fault's begin returns where another fault did not let it begin: it does not count.
var errNotBegun = errors.New("not begun")

// actor breaks one thing after the other.
type actor struct {
	pause  time.Duration // about
	faults []fault
}

// wrongly notes something that should not be, and keeps the first ones to tell.
func (t *trial) wrongly(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if text := fmt.Sprintf(format, args...); len(t.wrong) < 200 {
		t.wrong = append(t.wrong, text)
		fmt.Fprintf(os.Stderr, "%s %s\n", time.Now().Format("15:04:05.000"), text)
	}
}

func (t *trial) note(kind string, change func(*count)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts[kind] == nil {
		t.counts[kind] = &count{}
	}
	change(t.counts[kind])
}

// inject lets one fault come and go.
func (t *trial) inject(ctx context.Context, rng *rand.Rand, f fault) {
	t.calm.RLock()
	defer t.calm.RUnlock()
	if ctx.Err() != nil || f.kills && !t.kills {
		return
	}
	asked := time.Now()
	if f.parts != nil && !t.wait(func(v view) bool { return v.asked.After(asked) && v.running > settling && f.well(v) }) {
		return // noted by who broke it
	}
	before, position := t.subject.look(), t.subject.position()
	end, err := f.begin(rng)
	if errors.Is(err, errNotBegun) || errors.Is(err, syscall.ESRCH) { // it has just been ended
		return
	}
	if err != nil {
		t.wrongly("%s: %v", f.kind, err)
		t.note(f.kind, func(c *count) { c.unrecovered++ })
	}
	another := func() bool {
		_, now := t.subject.address()
		return now != before.starts && !f.kills || f.moot != nil && f.moot(before, t.subject.look())
	}
	told := t.wait(func(v view) bool {
		grown := f.counters == nil || f.counted(v) > f.counted(before) || v.starts != before.starts && f.counted(v) > 0
		return another() || grown && (f.says == "" || t.subject.said(f.says, position))
	})
	sleep(ctx, time.Duration(rng.ExpFloat64()*float64(f.hold)))
	if end != nil {
		if err := end(); err != nil && !(another() && errors.Is(err, syscall.ESRCH)) {
			t.wrongly("%s: end: %v", f.kind, err)
		}
	}
	ended := time.Now()
	if end != nil {
		ended = ended.Add(300 * time.Millisecond) // in which what the end broke is noticed
	}
	well := f.parts == nil || t.wait(func(v view) bool { return v.asked.After(ended) && f.well(v) })
	t.note(f.kind, func(c *count) {
		c.done++
		if another() {
			c.cutShort++
		}
		if !told && !another() {
			c.untold++
		}
		if !well {
			c.unrecovered++
		}
	})
	if !told && !another() {
		t.wrongly("%s: nothing told of it: %s grew from %g to %g, %q said: %v", f.kind, f.counters, f.counted(before),
			f.counted(t.subject.look()), f.says, t.subject.said(f.says, position))
	}
	if !well {
		t.wrongly("%s: not well again after %v", f.kind, patience)
	}
}

// well tells whether the parts that it breaks work.
func (f fault) well(v view) bool {
	return !slices.ContainsFunc(f.parts, func(part string) bool { return v.sum(`fathom_fault{part="`+part+`"}`) > 0 })
}

// counted adds its counters.
func (f fault) counted(v view) (total float64) {
	for _, c := range f.counters {
		total += v.sum(c)
	}
	return total
}

// wait tells whether something came true in time.
func (t *trial) wait(until func(view) bool) bool {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if v := t.subject.look(); v.values != nil && until(v) {
			return true
		}
	}
	return false
}

// calmly stops all faults now and then.
func (t *trial) calmly(ctx context.Context) {
	for sleep(ctx, max(t.options.length/20, 10*time.Second)) {
		t.moment(ctx)
	}
}

// moment looks whether all is well while nothing is broken, and what is in use.
func (t *trial) moment(ctx context.Context) {
	t.calm.Lock()
	defer t.calm.Unlock()
	healthy := func(v view) bool { return v.sum("fathom_degraded") == 0 && v.sum("fathom_frames_total") > 0 }
	asked := time.Now()
	if !t.wait(func(v view) bool { return v.asked.After(asked) && healthy(v) }) {
		v := t.subject.look()
		var faulty []string
		for name, value := range v.values {
			if strings.HasPrefix(name, "fathom_fault{") && value > 0 {
				faulty = append(faulty, name)
			}
		}
		t.wrongly("not well in a quiet moment: %v", faulty)
		t.note("quiet moments", func(c *count) { c.unrecovered++ })
	}
	before := t.subject.look().sum("fathom_frames_total")
	if !sleep(ctx, 2*time.Second) {
		return
	}
	asked = time.Now()
	if !t.wait(func(v view) bool { return v.asked.After(asked) && v.sum("fathom_frames_total") > before }) {
		t.wrongly("no frames in a quiet moment")
		t.note("quiet moments", func(c *count) { c.unrecovered++ })
	}
	if found := leftovers(t.subject.state, filepath.Join(t.disk.path, "pictures")); len(found) > 0 {
		t.wrongly("left over: %v", found)
		t.mu.Lock()
		t.broken += len(found)
		t.mu.Unlock()
	}
	v := t.subject.look()
	t.mu.Lock()
	t.quiet++
	t.frames = max(t.frames, v.sum("fathom_frames_total"))
	if !t.kills {
		t.memory.resident = append(t.memory.resident, v.sum("process_resident_memory_bytes"))
		t.memory.goroutines = append(t.memory.goroutines, v.sum("go_goroutines"))
		t.memory.files = append(t.memory.files, v.sum("process_open_fds"))
	}
	faults, wrong := 0, len(t.wrong)
	for _, c := range t.counts {
		faults += c.done
	}
	fmt.Fprintf(os.Stderr, "%8s of %v: %d faults of %d kinds, %d wrong, %d starts; %.1f MiB, %g goroutines, %g files, %g frames\n",
		time.Since(t.began).Round(time.Second), t.options.length, faults, len(t.counts), wrong, v.starts, v.sum("process_resident_memory_bytes")/(1<<20),
		v.sum("go_goroutines"), v.sum("process_open_fds"), v.sum("fathom_frames_total"))
	t.mu.Unlock()
	if time.Since(t.began) > t.options.length/3 {
		t.kills = false
	}
}

// rows states what happened.
func (t *trial) rows() []results.Row {
	command := fmt.Sprintf("go run ./scripts/bench-faults --for %v --seed %d", t.options.length, t.options.seed)
	machine := results.Machine()
	var rows []results.Row
	add := func(id, what string, value float64, unit, op string, limit float64) {
		r := results.One(id, what, value, unit, op, limit, command)
		r.Machine = machine
		rows = append(rows, r)
	}
	var sum count
	kinds := make([]string, 0, len(t.counts))
	for kind, c := range t.counts {
		kinds = append(kinds, kind)
		sum.done += c.done
		sum.untold += c.untold
		sum.unrecovered += c.unrecovered
		sum.cutShort += c.cutShort
	}
	slices.Sort(kinds)
	add("length", "length of the run", t.options.length.Seconds(), "s", "", 0)
	add("faults", "faults", float64(sum.done), "", "", 0)
	add("untold", "faults that /metrics or the log did not show within a minute", float64(sum.untold), "", "<=", 0)
	add("unrecovered", "faults after whose end something did not work again within a minute", float64(sum.unrecovered), "", "<=", 0)
	add("broken", "broken or left-over files after kills", float64(t.broken), "", "<=", 0)
	add("cut-short", "faults during which another one took away what tells of them (a kill, mostly), so that only the recovery counts", float64(sum.cutShort), "", "", 0)
	add("starts", "starts of fathomd", float64(t.subject.starts), "", "", 0)
	if len(t.lost) > 0 {
		most := results.One("lost", "most lines of the prediction log lost to a kill that were more than a second old", slices.Max(t.lost), "lines", "<=", 0, command)
		most.Machine, most.Samples = machine, t.lost
		rows = append(rows, most)
	}
	add("frames", "frames classified by the process that lived longest", t.frames, "", "", 0)
	add("quiet", "quiet moments in which everything was looked at", float64(t.quiet), "", "", 0)
	add("unanswered", "longest time in which /metrics did not answer, restarts included", t.stall.Seconds(), "s", "", 0)
	for _, g := range []struct {
		id, what, unit string
		scale          float64
		samples        []float64
		limit          float64
	}{
		{"resident-growth", "resident memory of one process, mean of the last quarter of the quiet moments less the second's", "MiB", 1 << 20, t.memory.resident, 4},
		{"goroutine-growth", "goroutines, likewise", "", 1, t.memory.goroutines, 2},
		{"file-growth", "open files, likewise", "", 1, t.memory.files, 2},
	} {
		if n := len(g.samples) / 4; n > 0 {
			add(g.id, g.what, (mean(g.samples[len(g.samples)-n:])-mean(g.samples[n:2*n]))/g.scale, g.unit, "<=", g.limit)
		}
	}
	for _, kind := range kinds {
		add("kind-"+strings.ReplaceAll(strings.ReplaceAll(kind, ": ", "-"), " ", "-"), kind, float64(t.counts[kind].done), "", "", 0)
	}
	return rows
}

func mean(values []float64) float64 {
	var sum float64
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// dial connects to the page.
func (t *trial) dial() (net.Conn, error) {
	url, _ := t.subject.address()
	return net.DialTimeout("tcp", strings.TrimPrefix(url, "http://"), 5*time.Second)
}
