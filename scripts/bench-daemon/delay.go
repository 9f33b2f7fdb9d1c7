package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/fathom-edge/fathom/boards/camera/synthetic"
	"github.com/fathom-edge/fathom/internal/results"
)

// The frames of the delay: so many a second, of which each shows another scene than the one before.
const (
	delayRate   = 20
	delayTime   = 60 * time.Second
	delayScenes = 12
	delayParts  = 5 // of which each has a percentile of its own
)

// clocks are when frames were sent and when their events arrived, by number. Safe for concurrent use.
type clocks struct {
	mu             sync.Mutex
	sent, received map[int]time.Time
}

func (c *clocks) note(m map[int]time.Time, number int) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := m[number]; !known {
		m[number] = now
	}
}

// delay is how long it takes from the last byte of a frame to its event at a broker, beside the inference of that frame.
func delay() ([]results.Row, error) {
	state, err := os.MkdirTemp("", "bench-daemon")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(state)
	c := &clocks{sent: map[int]time.Time{}, received: map[int]time.Time{}}
	pictures, err := scenes()
	if err != nil {
		return nil, err
	}
	camera, err := stream(delayRate, pictures, func(number int) { c.note(c.sent, number) })
	if err != nil {
		return nil, err
	}
	defer camera.Close()
	address, end, err := listenForEvents(func(number int) { c.note(c.received, number) })
	if err != nil {
		return nil, err
	}
	defer end()
	config, log := filepath.Join(state, "fathomd.yaml"), filepath.Join(state, "predictions.jsonl")
	text := fmt.Sprintf(`source: {kind: camera, address: %q, fps: %d}
target_rate: %[2]d
objectives: {least_fps: %[2]d}
smoothing: 0s
events: {enter: 0.4, leave: 0.3, appear_after: 0s, gone_after: 0s, present_every: 0s}
prediction_log: %q
mqtt: {broker: "mqtt://%s", id: bench, home_assistant: false}
`, camera.url, delayRate, log, address)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	p, err := launch(state, "--config", config)
	if err != nil {
		return nil, err
	}
	time.Sleep(delayTime)
	if err := p.stop(); err != nil {
		return nil, err
	}
	latencies, err := readLatencies(log)
	if err != nil {
		return nil, err
	}
	return c.rows(latencies)
}

// rows leave out the first second.
func (c *clocks) rows(latencies map[int]float64) ([]results.Row, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var beside, whole []float64 // ms, in the order of the frames
	for number := delayRate + 1; number <= len(c.sent); number++ {
		arrived, told := c.received[number]
		latency, classified := latencies[number]
		if told && classified {
			total := float64(arrived.Sub(c.sent[number])) / float64(time.Millisecond)
			whole, beside = append(whole, total), append(beside, total-latency)
		}
	}
	if len(beside) < int(delayTime.Seconds())*delayRate/2 {
		return nil, fmt.Errorf("only %d events of %d frames: the network cannot tell the scenes apart, or the machine is too busy", len(beside), len(c.sent))
	}
	var parts []float64
	for part := range slices.Chunk(beside, (len(beside)+delayParts-1)/delayParts) {
		parts = append(parts, percentile(part, 0.99))
	}
	worst := row("delay", fmt.Sprintf("From the last byte of a frame to its event at an MQTT broker, less the inference of this frame: 99th percentile of %d frames of 640x480 MJPEG at %d frames/s, and of their fifths",
		len(beside), delayRate), parts, "ms", "<=", 10)
	worst.Value = percentile(beside, 0.99)
	middle := results.One("delay-median", "From the last byte of a frame to its event at an MQTT broker, with the inference: median", results.Median(whole), "ms", "", 0,
		"go run ./scripts/bench-daemon delay")
	return []results.Row{worst, middle}, nil
}

// percentile is the smallest value that at least such a share does not exceed.
func percentile(values []float64, share float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}

// scenes are 640x480 pictures of the synthetic camera, each of another glyph.
func scenes() ([][]byte, error) {
	const hold = 10 * time.Millisecond
	source, err := synthetic.New(synthetic.Options{Width: 640, Height: 480, FPS: 100, Hold: hold, Seed: 1})
	if err != nil {
		return nil, err
	}
	defer source.Close()
	var pictures [][]byte
	for before := ""; len(pictures) < delayScenes; {
		f, err := source.Next(context.Background())
		if err != nil {
			return nil, err
		}
		if f.Truth == before {
			continue
		}
		before = f.Truth
		picture, err := encoded(f.Image)
		if err != nil {
			return nil, err
		}
		pictures = append(pictures, picture)
	}
	return pictures, nil
}

// listenForEvents runs a broker that tells the number of the frame of every event.
func listenForEvents(arrived func(number int)) (address string, end func(), err error) {
	s := broker.New(&broker.Options{InlineClient: true, Logger: slog.New(slog.DiscardHandler)})
	l := listeners.NewTCP(listeners.Config{ID: "bench", Address: "127.0.0.1:0"})
	err = errors.Join(s.AddHook(new(auth.AllowHook), nil), s.AddListener(l),
		s.Subscribe("fathom/bench/event", 1, func(_ *broker.Client, _ packets.Subscription, p packets.Packet) {
			var event struct{ Frame string }
			if json.Unmarshal(p.Payload, &event) != nil {
				return
			}
			if _, number, ok := strings.Cut(event.Frame, "-"); ok {
				if n, err := strconv.Atoi(number); err == nil {
					arrived(n)
				}
			}
		}), s.Serve())
	return l.Address(), func() { _ = s.Close() }, err
}

// readLatencies are those of a prediction log in ms, by the number of the frame.
func readLatencies(file string) (map[int]float64, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	list := map[int]float64{}
	for line := range bytes.Lines(data) {
		var p struct {
			Sequence  int     `json:"sequence"`
			LatencyMS float64 `json:"latency_ms"`
		}
		if err := json.Unmarshal(line, &p); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		list[p.Sequence] = p.LatencyMS
	}
	return list, nil
}
