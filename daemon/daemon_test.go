//go:build cgo

package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fathom-edge/fathom/governor"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/engine"
)

const tiny = "../testdata/bundles/tiny"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openEngine(b *bundle.Bundle, threads int) (Engine, error) {
	e, err := engine.Open(b, engine.Options{Threads: threads})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// logBuffer is a log that is written and read by several goroutines.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// running is a daemon under test.
type running struct {
	t      *testing.T
	url    string
	log    *logBuffer
	cancel context.CancelFunc
	done   chan error
}

// start runs a daemon of the tiny bundle with a synthetic camera on a simulated
// board, as changed, until the test ends.
func start(t *testing.T, change func(*Config)) *running {
	t.Helper()
	return startWith(t, openEngine, change)
}

// startWith is start with another engine.
func startWith(t *testing.T, open func(*bundle.Bundle, int) (Engine, error), change func(*Config)) *running {
	t.Helper()
	c := DefaultConfig()
	c.Bundle, c.Listen = tiny, "127.0.0.1:0"
	c.Simulate = &Simulate{Board: "pi4-closed-case", Acceleration: 10, Utilisation: 0.5}
	c.Source.Hold = Duration(300 * time.Millisecond)
	c.TargetRate = 20
	change(&c)
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{t: t, log: &logBuffer{}, cancel: cancel, done: make(chan error, 1)}
	ready := make(chan string, 1)
	go func() {
		r.done <- Run(ctx, Options{Config: c, Open: open, Log: slog.New(slog.NewTextHandler(r.log, nil)),
			Ready: func(address string) { ready <- address }})
	}()
	t.Cleanup(func() {
		cancel()
		http.DefaultClient.CloseIdleConnections()
	})
	select {
	case address := <-ready:
		r.url = address
	case err := <-r.done:
		t.Fatalf("did not start: %v", err)
	}
	return r
}

// get reads a path and returns the status.
func (r *running) get(path string, into any) int {
	r.t.Helper()
	answer, err := http.Get(r.url + path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
		r.t.Fatalf("%s: %v", path, err)
	}
	return answer.StatusCode
}

// until polls the state until it is as wanted.
func (r *running) until(what string, wanted func(State) bool) State {
	r.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		var s State
		r.get("/api/state", &s)
		if wanted(s) {
			return s
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("%s: not within a minute; health %+v, log:\n%s", what, s.Health, r.log)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// stop ends the daemon and wants a clean end in time.
func (r *running) stop() {
	r.t.Helper()
	r.cancel()
	select {
	case err := <-r.done:
		if err != nil {
			r.t.Errorf("ended with %v", err)
		}
	case <-time.After(5 * time.Second):
		r.t.Fatal("did not end within 5 s")
	}
}

func TestRunsOnSyntheticCameraAndSimulatedBoard(t *testing.T) {
	record := filepath.Join(t.TempDir(), "decisions.jsonl")
	r := start(t, func(c *Config) { c.DecisionLog = record })
	s := r.until("ten frames and a temperature", func(s State) bool { return s.Frames >= 10 && s.Board != nil && s.Decision != nil })
	if s.Health.Status != HealthOK || s.Simulated == nil || s.Simulated.WorkScale <= 0 || s.Simulated.Camera == "" {
		t.Errorf("health %+v, simulated %+v", s.Health, s.Simulated)
	}
	if s.Frame.Truth == "" || s.Frame.Label == "" || s.Frame.LatencyMS <= 0 || s.Accuracy == nil || s.Active < 0 {
		t.Errorf("frame %+v, accuracy %v, active %d", s.Frame, s.Accuracy, s.Active)
	}
	var h History
	if r.get("/api/history?span=hour", &h); len(h.Celsius) == 0 || math.IsNaN(float64(h.Celsius[0])) {
		t.Errorf("history %+v", h)
	}
	r.frame()
	r.stop()
	log, err := os.Open(record)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	records, err := governor.ReadRecords(log)
	if err != nil {
		t.Fatal(err)
	}
	if err := governor.Replay(records); err != nil {
		t.Errorf("the decision log does not replay: %v", err)
	}
	if !strings.Contains(r.log.String(), "msg=stopped frames=") {
		t.Errorf("no summary:\n%s", r.log)
	}
}

// frame waits for a picture on the page.
func (r *running) frame() {
	r.t.Helper()
	for range 500 {
		answer, err := http.Get(r.url + "/frame.jpg")
		if err != nil {
			r.t.Fatal(err)
		}
		_, err = jpeg.Decode(answer.Body)
		answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			if err != nil {
				r.t.Errorf("frame.jpg: %v", err)
			}
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	r.t.Error("no frame.jpg")
}

func TestFixedPolicy(t *testing.T) {
	r := start(t, func(c *Config) { c.Policy = governor.Spec{Name: governor.FixedName} })
	s := r.until("the deepest variant", func(s State) bool { return s.Active == len(s.Ladder)-1 })
	if s.Policy != governor.FixedName {
		t.Errorf("policy %s", s.Policy)
	}
	r.stop()
}

func TestDepthFollowsHeat(t *testing.T) {
	r := start(t, func(c *Config) {
		c.Simulate.Acceleration, c.Simulate.Utilisation = 300, 0.95
		c.Policy = governor.Spec{Name: governor.StepwiseName, Stepwise: &governor.StepwiseConfig{Settle: time.Second, Dwell: time.Second}}
	})
	top := r.until("a start at the top while cool", func(s State) bool { return s.Active == len(s.Ladder)-1 })
	hot := r.until("a shallower variant", func(s State) bool { return s.Active >= 0 && s.Active < len(top.Ladder)-1 })
	if !strings.Contains(r.log.String(), "one rung shallower") {
		t.Errorf("no reason for the step:\n%s", r.log)
	}
	if hot.Switches == 0 {
		t.Error("the switch was not counted")
	}
	r.stop()
}

// mjpegCamera serves a stream that can be switched off.
type mjpegCamera struct {
	mu   sync.Mutex
	dead chan struct{} // closed while the camera is away
}

func (m *mjpegCamera) away() chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dead
}

func (m *mjpegCamera) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=frame")
	var picture bytes.Buffer
	_ = jpeg.Encode(&picture, image.NewGray(image.Rect(0, 0, 64, 48)), nil)
	for {
		select {
		case <-m.away():
			return
		case <-r.Context().Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
		fmt.Fprintf(w, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n", picture.Len(), picture.Bytes())
		_ = http.NewResponseController(w).Flush()
	}
}

func TestCameraDiesAndReturns(t *testing.T) {
	cam := &mjpegCamera{dead: make(chan struct{})}
	server := httptest.NewServer(cam)
	defer server.Close()
	r := start(t, func(c *Config) {
		c.Source.Kind, c.Source.URL = SourceMJPEG, server.URL
		c.StaleAfter = Duration(500 * time.Millisecond)
	})
	r.until("frames", func(s State) bool { return s.Frames > 2 && s.Health.Status == HealthOK })

	close(cam.away())
	r.until("a broken camera", func(s State) bool {
		return s.Health.Stale && strings.Contains(strings.Join(s.Health.Reasons, "\n"), "camera: ")
	})
	var health Health
	if code := r.get("/healthz", &health); code != http.StatusServiceUnavailable || health.Status != HealthDegraded {
		t.Errorf("/healthz: %d %+v", code, health)
	}

	before := r.until("a state", func(State) bool { return true }).Frames
	cam.mu.Lock()
	cam.dead = make(chan struct{})
	cam.mu.Unlock()
	r.until("the camera's return", func(s State) bool { return s.Frames > before && s.Health.Status == HealthOK })
	if code := r.get("/healthz", &health); code != http.StatusOK {
		t.Errorf("/healthz after the return: %d %+v", code, health)
	}
	for _, once := range []string{"degraded part=camera", "recovered part=camera"} {
		if n := strings.Count(strings.ReplaceAll(r.log.String(), "msg=", ""), once); n != 1 {
			t.Errorf("%q is logged %d times:\n%s", once, n, r.log)
		}
	}
	r.stop()
}

func TestUnreachableCameraDegrades(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close() // nobody listens there now
	r := start(t, func(c *Config) { c.Source.Kind, c.Source.URL = SourceMJPEG, "http://"+l.Addr().String()+"/" })
	s := r.until("a broken camera", func(s State) bool { return s.Health.Status == HealthDegraded })
	if !strings.Contains(s.Health.Reasons[0], "connection refused") {
		t.Errorf("reasons %q", s.Health.Reasons)
	}
	r.stop()
}

func TestBoardWithoutSensorsDegrades(t *testing.T) {
	r := start(t, func(c *Config) { c.Simulate, c.Sensors.Root = nil, "../testdata/boards/empty" })
	s := r.until("frames and a snapshot", func(s State) bool { return s.Frames > 2 && s.Board != nil })
	if _, known := s.Board.Heat.HottestCelsius.Get(); known {
		t.Error("a temperature from nowhere")
	}
	if s.Health.Status != HealthDegraded || !strings.HasPrefix(s.Health.Reasons[0], "temperature: ") {
		t.Errorf("health %+v", s.Health)
	}
	var health Health
	if code := r.get("/healthz", &health); code != http.StatusOK {
		t.Errorf("/healthz: %d, although frames are classified", code)
	}
	answer, err := http.Get(r.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	if strings.Contains(string(text), "fathom_temperature_celsius") || !strings.Contains(string(text), "fathom_frames_total") {
		t.Error("an unknown temperature has a metric")
	}
	r.stop()
}

func TestFolderEndsWithASummary(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"class 0/a.png", "class 1/b.png", "class 1/c.png"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		m := image.NewRGBA(image.Rect(0, 0, 33, 9)) // another size than the network's
		m.Set(3, 3, color.White)
		if err := png.Encode(f, m); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	r := start(t, func(c *Config) { c.Source = Source{Kind: SourceFolder, Path: dir, Width: 32, Height: 32} })
	select {
	case err := <-r.done:
		if err != nil {
			t.Errorf("the end of the folder is an error: %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the folder does not end")
	}
	if log := r.log.String(); !strings.Contains(log, "frames=3") || !strings.Contains(log, "accuracy_") {
		t.Errorf("summary:\n%s", log)
	}
}

func TestRunRefuses(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	damaged := t.TempDir()
	if err := os.CopyFS(damaged, os.DirFS(tiny)); err != nil {
		t.Fatal(err)
	}
	segments, err := filepath.Glob(filepath.Join(damaged, "segments", "*"))
	if err != nil || len(segments) == 0 {
		t.Fatal(segments, err)
	}
	data, err := os.ReadFile(segments[0])
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(segments[0], data, 0o644); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Config){
		"listen " + busy.Addr().String() + ": address already in use (another fathomd? choose another port with --listen)": func(c *Config) { c.Listen = busy.Addr().String() },
		"sha256 differs from the manifest":        func(c *Config) { c.Bundle = damaged },
		"not a bundle":                            func(c *Config) { c.Bundle = t.TempDir() },
		"policy":                                  func(c *Config) { c.Policy.Name = "magic" },
		`the ladder has no variant "z"`:           func(c *Config) { c.Policy = governor.Spec{Name: governor.FixedName, Variant: "z"} },
		"where the board throttles itself":        func(c *Config) { c.Objectives.CeilingCelsius = 99 },
		"no such file":                            func(c *Config) { c.Source.Kind, c.Source.Path = SourceFolder, "nowhere" },
		"root nowhere: not a folder":              func(c *Config) { c.Simulate, c.Sensors.Root = nil, "nowhere" },
		"choose another file with decision_log":   func(c *Config) { c.DecisionLog = "/nowhere/x" },
		"choose another file with prediction_log": func(c *Config) { c.PredictionLog = "/nowhere/x" },
		"listen 203.0.113.7:1: ":                  func(c *Config) { c.Listen = "203.0.113.7:1" },
	} {
		c := DefaultConfig()
		c.Bundle, c.Listen = tiny, "127.0.0.1:0"
		c.Simulate = &Simulate{Board: "pi4-bare", Acceleration: 1, Utilisation: 0.5}
		change(&c)
		err := Run(t.Context(), Options{Config: c, Open: openEngine, Log: slog.New(slog.DiscardHandler)})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %q, want one line with %q", err, want)
		}
	}
}

// seeing is a real engine whose answers are replaced: the label whose number is the brightness of the picture in the middle.
type seeing struct{ Engine }

func openSeeing(b *bundle.Bundle, threads int) (Engine, error) {
	e, err := openEngine(b, threads)
	return seeing{e}, err
}

func (s seeing) Infer(m image.Image) (engine.Result, error) {
	r, err := s.Engine.Infer(m)
	if err != nil {
		return r, err
	}
	r.Best = brightness(m)
	r.Scores = make([]float32, len(r.Scores))
	r.Scores[r.Best] = 1
	return r, nil
}

// brightness is 0, 1 or 2.
func brightness(m image.Image) int {
	b := m.Bounds()
	return int(color.GrayModel.Convert(m.At((b.Min.X+b.Max.X)/2, (b.Min.Y+b.Max.Y)/2)).(color.Gray).Y) / 100
}

// The picture that is shown is the one that the answer beside it belongs to, whether the camera gives JPEGs or not.
func TestPictureAndAnswerBelongTogether(t *testing.T) {
	opened, err := bundle.Open(tiny)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"png", "jpg"} {
		dir := t.TempDir()
		for i := range 3 {
			m := image.NewGray(image.Rect(0, 0, 48, 32))
			for p := range m.Pix {
				m.Pix[p] = byte(50 + 100*i)
			}
			var b bytes.Buffer
			var err error
			if kind == "png" {
				err = png.Encode(&b, m)
			} else {
				err = jpeg.Encode(&b, m, nil)
			}
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.%s", i, kind)), b.Bytes(), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		r := startWith(t, openSeeing, func(c *Config) {
			c.Source = Source{Kind: SourceFolder, Path: dir, Loop: true, FPS: 120, Width: 320, Height: 240}
			c.TargetRate, c.Smoothing = 60, 0
		})
		labels := map[string]bool{}
		for deadline := time.Now().Add(time.Minute); len(labels) < 3; {
			if time.Now().After(deadline) {
				t.Fatalf("%s: only %v in a minute", kind, labels)
			}
			answer, err := http.Get(r.url + "/frame.jpg")
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(answer.Body)
			answer.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode == http.StatusNoContent {
				continue
			}
			text, err := url.PathUnescape(answer.Header.Get("Fathom-Answer"))
			if err != nil {
				t.Fatal(err)
			}
			var said FrameState
			if err := json.Unmarshal([]byte(text), &said); err != nil || answer.Header.Get("ETag") != strconv.Quote(said.ID) {
				t.Fatalf("%v: %q, ETag %s", err, text, answer.Header.Get("ETag"))
			}
			picture, err := jpeg.Decode(bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			if want := opened.Manifest.Labels[brightness(picture)]; said.Label != want {
				t.Errorf("%s: frame %s shows %s, and its answer is %s", kind, said.ID, want, said.Label)
			}
			labels[said.Label] = true
		}
		r.stop()
	}
}
