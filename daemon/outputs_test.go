//go:build cgo

package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/jpeg"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/fathom-edge/fathom/daemon/events"
	"github.com/fathom-edge/fathom/daemon/scene"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/engine"
)

// heard collects what somebody is told.
type heard struct {
	mu    sync.Mutex
	lines []string
	last  map[string][]byte // by topic
}

func (h *heard) note(line string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, line)
}

func (h *heard) kinds() (kinds []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range h.lines {
		var e events.Event
		if json.Unmarshal([]byte(l), &e) == nil {
			kinds = append(kinds, e.ID+" "+string(e.Kind)+" "+e.Class)
		}
	}
	return kinds
}

func (h *heard) topic(name string) []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last[name]
}

func mqttBroker(t *testing.T) (*broker.Server, string, *heard) {
	t.Helper()
	s := broker.New(&broker.Options{InlineClient: true, Logger: slog.New(slog.DiscardHandler)})
	if err := s.AddHook(new(auth.AllowHook), nil); err != nil {
		t.Fatal(err)
	}
	l := listeners.NewTCP(listeners.Config{ID: "t", Address: "127.0.0.1:0"})
	if err := s.AddListener(l); err != nil {
		t.Fatal(err)
	}
	h := &heard{last: map[string][]byte{}}
	err := s.Subscribe("fathom/#", 1, func(_ *broker.Client, _ packets.Subscription, p packets.Packet) {
		if p.TopicName == "fathom/box/event" {
			h.note(string(p.Payload))
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.last[p.TopicName] = p.Payload
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, l.Address(), h
}

// lively is a real engine whose answers are replaced: every class in turn, surely, for four frames.
type lively struct {
	Engine
	frames int
}

func openLively(b *bundle.Bundle, threads int) (Engine, error) {
	e, err := openEngine(b, threads)
	if err != nil {
		return nil, err
	}
	return &lively{Engine: e}, nil
}

func (l *lively) Infer(m image.Image) (engine.Result, error) {
	r, err := l.Engine.Infer(m)
	if err != nil {
		return r, err
	}
	r.Best = l.frames / 4 % len(r.Scores)
	r.Scores = make([]float32, len(r.Scores))
	r.Scores[r.Best] = 0.9
	l.frames++
	return r, nil
}

// Every way of telling tells the same events, in the same order; the broker pauses the daemon and lets it go on.
func TestOutputsTellTheSame(t *testing.T) {
	posted := &heard{}
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		posted.note(string(body))
	}))
	defer hook.Close()
	b, address, told := mqttBroker(t)
	dir := t.TempDir()
	r := startWith(t, openLively, func(c *Config) {
		c.Smoothing = 0
		c.EventLog = filepath.Join(dir, "events.jsonl")
		c.Snapshots.Folder = filepath.Join(dir, "pictures")
		c.Webhook.URL = hook.URL
		c.MQTT.Broker, c.MQTT.ID, c.MQTT.Controls, c.MQTT.Every = "mqtt://"+address, "box", true, time.Second
		c.Events.AppearAfter, c.Events.GoneAfter = 0, 100*time.Millisecond
	})
	r.until("events", func(State) bool { return len(told.kinds()) >= 10 && len(posted.kinds()) >= 10 })

	if err := b.Publish("fathom/box/set/paused", []byte("ON"), false, 1); err != nil {
		t.Fatal(err)
	}
	held := r.until("the pause", func(s State) bool { return s.Paused })
	var settings map[string]any
	r.until("the broker to know", func(State) bool {
		return json.Unmarshal(told.topic("fathom/box/settings"), &settings) == nil && settings["paused"] == "ON"
	})
	if s := r.until("a state", func(State) bool { return true }); s.Frames > held.Frames+1 || s.Health.Stale {
		t.Errorf("paused at frame %d, now %d; %+v", held.Frames, s.Frames, s.Health)
	}
	if err := b.Publish("fathom/box/set/paused", []byte("OFF"), false, 1); err != nil {
		t.Fatal(err)
	}
	r.until("more frames", func(s State) bool { return s.Frames > held.Frames+3 && !s.Paused })
	var state map[string]any
	r.until("the state", func(State) bool {
		return json.Unmarshal(told.topic("fathom/box/state"), &state) == nil && state["class"] != nil && state["temperature"] != nil
	})
	picture := told.topic("fathom/box/image")
	if _, err := jpeg.Decode(bytes.NewReader(picture)); err != nil {
		t.Errorf("the picture at the broker: %v", err)
	}
	var shown events.Event
	if err := json.Unmarshal(told.topic("fathom/box/image_event"), &shown); err != nil || shown.Frame == "" {
		t.Errorf("the event that the picture shows: %+v, %v", shown, err)
	}
	metrics := r.text("/metrics")
	for _, want := range []string{`fathom_events_total{class="`, `fathom_mqtt_connected 1`, `fathom_mqtt_commands_total{result="done"} 2`,
		`fathom_webhook_events_total{result="delivered"}`, `fathom_log_lines_total{log="event_log"}`, "fathom_snapshots_files"} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no metric %s", want)
		}
	}
	r.stop()
	if got := string(told.topic("fathom/box/status")); got != "offline" {
		t.Errorf("status after the end: %q", got)
	}

	logged := &heard{}
	data, err := os.ReadFile(filepath.Join(dir, "events.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		logged.note(string(line))
		var e events.Event
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if (e.Snapshot != "") != (e.Kind == events.Appeared) {
			t.Errorf("%+v", e)
		}
	}
	all := logged.kinds()
	for name, h := range map[string]*heard{"webhook": posted, "mqtt": told} {
		n := min(len(all), len(h.kinds()))
		if diff := cmp.Diff(all[:n], slices.Compact(h.kinds())[:n]); n < 10 || diff != "" {
			t.Errorf("%s: %d of %d events (-log +told):\n%s", name, n, len(all), diff)
		}
	}
	files, err := os.ReadDir(filepath.Join(dir, "pictures"))
	if err != nil || len(files) == 0 {
		t.Errorf("pictures: %v, %v", files, err)
	}
}

