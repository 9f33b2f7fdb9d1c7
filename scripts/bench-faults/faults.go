package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/fathom-edge/fathom/boards/boardtest"
)

// actors are all that breaks things, each its own.
func (t *trial) actors() []actor {
	return []actor{
		{300 * time.Millisecond, t.cameraFaults()},
		{6 * time.Second, t.brokerFaults()}, // connections that live shorter make its pauses longer
		{time.Second, t.wishFaults()},       // more than 60 in a minute are refused unseen
		{500 * time.Millisecond, t.webhookFaults()},
		{300 * time.Millisecond, t.sensorFaults()},
		{2 * time.Second, t.diskFaults()},
		{4 * time.Second, t.processFaults()},
		{300 * time.Millisecond, t.configurationFaults()},
		{100 * time.Millisecond, t.slowClients()},
		{100 * time.Millisecond, t.slowClients()},
		{20 * time.Millisecond, t.hastyClients()},
		{20 * time.Millisecond, t.hastyClients()},
		{2 * time.Second, t.clockFaults()},
	}
}

// faultsOf are the counters of the faults of parts, and degraded what the log says of one.
func faultsOf(parts ...string) (counters []string) {
	for _, part := range parts {
		counters = append(counters, `fathom_faults_total{part="`+part+`"}`)
	}
	return counters
}
func degraded(part string) string { return "msg=degraded part=" + part }

// broken is a fault of a part that is told as such.
func broken(part, kind string, hold time.Duration, begin func(*rand.Rand) (func() error, error)) fault {
	return fault{kind: part + ": " + kind, begin: begin, counters: faultsOf(part), says: degraded(part), parts: []string{part}, hold: hold}
}

// always makes a fault of something that cannot fail to begin.
func always(end func() error) (func() error, error) { return end, nil }

func (t *trial) cameraFaults() []fault {
	way := t.to["camera"]
	pictures := func(kind string, spoil func(*rand.Rand, []byte) []byte) fault {
		return broken("camera", kind, 100*time.Millisecond, func(rng *rand.Rand) (func() error, error) {
			return always(t.camera.spoiled(func(p []byte) []byte { return spoil(rng, bytes.Clone(p)) }))
		})
	}
	status := func(code int64) fault {
		return broken("camera", fmt.Sprintf("answers %d", code), 100*time.Millisecond, func(*rand.Rand) (func() error, error) {
			t.camera.answer.Store(code)
			way.cut()
			return always(func() error { t.camera.answer.Store(0); return nil })
		})
	}
	odd := pictures("another size", func(*rand.Rand, []byte) []byte { return t.camera.odd }) // which it takes
	odd.counters, odd.says = nil, ""
	n := 0
	third := pictures("every third picture damaged", func(_ *rand.Rand, p []byte) []byte {
		if n++; n%3 == 0 {
			return p[:len(p)/2]
		}
		return p
	})
	third.hold = time.Second
	return []fault{
		odd, third,
		broken("camera", "unplugged", 300*time.Millisecond, func(*rand.Rand) (func() error, error) { return always(way.refuse()) }),
		broken("camera", "connection cut", 0, func(*rand.Rand) (func() error, error) { way.cut(); return nil, nil }),
		pictures("garbage", func(rng *rand.Rand, p []byte) []byte { return []byte(noise(rng, len(p))) }),
		pictures("truncated JPEG", func(rng *rand.Rand, p []byte) []byte { return p[:rng.IntN(len(p)*3/4)] }),
		pictures("damaged JPEG header", func(rng *rand.Rand, p []byte) []byte { copy(p[2:], noise(rng, 30)); return p }),
		pictures("JPEG of 65535x65535", resized),
		pictures("empty pictures", func(*rand.Rand, []byte) []byte { return []byte{} }),
		pictures("endless picture", func(_ *rand.Rand, p []byte) []byte { return bytes.Repeat(p[:len(p)-2], 9000) }),
		status(404), status(500), status(401),
		broken("camera", "stalls", 0, func(*rand.Rand) (func() error, error) {
			return always(t.camera.spoiled(func([]byte) []byte { return nil }))
		}),
		broken("camera", "way swallows everything", 0, func(*rand.Rand) (func() error, error) { return always(way.swallow()) }),
	}
}

// resized states another size in the JPEG's header (SOF0: marker, length, precision, height, width).
func resized(_ *rand.Rand, p []byte) []byte {
	if at := bytes.Index(p, []byte{0xFF, 0xC0}); at > 0 {
		copy(p[at+5:], []byte{0xFF, 0xFF, 0xFF, 0xFF})
	}
	return p
}

