// Package web serves the daemon's page, its state as JSON, /healthz and
// /metrics, and takes changes of its settings from whoever holds the token.
//
// On a loopback address everybody on the machine may look. From anywhere else,
// and for every change, a request needs the token: as "Authorization: Bearer",
// or as the cookie that /api/login gives for it. The page's own files are open,
// and /healthz says no more than its status to strangers.
//
// The page is embedded, loads nothing from elsewhere and forbids it by its
// Content-Security-Policy. A request must name a host that cannot have been
// rebound by somebody else's DNS: an IP address, localhost, this machine's name
// or one of Config.AllowedHosts. A browser that another site's page drives is
// refused by where the request says that it comes from; cookies are
// SameSite=Strict besides.
//
// Handlers may be called from any number of goroutines, and so must be the
// functions of Config.
package web

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Config is what the server shows.
type Config struct {
	// State is the content of /api/state, and History that of /api/history for a span; false where there is no such span.
	State   func() any
	History func(span string) (any, bool)
	// Frame is the frame classified last; nil where there is none yet, which is answered with 204.
	Frame func() (*Picture, error)
	// Health is the content of /healthz, its status in one word, and whether the daemon does its work.
	Health  func() (content any, status string, alive bool)
	Metrics http.Handler
	// Controls is the content of GET /api/controls. Change makes the JSON of a POST to it hold, wholly or not at all; its
	// error is told to the user.
	Controls func() any
	Change   func(change io.Reader) error
	// Reset makes the settings of the configuration hold again.
	Reset func() error
	// Events is the content of /api/events. Snapshot is a picture that one of them names, at most so many pixels wide, or as it is
	// for 0; fs.ErrNotExist where there is none.
	Events   func() any
	Snapshot func(name string, width int) ([]byte, error)
	// Reload reads the configuration again; its result and its error are told to the user.
	Reload func() (any, error)
	// Token lets a user sign in; empty lets nobody, so that nothing can be changed.
	Token string
	// TLS encrypts; nil does not.
	TLS *tls.Config
	// AllowedHosts are further names under which the page may be asked for.
	AllowedHosts []string
	// Answered is told the status of every answer, and TurnedAway of every connection beyond the limits; nil where nobody asks.
	Answered   func(code int)
	TurnedAway func()
	Log        *slog.Logger
}

// Picture is a frame as it is shown.
type Picture struct {
	// ID names the frame: the entity tag of the picture.
	ID string
	// Answer is what it was taken for, as State says it: the header Fathom-Answer, percent-encoded JSON.
	Answer any
	JPEG   []byte
}

// Limits of one connection. A request is a line, a few headers and at most a small form.
const (
	readTimeout    = 5 * time.Second
	writeTimeout   = 10 * time.Second
	idleTimeout    = time.Minute
	maxHeaderBytes = 16 << 10
	maxBodyBytes   = 8 << 10
)

// Wrong tokens from one address, and changes from one address: so many at once, and then one in each period.
const (
	failureBurst  = 10
	failurePeriod = time.Minute
	changeBurst   = 20
	changePeriod  = time.Second / 2
)

// NeedsToken tells whether more than this machine may reach the page.
func NeedsToken(on net.Addr, allowedHosts []string) bool {
	return !isLoopback(on) || len(allowedHosts) > 0
}

// Serve answers on the listener until ctx ends, and then lets running requests
// finish for at most grace. It returns nil after a clean end.
func Serve(ctx context.Context, listener net.Listener, grace time.Duration, c Config) error {
	server := &http.Server{
		Handler:           handler(c, listener.Addr(), time.Now),
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		TLSConfig:         c.TLS,
		ErrorLog:          slog.NewLogLogger(c.Log.Handler(), slog.LevelDebug),
	}
	limited := limitConnections(listener, c.TurnedAway)
	failed := make(chan error, 1)
	go func() {
		if c.TLS != nil {
			failed <- server.ServeTLS(limited, "", "")
			return
		}
		failed <- server.Serve(limited)
	}()
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

// server is the handlers of one address.
type server struct {
	Config
	on      net.Addr
	auth    *auth
	changes *limiter
}

// handler is everything that is served on an address.
func handler(c Config, on net.Addr, now func() time.Time) http.Handler {
	s := &server{Config: c, on: on, changes: newLimiter(changePeriod, changeBurst, now),
		auth: &auth{token: c.Token, secure: c.TLS != nil, failures: newLimiter(failurePeriod, failureBurst, now), now: now}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", static)
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /api/session", s.session)
	mux.HandleFunc("POST /api/login", s.auth.login)
	mux.HandleFunc("POST /api/logout", s.auth.logout)
	mux.HandleFunc("GET /api/state", s.readers(func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, r, http.StatusOK, c.State())
	}))
	mux.HandleFunc("GET /api/history", s.readers(s.history))
	mux.HandleFunc("GET /api/controls", s.readers(func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, r, http.StatusOK, c.Controls())
	}))
	mux.HandleFunc("GET /api/events", s.readers(func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, r, http.StatusOK, c.Events())
	}))
	mux.HandleFunc("GET /snapshots/{name}", s.readers(s.snapshot))
	mux.HandleFunc("GET /frame.jpg", s.readers(s.frame))
	mux.HandleFunc("GET /metrics", s.readers(c.Metrics.ServeHTTP))
	mux.HandleFunc("POST /api/controls", s.changers(s.change))
	mux.HandleFunc("POST /api/controls/reset", s.changers(s.reset))
	mux.HandleFunc("POST /api/reload", s.changers(s.reload))
	guarded := guard(mux, c.AllowedHosts)
	if c.Answered == nil {
		return guarded
	}
	return counted(guarded, c.Answered)
}

