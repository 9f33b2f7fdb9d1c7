// Package web serves the daemon's page, its state as JSON, /healthz and
// /metrics. It only shows: every request is a GET (or HEAD), nothing can be
// changed over the network.
//
// The page is embedded, loads nothing from elsewhere and forbids it by its
// Content-Security-Policy. While the server listens on a loopback address, a
// request must name a host that cannot have been rebound by somebody else's
// DNS: an IP address, localhost, or one of Config.AllowedHosts.
//
// Handlers may be called from any number of goroutines, and so must be the
// functions of Config.
package web

import (
	"context"
	"embed"
	"encoding/json"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Config is what the server shows.
type Config struct {
	// State is the content of /api/state; History that of /api/history, from point number since on.
	State   func() any
	History func(since uint64) any
	// Frame is the frame classified last as JPEG; false where there is none yet.
	Frame func() ([]byte, bool)
	// Health is the content of /healthz and whether the daemon does its work.
	Health  func() (content any, alive bool)
	Metrics http.Handler
	// AllowedHosts are further names under which the page may be asked for on a loopback address.
	AllowedHosts []string
	Log          *slog.Logger
}

//go:embed page
var pageFiles embed.FS

// Limits of one connection. A request is a line and a few headers.
const (
	readTimeout    = 5 * time.Second
	writeTimeout   = 10 * time.Second
	idleTimeout    = time.Minute
	maxHeaderBytes = 16 << 10
)

// Serve answers on the listener until ctx ends, and then lets running requests
// finish for at most grace. It returns nil after a clean end.
func Serve(ctx context.Context, listener net.Listener, grace time.Duration, c Config) error {
	server := &http.Server{
		Handler:           handler(c, listener.Addr()),
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(c.Log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := server.Shutdown(end); err != nil {
		_ = server.Close() // who has not finished in time is cut off
	}
	<-failed
	return nil
}

// handler is everything that is served on an address.
func handler(c Config, address net.Addr) http.Handler {
	page, err := fs.Sub(pageFiles, "page")
	if err != nil {
		panic(err) // the folder is embedded
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(page))
	mux.HandleFunc("GET /api/state", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, c.State())
	})
	mux.HandleFunc("GET /api/history", func(w http.ResponseWriter, r *http.Request) {
		since, err := strconv.ParseUint(r.FormValue("since"), 10, 64)
		if err != nil && r.FormValue("since") != "" {
			http.Error(w, "since must be the number of a point", http.StatusBadRequest)
			return
		}
		writeJSON(w, http.StatusOK, c.History(since))
	})
	mux.HandleFunc("GET /frame.jpg", func(w http.ResponseWriter, _ *http.Request) {
		jpeg, ok := c.Frame()
		if !ok {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "no frame yet, ask again", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "image/jpeg")
		_, _ = w.Write(jpeg)
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		content, alive := c.Health()
		status := http.StatusOK
		if !alive {
			status = http.StatusServiceUnavailable
		}
		writeJSON(w, status, content)
	})
	mux.Handle("GET /metrics", c.Metrics)
	return guard(mux, address, c.AllowedHosts)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "cannot write the state as JSON: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
