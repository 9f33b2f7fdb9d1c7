package camera

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

// MJPEGOptions tune an MJPEG source. Zero values mean the defaults.
type MJPEGOptions struct {
	// ConnectTimeout bounds the time until the camera's answer begins; default 5 s.
	ConnectTimeout time.Duration
	// FrameTimeout is how long to wait for a complete picture before connecting anew; default 10 s.
	FrameTimeout time.Duration
	// MinBackoff and MaxBackoff bound the wait between two attempts to connect; default 1 s and 30 s.
	MinBackoff, MaxBackoff time.Duration
}

func (o MJPEGOptions) withDefaults() (MJPEGOptions, error) {
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&o.ConnectTimeout, 5 * time.Second}, {&o.FrameTimeout, 10 * time.Second},
		{&o.MinBackoff, time.Second}, {&o.MaxBackoff, 30 * time.Second},
	} {
		if *d.value < 0 {
			return o, fmt.Errorf("camera: MJPEG: a time of %s is negative", *d.value)
		}
		if *d.value == 0 {
			*d.value = d.standard
		}
	}
	if o.MaxBackoff < o.MinBackoff {
		return o, fmt.Errorf("camera: MJPEG: the longest wait %s is shorter than the shortest, %s", o.MaxBackoff, o.MinBackoff)
	}
	return o, nil
}

// MJPEG shows a camera's stream of JPEGs over HTTP (multipart/x-mixed-replace).
//
// A goroutine of its own reads the stream and keeps the newest picture only;
// those that nobody asks for in time are dropped before they are decoded. It
// connects anew, with growing pauses, whenever the stream ends, stalls or makes
// no sense. A picture may have 8 MiB and 4096x4096 pixels.
//
// A user and password in the address are sent as Basic authentication and never
// appear in names and errors. Redirects are followed within the same scheme.
// Proxies of the environment are not used.
type MJPEG struct {
	address address
	options MJPEGOptions
	client  *http.Client
	stop    context.CancelFunc
	closed  <-chan struct{} // when Close was called
	ended   chan struct{}   // when the goroutine has ended

	mu       sync.Mutex
	newest   []byte // the newest JPEG, undecoded
	sequence uint64 // of the newest
	captured time.Time
	failure  error         // of the last attempt, until Next has told it or a picture came
	news     chan struct{} // holds one: there is a picture or a failure

	// What follows belongs to the goroutine that calls Next.
	shown    uint64 // sequence of the picture that Next returned last
	decoding []byte
}

var _ Source = (*MJPEG)(nil)

// NewMJPEG starts to read the stream at the http or https address. It does not
// wait for the camera: one that is away is a temporary error of Next.
func NewMJPEG(rawURL string, options MJPEGOptions) (*MJPEG, error) {
	address, err := parseAddress(rawURL)
	if err != nil {
		return nil, err
	}
	options, err = options.withDefaults()
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	m := &MJPEG{
		address: address,
		options: options,
		client:  newClient(address.request.Scheme, options.ConnectTimeout),
		stop:    stop,
		closed:  ctx.Done(),
		ended:   make(chan struct{}),
		news:    make(chan struct{}, 1),
	}
	go m.run(ctx)
	return m, nil
}

const maxRedirects = 5

func newClient(scheme string, timeout time.Duration) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            (&net.Dialer{Timeout: timeout}).DialContext,
			TLSHandshakeTimeout:    timeout,
			ResponseHeaderTimeout:  timeout,
			MaxResponseHeaderBytes: 64 << 10,
			DisableKeepAlives:      true, // a stream is never finished, so no connection can be used again
			DisableCompression:     true,
		},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if req.URL.Scheme != scheme {
				return fmt.Errorf("it redirects from %s to another scheme, which is not followed (give the final address)", scheme)
			}
			if len(via) > maxRedirects {
				return fmt.Errorf("it redirects more than %d times", maxRedirects)
			}
			req.Header.Del("Referer") // it holds the query of the address
			return nil
		},
	}
}

// Name implements Source.
func (m *MJPEG) Name() string { return "MJPEG " + m.address.shown }

