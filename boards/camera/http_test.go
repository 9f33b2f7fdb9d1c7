package camera

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// quick are options for a test that does not want to wait.
var quick = StreamOptions{FrameTimeout: 20 * time.Second, MinBackoff: 10 * time.Millisecond, MaxBackoff: 20 * time.Millisecond}

func open(t *testing.T, url string, options StreamOptions) *Stream {
	t.Helper()
	m, err := newHTTP(url, 50, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// within is a context for what should not take long.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// nextFrame passes over temporary errors.
func nextFrame(t *testing.T, m *Stream) Frame {
	t.Helper()
	ctx := within(t)
	for {
		frame, err := m.Next(ctx)
		if err == nil {
			return frame
		}
		if !errors.Is(err, ErrTemporary) {
			t.Fatal(err)
		}
	}
}

// nextFailure passes over pictures until a temporary error comes that holds want.
func nextFailure(t *testing.T, m *Stream, want string) error {
	t.Helper()
	ctx := within(t)
	var last error
	for {
		_, err := m.Next(ctx)
		switch {
		case err == nil:
		case !errors.Is(err, ErrTemporary):
			t.Fatalf("%v; before that %v; want a temporary error with %q", err, last, want)
		case strings.Contains(err.Error(), want):
			return err
		default:
			last = err
		}
	}
}

// stream writes parts to a client as a camera does.
type stream struct {
	http.ResponseWriter
}

func begin(w http.ResponseWriter) stream {
	w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=frame")
	return stream{w}
}

func (s stream) send(jpeg []byte) {
	fmt.Fprintf(s, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n", len(jpeg), jpeg)
	s.ResponseWriter.(http.Flusher).Flush()
}

// serve runs a camera whose streams are ended before the test is.
func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server
}

// TestMJPEGNewestWins: pictures that nobody asked for are dropped undecoded, and
// counted.
func TestMJPEGNewestWins(t *testing.T) {
	more := make(chan struct{})
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		s := begin(w)
		for i := range 4 {
			s.send([]byte{0xFF, 0xD8, byte(i)}) // would fail if it were decoded
		}
		s.send(grayJPEG(t, 16, 8, 50))
		<-more
		s.send(grayJPEG(t, 16, 8, 60))
		<-r.Context().Done()
	})
	m := open(t, server.URL, quick)
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		m.mu.Lock()
		received := m.sequence
		m.mu.Unlock()
		if received == 5 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("received %d of 5 pictures", received)
		}
	}
	frame, err := m.Next(within(t))
	if err != nil {
		t.Fatal(err)
	}
	if frame.Sequence != 5 || shadeOf(frame.Image) != 50 || frame.Image.Bounds().Dx() != 16 {
		t.Errorf("picture %d of shade %d, %v; want 5 of shade 50", frame.Sequence, shadeOf(frame.Image), frame.Image.Bounds())
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := m.Next(ctx); err != context.DeadlineExceeded {
		t.Errorf("Next without a newer picture: %v", err)
	}
	close(more)
	if frame = nextFrame(t, m); frame.Sequence != 6 || shadeOf(frame.Image) != 60 {
		t.Errorf("picture %d of shade %d; want 6 of shade 60", frame.Sequence, shadeOf(frame.Image))
	}
}

// TestMJPEGServerReturns: first nobody listens, then a server comes, dies in the
// middle of a picture, and comes back.
func TestMJPEGServerReturns(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := listener.Addr().String()
	listener.Close()
	m := open(t, "http://"+at+"/stream", quick)

	failure := nextFailure(t, m, "connection refused")
	for _, want := range []string{"camera: http://" + at + "/stream: ", "; trying again in "} {
		if !strings.Contains(failure.Error(), want) {
			t.Errorf("error %q does not hold %q", failure, want)
		}
	}

	serveAt := func(shade uint8) *httptest.Server {
		t.Helper()
		listener, err := net.Listen("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s := begin(w)
			s.send(grayJPEG(t, 8, 8, shade))
			io.WriteString(s, "--frame\r\nContent-Length: 1000\r\n\r\n\xff\xd8half a picture")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}))
		server.Listener.Close()
		server.Listener = listener
		server.Start()
		return server
	}
	kill := func(server *httptest.Server) {
		server.CloseClientConnections()
		server.Close()
	}

	first := serveAt(100)
	if frame := nextFrame(t, m); shadeOf(frame.Image) != 100 {
		t.Errorf("shade %d, want 100", shadeOf(frame.Image))
	}
	kill(first)
	nextFailure(t, m, "connection refused")
	second := serveAt(200)
	defer kill(second)
	if frame := nextFrame(t, m); shadeOf(frame.Image) != 200 || frame.Sequence != 2 {
		t.Errorf("picture %d of shade %d, want 2 of 200", frame.Sequence, shadeOf(frame.Image))
	}
}

