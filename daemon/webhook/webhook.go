// Package webhook sends events to an HTTP server, one POST each, in order, and
// keeps trying while the server is away.
//
// An answer of 2xx is delivery. Connection errors, 408, 425, 429 and 5xx are tried
// again, after one second at first, twice as long each time up to five minutes,
// less up to a half by chance; Retry-After is kept to, up to an hour. Any other
// answer drops the event: it would be refused again. A redirect is followed on the
// same host and scheme only, so that nobody else gets what is sent. Delivery is at
// least once: the header Fathom-Delivery is the same for each try of an event.
//
// With a key, the header Fathom-Signature is "sha256=" and the HMAC-SHA-256 of the
// body in hexadecimal.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// Options are what a Sender needs beside its Config. The zero value is right but in tests.
type Options struct {
	// Health is told whenever the server starts to fail (the error) and to work again (nil).
	Health func(error)
	// First and Longest are the delays between tries; 0 for 1 s and 5 min.
	First, Longest time.Duration
	// Agent is the User-Agent.
	Agent string
}

// maxRetryAfter bounds what a server may ask for.
const maxRetryAfter = time.Hour

// Stats count what became of events.
type Stats struct {
	Delivered uint64
	Refused   uint64 // the server does not want them
	Dropped   uint64 // the queue was full, or they became too old
	Retries   uint64
	Waiting   int
}

type delivery struct {
	id   string
	body []byte
	at   time.Time
}

// Sender sends. Safe for concurrent use.
type Sender struct {
	config  Config
	options Options
	key     []byte
	client  *http.Client

	mu      sync.Mutex
	waiting []delivery
	stats   Stats
	arrived chan struct{} // has one element while something may wait
}

// New reads the key. Nothing is sent before Run.
func New(c Config, o Options) (*Sender, error) {
	key, err := c.secret()
	if err != nil {
		return nil, err
	}
	if o.Health == nil {
		o.Health = func(error) {}
	}
	if o.First == 0 {
		o.First, o.Longest = time.Second, 5*time.Minute
	}
	s := &Sender{config: c, options: o, key: key, arrived: make(chan struct{}, 1)}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxConnsPerHost, transport.MaxResponseHeaderBytes = 1, 1, 64<<10
	s.client = &http.Client{Transport: transport, Timeout: c.Timeout, CheckRedirect: sameHost}
	return s, nil
}

func sameHost(next *http.Request, before []*http.Request) error {
	first := before[0].URL
	if next.URL.Host != first.Host || next.URL.Scheme != first.Scheme {
		return fmt.Errorf("redirected to another host, %s", next.URL.Host)
	}
	if len(before) > 5 {
		return errors.New("redirected too often")
	}
	return nil
}

// Send queues an event and returns at once. Its age counts from at, which should be
// of the monotonic clock. The body must not be changed afterwards.
func (s *Sender) Send(id string, at time.Time, body []byte) {
	s.mu.Lock()
	if len(s.waiting) >= s.config.Queue {
		s.waiting = s.waiting[1:]
		s.stats.Dropped++
	}
	s.waiting = append(s.waiting, delivery{id, body, at})
	s.mu.Unlock()
	select {
	case s.arrived <- struct{}{}:
	default:
	}
}

// Take takes over what waits at a sender that does not run any more.
func (s *Sender) Take(from *Sender) {
	from.mu.Lock()
	waiting := from.waiting
	from.waiting = nil
	from.mu.Unlock()
	for _, d := range waiting {
		s.Send(d.id, d.at, d.body)
	}
}

// Stats are the counts up to now.
func (s *Sender) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	st.Waiting = len(s.waiting)
	return st
}

// Run sends until ctx ends; what waits then is lost.
func (s *Sender) Run(ctx context.Context) error {
	defer s.client.CloseIdleConnections()
	failures := 0
	for {
		d, ok := s.next(time.Now())
		if !ok {
			select {
			case <-ctx.Done():
				return nil
			case <-s.arrived:
			}
			continue
		}
		after, err := s.try(ctx, d)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			s.finish(d, func(st *Stats) { st.Delivered++ })
		case after < 0:
			s.finish(d, func(st *Stats) { st.Refused++ })
		default:
			failures++
			s.count(func(st *Stats) { st.Retries++ })
			if failures == 1 {
				s.options.Health(err)
			}
			if after == 0 {
				after = s.backoff(failures)
			}
			if !sleep(ctx, after) {
				return nil
			}
			continue
		}
		if failures > 0 || err != nil {
			s.options.Health(err) // nil, or why this one was refused
		}
		if failures = 0; err != nil {
			failures = 1
		}
	}
}

// next is the oldest event that is young enough.
func (s *Sender) next(now time.Time) (delivery, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.waiting) > 0 && now.Sub(s.waiting[0].at) > s.config.GiveUpAfter {
		s.waiting = s.waiting[1:]
		s.stats.Dropped++
	}
	if len(s.waiting) == 0 {
		s.waiting = nil
		return delivery{}, false
	}
	return s.waiting[0], true
}

// finish takes an event out of the queue. If it fell out while it was under way, it was not dropped after all.
func (s *Sender) finish(d delivery, count func(*Stats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) > 0 && s.waiting[0].id == d.id && s.waiting[0].at.Equal(d.at) {
		s.waiting = s.waiting[1:]
	} else {
		s.stats.Dropped--
	}
	count(&s.stats)
}

func (s *Sender) count(change func(*Stats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.stats)
}

// try makes one attempt. With an error, after is negative if the event is refused
// for good, and otherwise how long the server wants to be left alone, 0 if it does not say.
func (s *Sender) try(ctx context.Context, d delivery) (after time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.config.URL, bytes.NewReader(d.body))
	if err != nil {
		return -1, fmt.Errorf("webhook: %w", err)
	}
	h := request.Header
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", s.options.Agent)
	h.Set("Fathom-Delivery", d.id)
	if s.key != nil {
		mac := hmac.New(sha256.New, s.key)
		mac.Write(d.body)
		h.Set("Fathom-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
	answer, err := s.client.Do(request)
	if err != nil {
		return 0, fmt.Errorf("webhook: %w", withoutURL(err))
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)) // so that the connection can be kept
	switch code := answer.StatusCode; {
	case code >= 200 && code < 300:
		return 0, nil
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code >= 500:
		return retryAfter(answer.Header.Get("Retry-After"), time.Now()), fmt.Errorf("webhook: the server answers %s", answer.Status)
	}
	return -1, fmt.Errorf("webhook: the server refuses an event with %s", answer.Status)
}

// withoutURL takes away the address, which may hold a token.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// retryAfter reads seconds or a date; 0 where there is neither.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(header); err == nil && seconds > 0 {
		return min(time.Duration(min(seconds, 1e6))*time.Second, maxRetryAfter)
	}
	if at, err := http.ParseTime(header); err == nil && at.After(now) {
		return min(at.Sub(now), maxRetryAfter)
	}
	return 0
}

// backoff is how long to wait after so many failures in a row.
func (s *Sender) backoff(failures int) time.Duration {
	d := s.options.First
	for i := 1; i < failures && d < s.options.Longest; i++ {
		d *= 2
	}
	d = min(d, s.options.Longest)
	return d - time.Duration(rand.Float64()*float64(d)/2)
}

// sleep reports whether ctx let it.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