func (t *trial) brokerFaults() []fault {
	way := t.to["broker"]
	return []fault{
		broken("mqtt", "broker gone", time.Second, func(*rand.Rand) (func() error, error) { return always(way.refuse()) }),
		broken("mqtt", "connection cut", 0, func(*rand.Rand) (func() error, error) { way.cut(); return nil, nil }),
		broken("mqtt", "broker babbles", 0, func(rng *rand.Rand) (func() error, error) { way.babble(rng); way.cut(); return nil, nil }),
		broken("mqtt", "broker swallows everything", 0, func(*rand.Rand) (func() error, error) { return always(way.swallow()) }),
		{kind: "mqtt: slow broker", hold: 3 * time.Second, parts: []string{"mqtt"},
			begin: func(*rand.Rand) (func() error, error) { return always(way.slow(300 * time.Millisecond)) }},
	}
}

func (t *trial) wishFaults() []fault {
	return []fault{{kind: "mqtt: command that makes no sense", counters: []string{`fathom_mqtt_commands_total{result="refused"}`}, says: "a wish is refused",
		moot: func(before, now view) bool { // it was lost on the way
			return now.sum("fathom_mqtt_connected") == 0 || now.sum("fathom_mqtt_connections_total") != before.sum("fathom_mqtt_connections_total")
		},
		begin: func(rng *rand.Rand) (func() error, error) {
			name, payload := wishes(rng)
			return nil, t.broker.Publish("fathom/faults/set/"+name, []byte(payload), false, 1)
		}}}
}

func (t *trial) webhookFaults() []fault {
	way := t.to["webhook"]
	answers := func(kind string, code int64) fault {
		return broken("webhook", kind, 300*time.Millisecond, func(*rand.Rand) (func() error, error) { return always(t.hook.answering(code)) })
	}
	return []fault{
		answers("answers 500", 500), answers("answers 429", 429), answers("refuses with 400", 400),
		answers("does not answer", -1), answers("babbles", -2),
		broken("webhook", "gone", 300*time.Millisecond, func(*rand.Rand) (func() error, error) { return always(way.refuse()) }),
	}
}

// thermometers are all attributes from which the board's temperature can be known.
var thermometers = []string{"sys/class/thermal/thermal_zone0/temp", "sys/class/hwmon/hwmon0/temp1_input"}

func (t *trial) sensorFaults() []fault {
	root := filepath.Join(t.dir, "board")
	put := func(value string) error {
		for _, name := range thermometers {
			if err := os.RemoveAll(filepath.Join(root, name)); err != nil {
				return err
			}
			if err := boardtest.Put(root, name, value); err != nil {
				return err
			}
		}
		return nil
	}
	mend := func() error { return put("61835\n") }
	says := func(kind, value string) fault {
		return broken("temperature", kind, 200*time.Millisecond, func(*rand.Rand) (func() error, error) { return mend, put(value) })
	}
	hot := says("jumps to 108 degrees", "108000\n") // which a board may have: the governor acts, nothing is broken
	hot.counters, hot.says = nil, ""
	return []fault{
		says("nonsense", "hot\n"), says("empty", ""), says("below absolute zero", "-300000\n"), says("a million degrees", "1000000000\n"), hot,
		broken("temperature", "vanishes", 200*time.Millisecond, func(*rand.Rand) (func() error, error) {
			for _, name := range thermometers {
				if err := os.RemoveAll(filepath.Join(root, name)); err != nil {
					return mend, err
				}
			}
			return mend, nil
		}),
		broken("temperature", "EAGAIN", 200*time.Millisecond, func(*rand.Rand) (func() error, error) {
			var open []*os.File
			for _, name := range thermometers {
				f, err := boardtest.Fifo(root, name)
				if err != nil {
					return mend, err
				}
				open = append(open, f)
			}
			return func() error {
				defer func() {
					for _, f := range open {
						_ = f.Close()
					}
				}()
				return mend()
			}, nil
		}),
	}
}

// written are the parts that need the disk.
var written = []string{"prediction_log", "event_log", "decision_log", "snapshots"}

func (t *trial) diskFaults() []fault {
	remount := func(flags uintptr) error {
		return syscall.Mount("tmpfs", t.disk.path, "tmpfs", syscall.MS_REMOUNT|flags, fmt.Sprintf("size=%d", diskBytes))
	}
	return []fault{
		// Whichever part needs room first: a log that begins a new file frees some for the others.
		{kind: "disk: full", counters: faultsOf(written...), says: "no space left on device", parts: written, hold: 2 * time.Second,
			begin: func(*rand.Rand) (func() error, error) { return t.disk.fill() }},
		{kind: "disk: read-only at the start", counters: faultsOf("prediction_log"), says: degraded("prediction_log"), parts: written, hold: 2 * time.Second, kills: true,
			begin: func(*rand.Rand) (func() error, error) {
				t.subject.running.Lock()
				defer t.subject.running.Unlock()
				t.killed()
				if err := remount(syscall.MS_RDONLY); err != nil {
					return nil, err
				}
				t.disk.trouble()
				return func() error { defer t.disk.mended(); return remount(0) }, t.start()
			}},
	}
}

