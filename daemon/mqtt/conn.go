package mqtt

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/packets"
)

// connect dials the broker. The library sets as much memory aside as the header of a packet states, up to 256 MiB, so that
// five bytes of noise could be the end of a small board: headers are looked at before it sees them.
func connect(ctx context.Context, c autopaho.ClientConfig, broker *url.URL) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	var conn net.Conn
	var err error
	if c.TlsCfg != nil {
		conn, err = (&tls.Dialer{Config: c.TlsCfg}).DialContext(ctx, "tcp", broker.Host)
	} else {
		conn, err = new(net.Dialer).DialContext(ctx, "tcp", broker.Host)
	}
	if err != nil {
		return nil, err
	}
	return packets.NewThreadSafeConn(&bounded{Conn: conn}), nil // which the library locks to write
}

// bounded is a connection on which the broker sends no packet that is larger than it was told, maxIncoming.
type bounded struct {
	net.Conn
	sizes sizes
}

// Read implements net.Conn.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.Conn.Read(p)
	if e := b.sizes.check(p[:n]); e != nil {
		return 0, e
	}
	return n, err
}

// sizes follows the packets of a stream (MQTT 5, 2.1.1: a byte of type, up to four with seven bits of the length each, the
// lowest first, the last without its highest bit).
type sizes struct {
	header int // bytes of it that were seen; 0 between two packets
	left   int // of the packet, as far as its header says
}

// check takes what comes next of the stream.
func (s *sizes) check(p []byte) error {
	for len(p) > 0 {
		switch {
		case s.header == 0 && s.left > 0:
			n := min(s.left, len(p))
			s.left -= n
			p = p[n:]
			continue
		case s.header == 0:
			s.header = 1
		default:
			s.left |= int(p[0]&0x7f) << (7 * (s.header - 1))
			s.header++
			if s.left > maxIncoming {
				return fmt.Errorf("the broker sends a packet of more than %d bytes (is it a broker?)", maxIncoming)
			}
			if p[0] < 0x80 || s.header > 4 {
				s.header = 0
			}
		}
		p = p[1:]
	}
	return nil
}
