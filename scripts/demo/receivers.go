package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// sightings prints what the receivers get, and counts it by what it came through. Any goroutine may use it.
type sightings struct {
	mu    sync.Mutex
	to    io.Writer
	count map[string]int
}

func newSightings(to io.Writer) *sightings { return &sightings{to: to, count: map[string]int{}} }

// event prints an event, JSON as docs/outputs.md has it.
func (s *sightings) event(way string, payload []byte) {
	var e struct {
		Kind       string  `json:"event_type"`
		Class      string  `json:"class"`
		Confidence float64 `json:"confidence"`
		Variant    string  `json:"variant"`
	}
	if err := json.Unmarshal(payload, &e); err != nil {
		return
	}
	s.see(way)
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.to, "%s  %-8s %-8s %-4s %3.0f %%  %s\n", time.Now().Format(time.TimeOnly), way, e.Kind, e.Class, 100*e.Confidence, e.Variant)
}

func (s *sightings) see(way string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count[way]++
}

func (s *sightings) seen(way string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count[way] > 0
}

// broker is an MQTT broker on a free port of loopback. Whoever is on this machine may do everything there.
type broker struct {
	*mochi.Server
	address string
}

func startBroker(seen *sightings) (*broker, error) {
	s := mochi.New(&mochi.Options{InlineClient: true, Logger: slog.New(slog.DiscardHandler)})
	if err := s.AddHook(new(auth.AllowHook), nil); err != nil {
		return nil, err
	}
	l := listeners.NewTCP(listeners.Config{ID: "demo", Address: "127.0.0.1:0"})
	if err := s.AddListener(l); err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	if err := s.Serve(); err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	err := s.Subscribe("#", 1, func(_ *mochi.Client, _ packets.Subscription, p packets.Packet) {
		switch topic := p.TopicName; {
		case strings.HasSuffix(topic, "/event"):
			seen.event("MQTT", p.Payload)
		case strings.HasPrefix(topic, "homeassistant/"):
			seen.see("Home Assistant")
		case strings.HasSuffix(topic, "/image"):
			seen.see("image")
		}
	})
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	return &broker{s, l.Address()}, nil
}

// receive answers webhooks.
func receive(on net.Listener, seen *sightings) {
	_ = http.Serve(on, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		seen.event("webhook", body)
	})) // until on is closed
}