// killed ends it without a warning, and looks at what it left.
func (t *trial) killed() {
	at := time.Now()
	told := t.subject.lineCount(at.Add(-time.Second))
	_, _ = t.subject.end(syscall.SIGKILL, startPatience)
	d := examine(t.disk.path, t.subject.state, t.subject.started)
	for _, b := range d.broken {
		t.wrongly("after a kill: %s", b)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.broken += len(d.broken)
	if !t.disk.troubled(at) && !d.rotated {
		t.lost = append(t.lost, max(0, told-float64(d.lines)))
	}
}

func (t *trial) processFaults() []fault {
	again := func(end func() error) func(*rand.Rand) (func() error, error) {
		return func(*rand.Rand) (func() error, error) {
			t.subject.running.Lock()
			defer t.subject.running.Unlock()
			if err := end(); err != nil {
				return nil, err
			}
			return nil, t.start()
		}
	}
	kill := fault{kind: "process: kill -9", kills: true, begin: again(func() error { t.killed(); return nil })}
	limit := func(kind string, resource int, used func(pid int) uint64, kills bool) fault {
		return fault{kind: "process: " + kind, hold: 2 * time.Second, kills: kills, begin: func(*rand.Rand) (func() error, error) {
			pid := t.subject.pid()
			var before unix.Rlimit
			if err := unix.Prlimit(pid, resource, nil, &before); err != nil {
				return nil, err
			}
			t.starving.Store(resource == unix.RLIMIT_DATA)
			if err := unix.Prlimit(pid, resource, &unix.Rlimit{Cur: used(pid), Max: before.Max}, nil); err != nil {
				t.starving.Store(false)
				return nil, err
			}
			return func() error {
				if err := unix.Prlimit(pid, resource, &before, nil); err != nil && err != unix.ESRCH {
					return err
				}
				sleep(context.Background(), time.Second) // in which its end is noticed
				t.starving.Store(false)
				return nil
			}, nil
		}}
	}
	return []fault{
		kill, kill, kill,
		{kind: "process: SIGTERM", kills: true, begin: again(func() error {
			state, err := t.subject.end(syscall.SIGTERM, startPatience)
			if err == nil && state.ExitCode() != 0 {
				err = fmt.Errorf("it ended with %v: %s", state, t.subject.last())
			}
			return err
		})},
		{kind: "process: stopped for a while", hold: time.Second, begin: func(*rand.Rand) (func() error, error) {
			pid := t.subject.pid()
			return func() error { return syscall.Kill(pid, syscall.SIGCONT) }, syscall.Kill(pid, syscall.SIGSTOP)
		}},
		limit("no file descriptors left", unix.RLIMIT_NOFILE, func(pid int) uint64 {
			open, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
			return uint64(len(open) + 1)
		}, false),
		limit("no memory left", unix.RLIMIT_DATA, func(pid int) uint64 { return data(pid) + 8<<20 }, true),
	}
}

// data are the bytes that RLIMIT_DATA bounds.
func data(pid int) (bytes uint64) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if _, rest, ok := strings.Cut(string(text), "VmData:"); ok {
		_, _ = fmt.Sscanf(rest, "%d", &bytes)
	}
	return bytes << 10
}

func (t *trial) configurationFaults() []fault {
	hup := func() error { return syscall.Kill(t.subject.pid(), syscall.SIGHUP) }
	mend := func() error {
		t.subject.running.Lock()
		defer t.subject.running.Unlock()
		if err := t.configure(""); err != nil {
			return err
		}
		return hup()
	}
	bad := func(kind string, write func(*rand.Rand) error) fault {
		f := broken("configuration", kind, 0, func(rng *rand.Rand) (func() error, error) {
			t.subject.running.Lock()
			defer t.subject.running.Unlock()
			return mend, errors.Join(write(rng), hup())
		})
		f.says = "configuration not reloaded"
		return f
	}
	return []fault{
		bad("unknown field", func(*rand.Rand) error { return t.configure("adress: 1\n") }),
		bad("value out of range", func(*rand.Rand) error { return t.configure("stale_after: -1s\n") }),
		bad("half written", func(rng *rand.Rand) error {
			return os.WriteFile(t.subject.config, []byte("bundle: /\nsource: {kind: cam"), 0o644)
		}),
		bad("noise", func(rng *rand.Rand) error {
			return os.WriteFile(t.subject.config, []byte("\x00"+noise(rng, 1000)), 0o644)
		}),
		bad("file missing", func(*rand.Rand) error { return os.Remove(t.subject.config) }),
		{kind: "configuration: reloaded 20 times at once", says: "configuration reloaded", parts: []string{"configuration"}, begin: func(*rand.Rand) (func() error, error) {
			t.subject.running.Lock()
			defer t.subject.running.Unlock()
			for range 20 {
				if err := hup(); err != nil {
					return nil, err
				}
			}
			return nil, nil
		}},
	}
}

