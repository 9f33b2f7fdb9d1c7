package main

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// proxy stands between fathomd and a server, so that the way can be broken. Safe for concurrent use.
type proxy struct {
	address string // where fathomd connects to
	server  string

	mu       sync.Mutex
	listener net.Listener // nil while nobody listens
	conns    map[net.Conn]bool
	hole     bool // bytes go nowhere
	delay    time.Duration
}

func newProxy(server string) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{address: l.Addr().String(), server: server, listener: l, conns: map[net.Conn]bool{}}
	go p.accept(l)
	return p, nil
}

func (p *proxy) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go p.carry(c)
	}
}

func (p *proxy) carry(c net.Conn) {
	to, err := net.Dial("tcp", p.server)
	if err != nil {
		_ = c.Close()
		return
	}
	p.mu.Lock()
	p.conns[c], p.conns[to] = true, true
	p.mu.Unlock()
	done := func() {
		_, _ = c.Close(), to.Close()
		p.mu.Lock()
		delete(p.conns, c)
		delete(p.conns, to)
		p.mu.Unlock()
	}
	go func() { defer done(); p.copy(to, c) }()
	go func() { defer done(); p.copy(c, to) }()
}

func (p *proxy) copy(to, from net.Conn) {
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		hole, delay := p.hole, p.delay
		p.mu.Unlock()
		if delay > 0 {
			time.Sleep(delay)
		}
		if !hole && n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// cut ends all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.Close()
	}
}

// refuse lets nobody connect until the end.
func (p *proxy) refuse() (end func() error) {
	p.mu.Lock()
	_ = p.listener.Close()
	p.mu.Unlock()
	p.cut()
	return func() error {
		var l net.Listener
		var err error
		for range 100 { // the port may need a moment
			if l, err = net.Listen("tcp", p.address); err == nil {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		if err != nil {
			return err
		}
		p.mu.Lock()
		p.listener = l
		p.mu.Unlock()
		go p.accept(l)
		return nil
	}
}

// swallow takes everything and carries nothing until the end.
func (p *proxy) swallow() (end func() error) {
	p.set(true, 0)
	return func() error {
		p.set(false, 0)
		p.cut() // what was swallowed is missing
		return nil
	}
}

// slow delays every piece until the end.
func (p *proxy) slow(by time.Duration) (end func() error) {
	p.set(false, by)
	return func() error { p.set(false, 0); return nil }
}

func (p *proxy) set(hole bool, delay time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hole, p.delay = hole, delay
}

// babble puts noise into all connections.
func (p *proxy) babble(rng *rand.Rand) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_, _ = io.WriteString(c, noise(rng, 1+rng.IntN(300)))
	}
}

func noise(rng *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return string(b)
}
