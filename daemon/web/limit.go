package web

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limiter is a bucket of events for each address; of many addresses it forgets
// those that have long been quiet first. Safe for concurrent use.
type limiter struct {
	every time.Duration // in which one event is forgiven
	burst int
	now   func() time.Time

	mu      sync.Mutex
	buckets map[netip.Addr]*rate.Limiter
}

// maxAddresses bounds what a limiter remembers.
const maxAddresses = 1024

func newLimiter(every time.Duration, burst int, now func() time.Time) *limiter {
	return &limiter{every: every, burst: burst, now: now, buckets: map[netip.Addr]*rate.Limiter{}}
}

// empty tells whether the address has no event left.
func (l *limiter) empty(a netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, known := l.buckets[a]
	return known && b.TokensAt(l.now()) < 1
}

// take uses up one event, and tells whether there was one.
func (l *limiter) take(a netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[a]
	if b == nil {
		l.forget()
		b = rate.NewLimiter(rate.Every(l.every), l.burst)
		l.buckets[a] = b
	}
	return b.AllowN(l.now(), 1)
}

// forget makes room: for all that are full again, or for any.
func (l *limiter) forget() {
	if len(l.buckets) < maxAddresses {
		return
	}
	for a, b := range l.buckets {
		if b.TokensAt(l.now()) >= float64(l.burst) {
			delete(l.buckets, a)
		}
	}
	for a := range l.buckets {
		if len(l.buckets) < maxAddresses {
			return
		}
		delete(l.buckets, a)
	}
}

// origin is the address that a request comes from: of IPv6 the network, since a host has 2^64 addresses of it.
func origin(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return network(host)
}

func network(host string) netip.Addr {
	a, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	if a = a.Unmap().WithZone(""); a.Is6() {
		p, _ := a.Prefix(64) // 64 is within an IPv6 address
		return p.Addr()
	}
	return a
}

// Connections at the same time, in all and from one address other than this machine's.
const (
	maxConnections        = 128
	maxConnectionsFromOne = 32
)

// limitedListener closes connections beyond the limits at once, so that whoever
// holds many open shuts out nobody else.
type limitedListener struct {
	net.Listener
	turnedAway func() // nil where nobody asks

	mu    sync.Mutex
	total int
	from  map[netip.Addr]int
}

func limitConnections(l net.Listener, turnedAway func()) net.Listener {
	return &limitedListener{Listener: l, turnedAway: turnedAway, from: map[netip.Addr]int{}}
}

// Accept implements net.Listener.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
		from := network(host)
		if l.enter(from) {
			return &limitedConn{Conn: c, leave: sync.OnceFunc(func() { l.leave(from) })}, nil
		}
		if l.turnedAway != nil {
			l.turnedAway()
		}
		_ = c.Close() // it was one too many
	}
}

func (l *limitedListener) enter(from netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.total >= maxConnections || l.from[from] >= maxConnectionsFromOne && !from.IsLoopback() {
		return false
	}
	l.total++
	l.from[from]++
	return true
}

func (l *limitedListener) leave(from netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	if l.from[from]--; l.from[from] == 0 {
		delete(l.from, from)
	}
}

type limitedConn struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (c *limitedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}

// CloseWrite lets net/http end a connection so that the client still reads its last answer.
func (c *limitedConn) CloseWrite() error {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		return tcp.CloseWrite()
	}
	return nil
}
