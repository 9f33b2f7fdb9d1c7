package mqtt

import (
	"bytes"
	"io"
	"testing"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
)

// checked is a stream as the library reads it.
type checked struct {
	io.Reader
	sizes sizes
}

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if e := c.sizes.check(p[:n]); e != nil {
		return 0, e
	}
	return n, err
}

// Whatever the broker sends: no panic, since the library that reads it runs in the daemon's process.
func FuzzPackets(f *testing.F) {
	for _, p := range []packets.Packet{
		&packets.Connack{Properties: &packets.Properties{User: []packets.User{{Key: "a", Value: "b"}}}},
		&packets.Publish{Topic: "fathom/box/set/fps", Payload: []byte("5"), QoS: 1, PacketID: 3, Properties: &packets.Properties{}},
		&packets.Suback{PacketID: 1, Reasons: []byte{0, 1}, Properties: &packets.Properties{}},
		&packets.Puback{PacketID: 1, Properties: &packets.Properties{}},
		&packets.Disconnect{ReasonCode: 0x8e, Properties: &packets.Properties{}},
		&packets.Auth{Properties: &packets.Properties{}},
	} {
		var b bytes.Buffer
		if _, err := p.WriteTo(&b); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Add([]byte{0x30, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := &checked{Reader: bytes.NewReader(stream)}
		for {
			p, err := packets.ReadPacket(r)
			if err != nil {
				return
			}
			if m, ok := p.Content.(*packets.Publish); ok {
				if m := paho.PublishFromPacketPublish(m); len(m.Payload) > maxIncoming {
					t.Errorf("a payload of %d bytes", len(m.Payload))
				}
			}
		}
	})
}

// A wish is carried out once, or refused and told.
func FuzzReceived(f *testing.F) {
	f.Add("fathom/box/set/fps", []byte("5"), false)
	f.Add("fathom/box/set/paused", []byte("ON"), true)
	f.Add("homeassistant/status", []byte("online"), false)
	f.Add("fathom/box/set/", []byte{0xff}, false)
	f.Fuzz(func(t *testing.T, topic string, payload []byte, retain bool) {
		done, refused := 0, 0
		c := DefaultConfig()
		c.Broker, c.ID, c.Controls = "mqtt://127.0.0.1:1", "box", true
		x, err := New(c, Options{Health: func(error) {}, Control: func(Command) error { done++; return nil }, Refused: func(error) { refused++ }})
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Describe(info); err != nil {
			t.Fatal(err)
		}
		ours, err := x.received(paho.PublishReceived{Packet: &paho.Publish{Topic: topic, Payload: payload, Retain: retain}})
		if err != nil || done+refused > 1 || done == 1 && retain || !ours && done+refused > 0 {
			t.Errorf("%q %q: ours %v, %v; %d carried out, %d refused", topic, payload, ours, err, done, refused)
		}
	})
}

// The size of a packet is known wherever the stream is cut into reads.
func TestSizes(t *testing.T) {
	packet := func(length ...byte) []byte { return append([]byte{0x30}, length...) }
	small := append(packet(3), "abc"...)
	largest := append(packet(0x80, 0x20), make([]byte, maxIncoming)...)
	for _, tt := range []struct {
		stream []byte
		fails  bool
	}{
		{bytes.Join([][]byte{small, largest, packet(0), small}, nil), false},
		{append(bytes.Clone(small), packet(0x81, 0x20)...), true},
		{packet(0xff, 0xff, 0xff, 0x7f), true},
		{append(packet(0x80, 0x80, 0x80, 0x00), small...), false},
	} {
		for step := 1; step <= 7; step++ {
			var s sizes
			var err error
			for at := 0; at < len(tt.stream) && err == nil; at += step {
				err = s.check(tt.stream[at:min(at+step, len(tt.stream))])
			}
			if (err != nil) != tt.fails || err == nil && s != (sizes{}) {
				t.Errorf("%.8x in steps of %d: %v, %+v", tt.stream, step, err, s)
			}
		}
	}
}