// text reads a path that is not JSON.
func (r *running) text(path string) string {
	r.t.Helper()
	answer, err := http.Get(r.url + path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text)
}

// Everybody whom it tells may be away: it goes on, says so, and recovers.
func TestOutputsAway(t *testing.T) {
	dir := t.TempDir()
	r := startWith(t, openLively, func(c *Config) {
		c.Smoothing = 0
		c.MQTT.Broker, c.MQTT.ID = "mqtt://127.0.0.1:1", "box"
		c.Webhook.URL = "http://127.0.0.1:1/"
		c.Snapshots.Folder = filepath.Join(dir, "pictures")
		c.Events.AppearAfter, c.Events.GoneAfter = 0, 100*time.Millisecond
	})
	if err := os.RemoveAll(filepath.Join(dir, "pictures")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "pictures"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := r.until("three faults", func(s State) bool { return len(s.Health.Reasons) == 3 })
	for i, part := range []string{"mqtt: ", "snapshots: ", "webhook: "} {
		if !strings.HasPrefix(s.Health.Reasons[i], part) {
			t.Errorf("reason %q, want one of %s", s.Health.Reasons[i], part)
		}
	}
	r.until("frames nevertheless", func(now State) bool { return now.Frames > s.Frames+5 })
	if err := os.Remove(filepath.Join(dir, "pictures")); err != nil {
		t.Fatal(err)
	}
	r.until("pictures again", func(s State) bool { return len(s.Health.Reasons) == 2 })
	if metrics := r.text("/metrics"); !strings.Contains(metrics, `fathom_faults_total{part="mqtt"} 1`) || !strings.Contains(metrics, `fathom_fault{part="snapshots"} 0`) {
		t.Error("the faults are not in the metrics")
	}
	r.stop()
}

// Regions are classified in turn, and events name them. A still picture passes the gate once, and is not stale.
func TestRegionsAndMotion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.jsonl")
	r := start(t, func(c *Config) {
		c.EventLog = path
		c.Regions = []scene.Region{{Name: "left", Width: 0.5, Height: 1}, {Name: "right", X: 0.5, Width: 0.5, Height: 1}}
		c.Events.Enter, c.Events.Leave, c.Events.AppearAfter = 0.05, 0.01, 0
	})
	for _, region := range []string{"left", "right"} {
		r.until(region, func(s State) bool { return s.Frame != nil && s.Frame.Region == region })
	}
	r.stop()
	data, _ := os.ReadFile(path)
	if !strings.Contains(string(data), `"region":"left"`) || !strings.Contains(string(data), `"region":"right"`) {
		t.Errorf("%s", data)
	}

	still := httptest.NewServer(&mjpegCamera{dead: make(chan struct{})})
	defer still.Close()
	r = start(t, func(c *Config) {
		c.Source.Kind, c.Source.URL = SourceMJPEG, still.URL
		c.Motion.Enabled, c.Motion.AtLeastEvery = true, time.Hour
		c.StaleAfter = Duration(2 * time.Second) // of which skipped frames are none
	})
	s := r.until("gated frames", func(s State) bool { return s.Gated > 80 })
	if s.Frames != 1 || s.Health.Stale {
		t.Errorf("%d classified, %d not; health %+v", s.Frames, s.Gated, s.Health)
	}
	r.stop()
}