// TestMJPEGFailures: what a camera can do wrong is a temporary error that says so.
func TestMJPEGFailures(t *testing.T) {
	tests := []struct {
		name   string
		handle http.HandlerFunc
		want   string
	}{
		{"stall", func(w http.ResponseWriter, r *http.Request) {
			s := begin(w)
			s.send(grayJPEG(t, 8, 8, 1))
			<-r.Context().Done()
		}, "no complete picture for 220ms"},
		{"trickle", func(w http.ResponseWriter, r *http.Request) {
			s := begin(w)
			io.WriteString(s, "--frame\r\nContent-Length: 1000000\r\n\r\n")
			for r.Context().Err() == nil {
				io.WriteString(s, "x")
				s.ResponseWriter.(http.Flusher).Flush()
				time.Sleep(10 * time.Millisecond)
			}
		}, "no complete picture for 220ms"},
		{"no answer", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "timeout awaiting response headers"},
		{"end", func(w http.ResponseWriter, r *http.Request) { begin(w).send(grayJPEG(t, 8, 8, 1)) }, "the camera ended the stream"},
		{"not found", http.NotFound, "it answers 404 Not Found (check the path"},
		{"locked", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, "it answers 401 Unauthorized (check user and password"},
		{"web page", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>") }, `it answers with "text/html"`},
		{"empty still", func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Type", "image/jpeg") }, "an empty picture"},
		{"endless still", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "image/jpeg")
			for chunk := make([]byte, 1<<20); r.Context().Err() == nil; {
				w.Write(chunk)
			}
		}, "is larger than 8 MiB"},
		{"huge part", func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(begin(w), "--frame\r\nContent-Length: %d\r\n\r\n", 9<<20)
		}, "a picture of 9437184 bytes is larger than 8 MiB"},
		{"huge picture", func(w http.ResponseWriter, r *http.Request) {
			begin(w).send(grayJPEG(t, 1, 4097, 1))
			<-r.Context().Done()
		}, "picture 1: a picture of 1x4097 pixels is larger than 4096x4096"},
		{"damaged picture", func(w http.ResponseWriter, r *http.Request) {
			begin(w).send(grayJPEG(t, 64, 64, 1)[:200])
			<-r.Context().Done()
		}, "picture 1: unexpected EOF (skipped)"},
		{"other scheme", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://"+r.Host+"/x?token=hidden", http.StatusFound)
		}, "it redirects from http to another scheme"},
		{"redirect loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) }, "redirects more than 5 times"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, tt.handle)
			options := quick
			options.ConnectTimeout = 500 * time.Millisecond
			if strings.Contains(tt.want, "220ms") {
				options.FrameTimeout = 200 * time.Millisecond
			}
			err := nextFailure(t, open(t, server.URL, options), tt.want)
			if strings.Contains(err.Error(), "hidden") {
				t.Errorf("error %q shows the query", err)
			}
		})
	}
}

// TestMJPEGCredentials: they reach the camera and nobody else.
func TestMJPEGCredentials(t *testing.T) {
	const user, password, query = "admin", "S3cret", "key=t0ken"
	var referer atomic.Value
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if u, p, _ := r.BasicAuth(); u != user || p != password {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.URL.Path == "/stream" {
			if r.URL.RawQuery != query {
				t.Errorf("query %q, want %q", r.URL.RawQuery, query)
			}
			http.Redirect(w, r, "/moved", http.StatusFound)
			return
		}
		referer.Store(r.Referer())
		begin(w).send(grayJPEG(t, 8, 8, 77))
		<-r.Context().Done()
	})
	host := strings.TrimPrefix(server.URL, "http://")
	m := open(t, "http://"+user+":"+password+"@"+host+"/stream?"+query, quick)
	if frame := nextFrame(t, m); shadeOf(frame.Image) != 77 {
		t.Errorf("shade %d, want 77", shadeOf(frame.Image))
	}
	if got := referer.Load(); got != "" {
		t.Errorf("the redirect was told the referer %q", got)
	}
	if got, want := m.Name(), "http://"+host+"/stream"; got != want {
		t.Errorf("name %q, want %q", got, want)
	}
	server.CloseClientConnections()
	server.Close()
	failure := nextFailure(t, m, "connection refused")
	for _, secret := range []string{user, password, "t0ken"} {
		if strings.Contains(failure.Error(), secret) {
			t.Errorf("error %q shows %q", failure, secret)
		}
	}
}

