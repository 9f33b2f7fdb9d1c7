package camera

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"net"
	"net/http"
	"time"
)

// newHTTP shows a camera with a web server: a stream of JPEGs
// (multipart/x-mixed-replace) or, where the address answers with a single JPEG, that
// picture asked for anew fps times a second.
//
// A user and password in the address are sent as Basic authentication and never
// appear in names and errors. Redirects are followed within the same scheme.
// Proxies of the environment are not used.
func newHTTP(rawURL string, fps float64, options StreamOptions) (*Stream, error) {
	address, err := parseAddress(rawURL, "http", "https")
	if err != nil {
		return nil, err
	}
	options, err = options.withDefaults()
	if err != nil {
		return nil, err
	}
	camera := webCamera{address, newClient(address.request.Scheme, options.ConnectTimeout), time.Duration(float64(time.Second) / fps)}
	options.FrameTimeout += camera.period // which may be longer
	return newStream(link{address.shown, camera.connect, address.reason}, options)
}

type webCamera struct {
	address address
	client  *http.Client
	period  time.Duration // of single pictures
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

// connect asks for the address and looks at what kind of answer it is.
func (c webCamera) connect(ctx context.Context) (feed, error) {
	response, err := c.get(ctx)
	if err != nil {
		return nil, err
	}
	boundary, still, err := kindOf(response.Header.Get("Content-Type"))
	if err != nil {
		response.Body.Close()
		return nil, err
	}
	if still {
		return &snapshots{camera: c, body: response.Body}, nil
	}
	return &multipartFeed{parts: newPartReader(response.Body, boundary), body: response.Body}, nil
}

// get returns a successful answer.
func (c webCamera) get(ctx context.Context) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.address.request.String(), nil)
	if err != nil {
		return nil, err
	}
	if c.address.hasUser {
		request.SetBasicAuth(c.address.user, c.address.password)
	}
	response, err := c.client.Do(request)
	if err != nil {
		return nil, err
	}
	switch response.StatusCode {
	case http.StatusOK:
		return response, nil
	case http.StatusUnauthorized, http.StatusForbidden:
		err = fmt.Errorf("it answers %d %s (check user and password in the address; only Basic authentication is supported)",
			response.StatusCode, http.StatusText(response.StatusCode))
	default:
		err = fmt.Errorf("it answers %d %s (check the path of the address)", response.StatusCode, http.StatusText(response.StatusCode))
	}
	response.Body.Close()
	return nil, err
}

// multipartFeed is a stream that never ends.
type multipartFeed struct {
	parts *partReader
	body  io.Closer
}

func (f *multipartFeed) next(_ context.Context, buf []byte) ([]byte, error) { return f.parts.next(buf) }

func (f *multipartFeed) picture(data []byte, least image.Point, over image.Image) (image.Image, error) {
	return DecodeJPEG(data, least, over)
}

func (f *multipartFeed) close() { f.body.Close() }

// snapshots asks for one picture after the other.
type snapshots struct {
	camera webCamera
	body   io.ReadCloser // of the answer that is to be read; nil where the next one must be asked for
	due    time.Time
}

func (f *snapshots) next(ctx context.Context, buf []byte) ([]byte, error) {
	if f.body == nil {
		if err := f.ask(ctx); err != nil {
			return nil, err
		}
	}
	f.due = time.Now().Add(f.camera.period)
	defer f.close()
	data, err := readAll(f.body, buf)
	if err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return nil, errors.New("it answers with an empty picture")
	}
	return data, nil
}

// ask waits until the next picture is due.
func (f *snapshots) ask(ctx context.Context) error {
	timer := time.NewTimer(time.Until(f.due))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	response, err := f.camera.get(ctx)
	if err != nil {
		return err
	}
	f.body = response.Body
	return nil
}

func (f *snapshots) picture(data []byte, least image.Point, over image.Image) (image.Image, error) {
	return DecodeJPEG(data, least, over)
}

func (f *snapshots) close() {
	if f.body != nil {
		f.body.Close()
		f.body = nil
	}
}

// readAll reads a picture to the end of r.
func readAll(r io.Reader, buf []byte) ([]byte, error) {
	buf = buf[:0]
	for {
		if len(buf) > maxPart {
			return nil, tooLarge(len(buf))
		}
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