func TestOutputsRefused(t *testing.T) {
	for want, change := range map[string]func(*Config){
		`the bundle has no class "hedgehog"`: func(c *Config) { c.Events.Ignore = []string{"hedgehog"} },
		"choose another file with event_log": func(c *Config) { c.EventLog = "/nowhere/x" },
		"snapshots: ":                        func(c *Config) { c.Snapshots.Folder = "/dev/null" },
		"secret_file":                        func(c *Config) { c.Webhook.URL, c.Webhook.SecretFile = "http://x/", "/nowhere/x" },
		"password_file":                      func(c *Config) { c.MQTT.Broker, c.MQTT.Username, c.MQTT.PasswordFile = "mqtt://x", "u", "/nowhere/x" },
		"events.enter":                       func(c *Config) { c.Events.Enter = 7 },
		"regions[0].name":                    func(c *Config) { c.Regions = []scene.Region{{Width: 1, Height: 1}} },
		"mqtt.broker":                        func(c *Config) { c.MQTT.Broker = "http://x" },
	} {
		c := DefaultConfig()
		c.Bundle, c.Listen = tiny, "127.0.0.1:0"
		c.Simulate = &Simulate{Board: "pi4-bare", Acceleration: 1, Utilisation: 0.5}
		change(&c)
		err := Run(t.Context(), Options{Config: c, Open: openEngine, Log: slog.New(slog.DiscardHandler)})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Receivers that the configuration names otherwise are exchanged while events flow, and no event is lost.
func TestOutputsChangeOnReload(t *testing.T) {
	var hooks [2]heard
	var urls [2]string
	for i := range hooks {
		s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			hooks[i].note(string(body))
		}))
		t.Cleanup(s.Close)
		urls[i] = s.URL
	}
	_, address, heardThere := mqttBroker(t)
	dir := t.TempDir()
	c := DefaultConfig()
	c.Bundle, c.Listen, c.Smoothing, c.TargetRate = tiny, "127.0.0.1:0", 0, 50
	c.Events.AppearAfter, c.Events.GoneAfter = 0, 50*time.Millisecond
	c.EventLog, c.Webhook.URL, c.MQTT.Broker = filepath.Join(dir, "events.jsonl"), urls[0], "mqtt://127.0.0.1:1" // where nobody listens
	next := c
	next.Webhook.URL, next.MQTT.Broker, next.MQTT.ID, next.Snapshots.Folder = urls[1], "mqtt://"+address, "box", filepath.Join(dir, "pictures")

	reload, ready, done := make(chan os.Signal), make(chan string, 1), make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		done <- Run(ctx, Options{Config: c, Open: openLively, Log: slog.New(slog.DiscardHandler), Ready: func(a string) { ready <- a },
			Load: func() (Config, error) { return next, nil }, Reload: reload})
	}()
	<-ready
	await := func(what string, seen func() bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !seen(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: not within a minute", what)
			}
		}
	}
	await("the first webhook", func() bool { return len(hooks[0].kinds()) > 3 })
	reload <- os.Interrupt
	await("the second webhook", func() bool { return len(hooks[1].kinds()) > 3 })
	await("the broker", func() bool { return len(heardThere.kinds()) > 3 })
	await("a picture", func() bool { files, _ := os.ReadDir(filepath.Join(dir, "pictures")); return len(files) > 0 })
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(c.EventLog)
	if err != nil {
		t.Fatal(err)
	}
	told := slices.Compact(append(hooks[0].kinds(), hooks[1].kinds()...)) // what is on its way at the change may arrive at both
	logged := (&heard{lines: strings.Split(strings.TrimSpace(string(log)), "\n")}).kinds()
	for by, told := range map[string][]string{"webhooks": told, "the broker": slices.Compact(heardThere.kinds())} {
		if len(told) > len(logged) || cmp.Diff(logged[:len(told)], told) != "" {
			t.Errorf("%s: told\n%v\nof\n%v", by, told, logged)
		}
	}
}