// hastyClients ask for what they do not get.
func (t *trial) hastyClients() []fault {
	request := func(kind, method, path, body, bearer string, want ...int) fault {
		var counters []string
		for _, code := range want {
			counters = append(counters, fmt.Sprintf(`fathom_http_requests_total{code="%d"}`, code))
		}
		return fault{kind: "client: " + kind, counters: counters, begin: func(*rand.Rand) (func() error, error) {
			url, starts := t.subject.address()
			r, err := http.NewRequest(method, url+path, strings.NewReader(body))
			if err != nil {
				return nil, err
			}
			r.Header.Set("Content-Type", "application/json")
			if bearer != "" {
				r.Header.Set("Authorization", "Bearer "+bearer)
			}
			answer, err := t.client.Do(r)
			if _, now := t.subject.address(); err != nil || now != starts {
				return nil, errNotBegun // it is being restarted, or all connections are taken
			}
			defer answer.Body.Close()
			_, _ = io.Copy(io.Discard, answer.Body)
			for _, code := range want {
				if answer.StatusCode == code {
					return nil, nil
				}
			}
			return nil, fmt.Errorf("it answers %s, want %v", answer.Status, want)
		}}
	}
	return []fault{
		request("without a token", "POST", "/api/controls", `{"paused": true}`, "", 401),
		request("nonsense with the token", "POST", "/api/controls", `{"paused": 7}`, token, 422, 429),
		request("huge body", "POST", "/api/controls", `{"policy": "`+strings.Repeat("x", 1<<20)+`"}`, token, 413, 429),
		request("no such page", "GET", "/../../etc/passwd", "", "", 404),
		request("wrong method", "DELETE", "/api/state", "", "", 405),
		request("no such span", "GET", "/api/history?span=eternity", "", "", 400),
	}
}

// slowClients hold connections.
func (t *trial) slowClients() []fault {
	raw := func(kind string, talk func(*rand.Rand) error) fault {
		return fault{kind: "client: " + kind, begin: func(rng *rand.Rand) (func() error, error) { return nil, talk(rng) }}
	}
	// say opens a connection, sends something, and reads what comes until the other end closes it, as it must.
	say := func(text string) error {
		c, err := t.dial()
		if err != nil {
			return errNotBegun
		}
		defer c.Close()
		_, _ = io.WriteString(c, text)
		_ = c.SetReadDeadline(time.Now().Add(patience))
		if _, err := io.Copy(io.Discard, c); os.IsTimeout(err) {
			return fmt.Errorf("the connection is still open after %v", patience)
		}
		return nil
	}
	return []fault{
		raw("says nothing", func(*rand.Rand) error { return say("") }),
		raw("never ends its header", func(*rand.Rand) error { return say("GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ") }),
		raw("noise", func(rng *rand.Rand) error { return say(noise(rng, 2000) + "\r\n\r\n") }),
		raw("header of a megabyte", func(*rand.Rand) error { return say("GET / HTTP/1.1\r\nX: " + strings.Repeat("y", 1<<20) + "\r\n\r\n") }),
		raw("never sends its body", func(*rand.Rand) error {
			return say("POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
		}),
		raw("reads no answer", func(*rand.Rand) error {
			c, err := t.dial()
			if err != nil {
				return errNotBegun
			}
			defer c.Close()
			for range 200 {
				if _, err := io.WriteString(c, "GET /uplot/uplot.js HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
					break
				}
				_ = c.SetWriteDeadline(time.Now().Add(time.Second))
			}
			return nil
		}),
		{kind: "client: 200 connections at once", counters: []string{"fathom_http_connections_refused_total"}, begin: func(*rand.Rand) (func() error, error) {
			var open []io.Closer
			for range 200 {
				if c, err := t.dial(); err == nil {
					open = append(open, c)
				}
			}
			return func() error {
				for _, c := range open {
					_ = c.Close()
				}
				return nil
			}, nil
		}},
	}
}