// readers lets pass who may look.
func (s *server) readers(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if fromHere(s.on, r) || s.auth.allow(w, s.auth.judge(r)) {
			next(w, r)
		}
	}
}

// changers lets pass who may change something, not too often.
func (s *server) changers(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.auth.allow(w, s.auth.judge(r)) {
			return
		}
		if !s.changes.take(origin(r)) {
			w.Header().Set("Retry-After", "1")
			writeError(w, http.StatusTooManyRequests, "too many changes: wait a moment")
			return
		}
		next(w, r)
	}
}

// session tells the page what it may offer.
func (s *server) session(w http.ResponseWriter, r *http.Request) {
	in := s.auth.judge(r) == signedIn
	writeJSON(w, r, http.StatusOK, struct {
		Token    bool `json:"token"` // one is set
		SignedIn bool `json:"signed_in"`
		MayLook  bool `json:"may_look"`
	}{s.Token != "", in, in || fromHere(s.on, r)})
}

func (s *server) health(w http.ResponseWriter, r *http.Request) {
	content, word, alive := s.Health()
	if !fromHere(s.on, r) && s.auth.judge(r) != signedIn {
		content = map[string]string{"status": word}
	}
	status := http.StatusOK
	if !alive {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, r, status, content)
}

func (s *server) history(w http.ResponseWriter, r *http.Request) {
	content, ok := s.History(r.FormValue("span"))
	if !ok {
		writeError(w, http.StatusBadRequest, "span must be minutes, hour or day")
		return
	}
	writeJSON(w, r, http.StatusOK, content)
}

func (s *server) frame(w http.ResponseWriter, r *http.Request) {
	picture, err := s.Frame()
	if err != nil {
		writeError(w, http.StatusInternalServerError, "cannot show the frame: "+err.Error())
		return
	}
	h := w.Header()
	if picture == nil {
		h.Set("Retry-After", "1")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	answer, err := json.Marshal(picture.Answer)
	if err != nil {
		writeError(w, http.StatusInternalServerError, "cannot write the answer as JSON: "+err.Error())
		return
	}
	h.Set("ETag", `"`+picture.ID+`"`)
	h.Set("Fathom-Answer", url.PathEscape(string(answer)))
	if r.Header.Get("If-None-Match") == h.Get("ETag") {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", "image/jpeg")
	_, _ = w.Write(picture.JPEG)
}

// maxSnapshotWidth bounds what may be asked for.
const maxSnapshotWidth = 4096

func (s *server) snapshot(w http.ResponseWriter, r *http.Request) {
	width := 0
	if asked := r.FormValue("width"); asked != "" {
		n, err := strconv.Atoi(asked)
		if err != nil || n < 1 || n > maxSnapshotWidth {
			writeError(w, http.StatusBadRequest, "width must be 1 to "+strconv.Itoa(maxSnapshotWidth))
			return
		}
		width = n
	}
	picture, err := s.Snapshot(r.PathValue("name"), width)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		writeError(w, http.StatusNotFound, "there is no such picture (any more)")
	case err != nil:
		writeError(w, http.StatusInternalServerError, "cannot show the picture: "+err.Error())
	default:
		h := w.Header()
		h.Set("Content-Type", "image/jpeg")
		h.Set("Cache-Control", "private, max-age=86400, immutable") // its name is never given twice
		_, _ = w.Write(picture)
	}
}

func (s *server) reset(w http.ResponseWriter, r *http.Request) {
	if !isJSON(w, r) {
		return
	}
	if err := s.Reset(); err != nil {
		writeError(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	writeJSON(w, r, http.StatusOK, s.Controls())
}

func (s *server) change(w http.ResponseWriter, r *http.Request) {
	if !isJSON(w, r) {
		return
	}
	var tooLarge *http.MaxBytesError
	switch err := s.Change(r.Body); {
	case errors.As(err, &tooLarge):
		writeError(w, http.StatusRequestEntityTooLarge, err.Error())
	case err != nil:
		writeError(w, http.StatusUnprocessableEntity, err.Error())
	default:
		writeJSON(w, r, http.StatusOK, s.Controls())
	}
}

func (s *server) reload(w http.ResponseWriter, r *http.Request) {
	if !isJSON(w, r) {
		return
	}
	done, err := s.Reload()
	if err != nil {
		writeError(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	writeJSON(w, r, http.StatusOK, done)
}

// isJSON refuses bodies that a plain form of another page could send.
func isJSON(w http.ResponseWriter, r *http.Request) bool {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		writeError(w, http.StatusUnsupportedMediaType, "send application/json")
		return false
	}
	return true
}

func readJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	if !isJSON(w, r) {
		return false
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		status := http.StatusBadRequest
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			status = http.StatusRequestEntityTooLarge
		}
		writeError(w, status, "cannot read the request: "+err.Error())
		return false
	}
	return true
}

// largeJSON is from how many bytes on an answer is compressed.
const largeJSON = 1400

func writeJSON(w http.ResponseWriter, r *http.Request, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		writeError(w, http.StatusInternalServerError, "cannot write the state as JSON: "+err.Error())
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Vary", "Accept-Encoding")
	body = append(body, '\n')
	if len(body) > largeJSON && takesGzip(r) {
		h.Set("Content-Encoding", "gzip")
		body = compress(body, gzip.BestSpeed)
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// writeError answers {"error": "..."}, in one line.
func writeError(w http.ResponseWriter, status int, message string) {
	body, err := json.Marshal(map[string]string{"error": strings.ReplaceAll(message, "\n", " ")})
	if err != nil {
		panic(err) // a string is always JSON
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
