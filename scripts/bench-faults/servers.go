package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
)

// webCamera is a camera with a web server, which shows what spoil makes of its pictures.
type webCamera struct {
	pictures [][]byte
	odd      []byte // grey, with odd sides
	fps      float64
	spoil    atomic.Pointer[func([]byte) []byte] // nil for nothing; a nil picture is not sent
	answer   atomic.Int64                        // a status instead of the stream; 0 for none
}

// newWebCamera shows plain colours in turn, each for half a second.
func newWebCamera(fps float64) (*webCamera, error) {
	c := &webCamera{fps: fps}
	var small bytes.Buffer
	if err := jpeg.Encode(&small, image.NewGray(image.Rect(0, 0, 33, 17)), nil); err != nil {
		return nil, err
	}
	c.odd = small.Bytes()
	for i := range 8 {
		m := image.NewRGBA(image.Rect(0, 0, 160, 120))
		for y := range 120 {
			for x := range 160 {
				m.SetRGBA(x, y, color.RGBA{uint8(255 * (i & 1)), uint8(255 * (i >> 1 & 1)), uint8(255*(i>>2&1) - (x+y)%32), 255})
			}
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, m, nil); err != nil {
			return nil, err
		}
		c.pictures = append(c.pictures, b.Bytes())
	}
	return c, nil
}

func (c *webCamera) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if code := c.answer.Load(); code != 0 {
		http.Error(w, "out of order", int(code))
		return
	}
	w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=frame")
	tick := time.NewTicker(time.Duration(float64(time.Second) / c.fps))
	defer tick.Stop()
	for n := 0; ; n++ {
		picture := c.pictures[n/max(1, int(c.fps/2))%len(c.pictures)]
		if spoil := c.spoil.Load(); spoil != nil {
			picture = (*spoil)(picture)
		}
		if picture != nil {
			if _, err := fmt.Fprintf(w, "--frame\r\nContent-Type: image/jpeg\r\n\r\n%s\r\n", picture); err != nil {
				return
			}
			if f, ok := w.(http.Flusher); ok {
				f.Flush()
			}
		}
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
	}
}

// spoiled shows what change makes of the pictures until the end.
func (c *webCamera) spoiled(change func([]byte) []byte) (end func() error) {
	c.spoil.Store(&change)
	return func() error { c.spoil.Store(nil); return nil }
}

// receiver takes events, in the way that it was told.
type receiver struct {
	answer   atomic.Int64 // a status; 0 for 204, -1 for none in time, -2 for noise
	received atomic.Int64
}

func (x *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	switch code := x.answer.Load(); code {
	case 0:
		x.received.Add(1)
		w.WriteHeader(http.StatusNoContent)
	case -1:
		select {
		case <-r.Context().Done():
		case <-time.After(5 * time.Second):
		}
	case -2:
		if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_, _ = io.WriteString(c, "HTTP/1.1 2000 \x00\r\nContent-Length: -3\r\n\r\n")
			_ = c.Close()
		}
	default:
		w.WriteHeader(int(code))
	}
}

func (x *receiver) answering(code int64) (end func() error) {
	x.answer.Store(code)
	return func() error { x.answer.Store(0); return nil }
}

// serve runs a handler on a free port.
func serve(h http.Handler) (*http.Server, string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	s := &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)}
	go func() { _ = s.Serve(l) }()
	return s, l.Addr().String(), nil
}

// newBroker runs a broker that lets everybody in.
func newBroker() (*broker.Server, string, error) {
	b := broker.New(&broker.Options{InlineClient: true, Logger: slog.New(slog.DiscardHandler)})
	if err := b.AddHook(new(auth.AllowHook), nil); err != nil {
		return nil, "", err
	}
	l := listeners.NewTCP(listeners.Config{ID: "t", Address: "127.0.0.1:0"})
	if err := b.AddListener(l); err != nil {
		return nil, "", err
	}
	return b, l.Address(), b.Serve()
}

// wishes are commands that make no sense.
func wishes(rng *rand.Rand) (name, payload string) {
	names := []string{"policy", "least_depth", "greatest_depth", "fps", "ceiling", "paused", "nothing"}
	payloads := []string{"", "-1", "NaN", "1e999", "on", "{}", noise(rng, rng.IntN(300))}
	return names[rng.IntN(len(names))], payloads[rng.IntN(len(payloads))]
}