// Next implements Source. Failures to reach the camera, and pictures that cannot
// be decoded, are temporary errors; each is told once.
func (m *MJPEG) Next(ctx context.Context) (Frame, error) {
	for {
		select {
		case <-m.closed:
			return Frame{}, io.EOF
		default:
		}
		if err := ctx.Err(); err != nil {
			return Frame{}, err
		}
		frame, found, err := m.take()
		if err != nil {
			return Frame{}, err
		}
		if found {
			img, err := jpegFormat.picture(m.decoding)
			if err != nil {
				return Frame{}, temporaryf("camera: MJPEG %s: picture %d: %w (skipped)", m.address.shown, frame.Sequence, err)
			}
			frame.Image = img
			return frame, nil
		}
		select {
		case <-m.news:
		case <-m.closed:
		case <-ctx.Done():
		}
	}
}

// take moves the newest picture, if it was not shown yet, to m.decoding.
func (m *MJPEG) take() (frame Frame, found bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sequence > m.shown {
		m.newest, m.decoding = m.decoding, m.newest
		m.shown = m.sequence
		return Frame{Sequence: m.sequence, Captured: m.captured}, true, nil
	}
	err, m.failure = m.failure, nil
	return Frame{}, false, err
}

// Close implements Source. It returns when the connection is closed.
func (m *MJPEG) Close() error {
	m.stop()
	<-m.ended
	return nil
}

// publish offers a picture and returns a buffer for the next one.
func (m *MJPEG) publish(jpeg []byte) (free []byte) {
	m.mu.Lock()
	free, m.newest = m.newest, jpeg
	m.sequence++
	m.captured = time.Now()
	m.failure = nil
	m.mu.Unlock()
	m.notify()
	return free
}

func (m *MJPEG) notify() {
	select {
	case m.news <- struct{}{}:
	default:
	}
}

// run connects until the source is closed.
func (m *MJPEG) run(ctx context.Context) {
	defer close(m.ended)
	failures := 0
	for {
		pictures, err := m.stream(ctx)
		if ctx.Err() != nil {
			return
		}
		if pictures > 0 {
			failures = 0
		}
		failures++
		delay := backoff(failures, m.options.MinBackoff, m.options.MaxBackoff, rand.Float64())
		m.mu.Lock()
		m.failure = temporaryf("camera: MJPEG %s: %s; trying again in %s",
			m.address.shown, m.address.reason(err), delay.Round(100*time.Millisecond))
		m.mu.Unlock()
		m.notify()
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// stream reads one connection to its end and returns how many pictures it gave;
// the error, which is never nil, says why it ended.
func (m *MJPEG) stream(ctx context.Context) (pictures int, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// The timer guards the whole way to the first picture, and from each to the next.
	patience := m.options.ConnectTimeout + m.options.FrameTimeout
	timer := time.AfterFunc(patience, func() {
		cancel(fmt.Errorf("no complete picture for %s", m.options.FrameTimeout))
	})
	defer timer.Stop()
	defer func() {
		if cause := context.Cause(ctx); cause != nil {
			err = cause // more telling than "context canceled"
		}
	}()

	body, boundary, err := m.connect(ctx)
	if err != nil {
		return 0, err
	}
	defer body.Close()
	timer.Reset(m.options.FrameTimeout)
	parts := newPartReader(body, boundary)
	var buf []byte
	for {
		jpeg, err := parts.next(buf)
		if err != nil {
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				err = errors.New("the camera ended the stream")
			}
			return pictures, err
		}
		timer.Reset(m.options.FrameTimeout)
		buf = m.publish(jpeg)
		pictures++
	}
}

// connect returns the body of the camera's answer and its boundary.
func (m *MJPEG) connect(ctx context.Context) (body io.ReadCloser, boundary string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, m.address.request.String(), nil)
	if err != nil {
		return nil, "", err
	}
	if m.address.hasUser {
		request.SetBasicAuth(m.address.user, m.address.password)
	}
	response, err := m.client.Do(request)
	if err != nil {
		return nil, "", err
	}
	switch response.StatusCode {
	case http.StatusOK:
		boundary, err = boundaryOf(response.Header.Get("Content-Type"))
	case http.StatusUnauthorized, http.StatusForbidden:
		err = fmt.Errorf("it answers %d %s (check user and password in the address; only Basic authentication is supported)",
			response.StatusCode, http.StatusText(response.StatusCode))
	default:
		err = fmt.Errorf("it answers %d %s (check the path of the address)", response.StatusCode, http.StatusText(response.StatusCode))
	}
	if err != nil {
		response.Body.Close()
		return nil, "", err
	}
	return response.Body, boundary, nil
}