// TestSnapshots: an address that answers with one picture is asked again and again.
func TestSnapshots(t *testing.T) {
	var asked atomic.Int32
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "image/jpeg")
		n := asked.Add(1)
		if n == 3 {
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		}
		w.Write(grayJPEG(t, 8, 8, uint8(10*n)))
	})
	s := open(t, server.URL, quick)
	first := nextFrame(t, s)
	nextFailure(t, s, "it answers 503")
	if later := nextFrame(t, s); later.Sequence <= first.Sequence || shadeOf(later.Image) < 38 {
		t.Errorf("picture %d of shade %d after picture %d", later.Sequence, shadeOf(later.Image), first.Sequence)
	}
}

func TestAddress(t *testing.T) {
	for _, tt := range []struct {
		in, shown, wantErr string
	}{
		{"http://cam.local/stream", "http://cam.local:80/stream", ""},
		{"https://u:p@cam.local:8443/a%20b?x=y#z", "https://cam.local:8443/a%20b", ""},
		{"http://[fe80::1]/s", "http://[fe80::1]:80/s", ""},
		{"http://cam/user=a&Password=b", "http://cam:80/…", ""},
		{"rtsp://u:p4ss@cam/stream", "", "not http://HOST:PORT/PATH"},
		{"cam.local:8080", "", "not http://HOST:PORT/PATH"},
		{"http:///stream", "", "not http://HOST:PORT/PATH"},
		{"http://u:p4ss@cam:port/", "", "cannot be parsed"},
		{"", "", "not http://HOST:PORT/PATH"},
	} {
		got, err := parseAddress(tt.in, "http", "https")
		if got.shown != tt.shown {
			t.Errorf("%q: shown %q, want %q", tt.in, got.shown, tt.shown)
		}
		if tt.wantErr == "" && err != nil || tt.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tt.wantErr)) {
			t.Errorf("%q: error %v, want one with %q", tt.in, err, tt.wantErr)
		}
		if err != nil && strings.Contains(err.Error(), "p4ss") {
			t.Errorf("%q: error %q shows the password", tt.in, err)
		}
	}
}

func TestStreamOptions(t *testing.T) {
	for _, options := range []StreamOptions{{FrameTimeout: -1}, {MinBackoff: time.Minute}} {
		if m, err := newHTTP("http://127.0.0.1:1/", 1, options); m != nil || err == nil {
			t.Errorf("%+v: %v, %v", options, m, err)
		}
	}
}

// TestMJPEGClose ends a blocked Next, and leaves no goroutine behind.
func TestMJPEGClose(t *testing.T) {
	before := runtime.NumGoroutine()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin(w).send(grayJPEG(t, 8, 8, 1))
		<-r.Context().Done()
	}))
	m, err := newHTTP(server.URL, 50, quick)
	if err != nil {
		t.Fatal(err)
	}
	nextFrame(t, m)
	ended := make(chan error)
	go func() {
		_, err := m.Next(context.Background())
		ended <- err
	}()
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	select {
	case err := <-ended:
		if err != io.EOF {
			t.Errorf("blocked Next: %v, want io.EOF", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("Close does not end a blocked Next")
	}
	if _, err := m.Next(context.Background()); err != io.EOF {
		t.Errorf("Next after Close: %v, want io.EOF", err)
	}
	if err := m.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	server.Close()
	for deadline := time.Now().Add(30 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

func TestBackoff(t *testing.T) {
	for _, tt := range []struct {
		failures int
		chance   float64
		want     time.Duration
	}{
		{1, 0, time.Second}, {2, 0, 2 * time.Second}, {3, 0, 4 * time.Second}, {5, 0, 16 * time.Second},
		{6, 0, 30 * time.Second}, {1000000, 0, 30 * time.Second},
		{1, 0.5, 750 * time.Millisecond}, {6, 0.999999, 15000015 * time.Microsecond},
	} {
		if got := backoff(tt.failures, time.Second, 30*time.Second, tt.chance); got != tt.want {
			t.Errorf("backoff(%d, chance %g) = %s, want %s", tt.failures, tt.chance, got, tt.want)
		}
	}
}
