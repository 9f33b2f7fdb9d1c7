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

// clocks are when frames were sent, when their work began, and when their events arrived, by number. Safe for concurrent use.
type clocks struct {
	mu                    sync.Mutex
	sent, begun, received map[int]time.Time
}

func (c *clocks) note(m map[int]time.Time, number int, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := m[number]; !known {
		m[number] = at
	}
}

// delay is how long it takes from the last byte of a frame to its event at a broker, beside the inference of that frame.
func delay() ([]results.Row, error) {
	state, err := os.MkdirTemp("", "bench-daemon")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(state)
	c := &clocks{sent: map[int]time.Time{}, begun: map[int]time.Time{}, received: map[int]time.Time{}}
	pictures, err := scenes()
	if err != nil {
		return nil, err
	}
	camera, err := stream(delayRate, pictures, func(number int) { c.note(c.sent, number, time.Now()) })
	if err != nil {
		return nil, err
	}
	defer camera.Close()
	address, end, err := listenForEvents(func(number int, begun time.Time) {
		c.note(c.received, number, time.Now())
		c.note(c.begun, number, begun)
	})
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
	p, err := launch(bundle, state, "--config", config)
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
	var beside, whole, before, after []float64 // ms, in the order of the frames
	for number := delayRate + 1; number <= len(c.sent); number++ {
		arrived, told := c.received[number]
		latency, classified := latencies[number]
		if told && classified {
			total, first := milliseconds(arrived.Sub(c.sent[number])), milliseconds(c.begun[number].Sub(c.sent[number]))
			whole, beside = append(whole, total), append(beside, total-latency)
			before, after = append(before, first), append(after, total-first-latency)
		}
	}
	if len(beside) < int(delayTime.Seconds())*delayRate/2 {
		return nil, fmt.Errorf("only %d events of %d frames: the network cannot tell the scenes apart, or the machine is too busy", len(beside), len(c.sent))
	}
	worst := func(id, what string, values []float64, op string, limit float64) results.Row {
		var parts []float64
		for part := range slices.Chunk(values, (len(values)+delayParts-1)/delayParts) {
			parts = append(parts, percentile(part, 0.99))
		}
		r := row(id, fmt.Sprintf("%s: 99th percentile of %d frames of 640x480 MJPEG at %d frames/s, and of their fifths", what, len(values), delayRate), parts, "ms", op, limit)
		r.Value = percentile(values, 0.99)
		return r
	}
	return []results.Row{
		worst("delay", "From the last byte of a frame to its event at an MQTT broker, less the inference of this frame", beside, "<=", 10),
		worst("delay-before", "Of that, until its work begins: the way to fathomd, waiting, decoding", before, "", 0),
		worst("delay-after", "Of that, from there on: tensor, smoothing, event, the way to the broker", after, "", 0),
		results.One("delay-median", "From the last byte of a frame to its event at an MQTT broker, with the inference: median", results.Median(whole), "ms", "", 0,
			"go run ./scripts/bench-daemon delay"),
	}, nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

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

// listenForEvents runs a broker that tells the number of the frame of every event, and when its work began.
func listenForEvents(arrived func(number int, begun time.Time)) (address string, end func(), err error) {
	s := broker.New(&broker.Options{InlineClient: true, Logger: slog.New(slog.DiscardHandler)})
	l := listeners.NewTCP(listeners.Config{ID: "bench", Address: "127.0.0.1:0"})
	err = errors.Join(s.AddHook(new(auth.AllowHook), nil), s.AddListener(l),
		s.Subscribe("fathom/bench/event", 1, func(_ *broker.Client, _ packets.Subscription, p packets.Packet) {
			var event struct {
				Frame string
				Time  time.Time
			}
			if json.Unmarshal(p.Payload, &event) != nil {
				return
			}
			if _, number, ok := strings.Cut(event.Frame, "-"); ok {
				if n, err := strconv.Atoi(number); err == nil {
					arrived(n, event.Time)
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
