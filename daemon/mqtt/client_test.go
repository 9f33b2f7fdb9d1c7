package mqtt

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testBroker is a real broker in this process, which remembers what was published.
type testBroker struct {
	*broker.Server
	address string
	closing sync.Once
	mu      sync.Mutex
	heard   []string          // topic and payload
	retains map[string]string // by topic
}

// Close may be called twice. It lets connections settle that were just accepted,
// since the broker's own Close races with them.
func (b *testBroker) Close() (err error) {
	b.closing.Do(func() {
		time.Sleep(50 * time.Millisecond)
		err = b.Server.Close()
	})
	return err
}

// retained notes what the broker retains.
type retained struct {
	broker.HookBase
	b *testBroker
}

func (r retained) Provides(b byte) bool { return b == broker.OnRetainMessage }

func (r retained) OnRetainMessage(_ *broker.Client, p packets.Packet, _ int64) {
	r.b.mu.Lock()
	defer r.b.mu.Unlock()
	r.b.retains[p.TopicName] = string(p.Payload)
}

// brokerAt starts a broker; port 0 takes any.
func brokerAt(t *testing.T, address string, secure *tls.Config, ledger *auth.Ledger, change func(*broker.Options)) *testBroker {
	t.Helper()
	o := &broker.Options{InlineClient: true, Logger: slog.New(slog.DiscardHandler), Capabilities: broker.NewDefaultServerCapabilities()}
	if change != nil {
		change(o)
	}
	b := &testBroker{Server: broker.New(o), retains: map[string]string{}}
	err := b.AddHook(&retained{b: b}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if ledger == nil {
		err = b.AddHook(new(auth.AllowHook), nil)
	} else {
		err = b.AddHook(new(auth.Hook), &auth.Options{Ledger: ledger})
	}
	if err != nil {
		t.Fatal(err)
	}
	var listener *listeners.TCP
	for range 100 { // the port of a broker that has just ended
		listener = listeners.NewTCP(listeners.Config{ID: "t", Address: address, TLSConfig: secure})
		if err = b.AddListener(listener); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	b.address = listener.Address()
	err = b.Subscribe("#", 1, func(_ *broker.Client, _ packets.Subscription, p packets.Packet) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.heard = append(b.heard, p.TopicName+" "+string(p.Payload))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Serve(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func (b *testBroker) messages() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.heard)
}

// kept is what the broker retains.
func (b *testBroker) kept() map[string]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.retains)
}

// running is a client under test.
type running struct {
	*Client
	mu     sync.Mutex
	health []string
	end    func()
}

var info = Info{Model: "Test board", Software: "1.0", Variants: []string{"a", "b"}, Policies: []string{"predictive", "fixed"}, Battery: true}

func run(t *testing.T, address string, change func(*Config), control func(Command) error) *running {
	t.Helper()
	c := DefaultConfig()
	c.Broker, c.ID = "mqtt://"+address, "box"
	if change != nil {
		change(&c)
	}
	r := &running{}
	note := func(err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.health = append(r.health, fmt.Sprint(err))
	}
	client, err := New(c, Options{First: 5 * time.Millisecond, Longest: 40 * time.Millisecond, Control: control, Health: note, Refused: note})
	if err != nil {
		t.Fatal(err)
	}
	r.Client = client
	if err := client.Describe(info); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- client.Run(ctx) }()
	var once sync.Once
	r.end = func() {
		once.Do(func() {
			cancel()
			select {
			case err := <-done:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(10 * time.Second):
				t.Error("does not end")
			}
		})
	}
	t.Cleanup(r.end)
	return r
}

func (r *running) said() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.health, "\n")
}

func wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within half a minute", what)
		}
	}
}

var states = State{Class: new("cat"), Confidence: new(87.), Present: []string{"cat"}, Depth: new("b"), FPS: new(5.), LatencyMS: new(12.5), Celsius: new(48.1)}

const stateJSON = `{"class":"cat","confidence_percent":87,"present":["cat"],"depth":"b","fps":5,"latency_ms":12.5,"temperature":48.1,` +
	`"battery":null,"problem":"OFF","simulated":false}`

func TestTellsTheBroker(t *testing.T) {
	b := brokerAt(t, "127.0.0.1:0", nil, nil, nil)
	r := run(t, b.address, func(c *Config) { c.HomeAssistant = false }, nil)
	if err := r.Tell(states, Problems{Reasons: []string{"camera: away"}}); err != nil {
		t.Fatal(err)
	}
	if err := r.Set(Settings{Policy: "fixed", LeastDepth: "a", GreatestDepth: "b", FPS: 5, Paused: true}); err != nil {
		t.Fatal(err)
	}
	r.Image([]byte("jpeg"), []byte(`{"class":"cat"}`))
	r.Event([]byte("one"))
	r.Event([]byte("two"))
	wait(t, "all messages", func() bool { return r.Stats().Waiting == 0 && r.Stats().Published >= 7 })
	want := map[string]string{"fathom/box/status": "online", "fathom/box/state": stateJSON, "fathom/box/problems": `{"reasons":["camera: away"]}`,
		"fathom/box/settings": `{"policy":"fixed","least_depth":"a","greatest_depth":"b","fps":5,"ceiling":null,"paused":"ON"}`,
		"fathom/box/image":    "jpeg", "fathom/box/image_event": `{"class":"cat"}`}
	if diff := cmp.Diff(want, b.kept()); diff != "" {
		t.Errorf("retained (-want +got):\n%s", diff)
	}
	m := b.messages()
	if one, two := slices.Index(m, "fathom/box/event one"), slices.Index(m, "fathom/box/event two"); one < 0 || two < one {
		t.Errorf("events: %q", m)
	}
	// What did not change is not told again.
	before := r.Stats().Published
	if err := r.Tell(states, Problems{Reasons: []string{"camera: away"}}); err != nil {
		t.Fatal(err)
	}
	r.Event([]byte("three"))
	wait(t, "the third event", func() bool { return slices.Contains(b.messages(), "fathom/box/event three") })
	if n := r.Stats().Published; n > before+1 {
		t.Errorf("%d messages for one event", n-before)
	}
	r.end()
	if got := b.kept()["fathom/box/status"]; got != "offline" {
		t.Errorf("after the end: %q", got)
	}
}

// proxy stands between client and broker, and can be cut or stalled.
type proxy struct {
	net.Listener
	mu      sync.Mutex
	conns   []net.Conn
	stalled chan struct{} // closed when bytes may flow; nil while they do
}

func proxyTo(t *testing.T, address string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			down, err := l.Accept()
			if err != nil {
				return
			}
			up, err := net.Dial("tcp", address)
			if err != nil {
				down.Close()
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, down, up)
			p.mu.Unlock()
			for _, pair := range [][2]net.Conn{{down, up}, {up, down}} {
				all.Go(func() { p.copy(pair[0], pair[1]) })
			}
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.stall(false)
		p.cut()
		all.Wait()
	})
	return p
}

func (p *proxy) copy(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		p.mu.Lock()
		stalled := p.stalled
		p.mu.Unlock()
		if stalled != nil {
			<-stalled
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

func (p *proxy) stall(yes bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if yes && p.stalled == nil {
		p.stalled = make(chan struct{})
	} else if !yes && p.stalled != nil {
		close(p.stalled)
		p.stalled = nil
	}
}

// A connection that breaks without a goodbye leaves the last will; then all comes back.
func TestConnectionBreaks(t *testing.T) {
	b := brokerAt(t, "127.0.0.1:0", nil, nil, nil)
	p := proxyTo(t, b.address)
	r := run(t, p.Addr().String(), nil, nil)
	wait(t, "online", func() bool { return b.kept()["fathom/box/status"] == online })
	for round := range 3 {
		p.cut()
		wait(t, "the last will", func() bool { return slices.Contains(b.messages()[round:], "fathom/box/status offline") })
		r.Event(fmt.Appendf(nil, "%d", round))
		wait(t, "the event", func() bool { return slices.Contains(b.messages(), fmt.Sprintf("fathom/box/event %d", round)) })
		wait(t, "online again", func() bool { return b.kept()["fathom/box/status"] == online })
	}
	if s := r.Stats(); s.Connections < 4 || s.Dropped != 0 {
		t.Errorf("%+v", s)
	}
	if !strings.Contains(r.said(), "the connection to the broker is lost\n") || !strings.HasSuffix(r.said(), "<nil>") {
		t.Errorf("health:\n%s", r.said())
	}
}

// A broker that stands still for a while loses nothing and holds nobody up.
func TestSlowBroker(t *testing.T) {
	b := brokerAt(t, "127.0.0.1:0", nil, nil, nil)
	p := proxyTo(t, b.address)
	r := run(t, p.Addr().String(), nil, nil)
	wait(t, "online", func() bool { return b.kept()["fathom/box/status"] == online })
	p.stall(true)
	began := time.Now()
	for i := range 500 {
		r.Event(fmt.Appendf(nil, "%d", i))
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("500 events to a broker that stands still took %v", took)
	}
	time.Sleep(300 * time.Millisecond)
	p.stall(false)
	wait(t, "all events", func() bool { return slices.Contains(b.messages(), "fathom/box/event 499") })
	inOrder(t, b.messages(), 0, 500)
}

// inOrder wants each event from first up to end, each at least once, in order.
func inOrder(t *testing.T, messages []string, first, end int) {
	t.Helper()
	next := first
	for _, m := range messages {
		text, ok := strings.CutPrefix(m, "fathom/box/event ")
		if ok && text == fmt.Sprint(next) {
			next++
		} else if ok && text != fmt.Sprint(next-1) { // told twice: at least once is the promise
			t.Fatalf("event %s after %d", text, next-1)
		}
	}
	if next != end {
		t.Fatalf("events up to %d, want %d", next, end)
	}
}

// A broker that is gone for a day costs a bounded queue of events, of which the newest arrive, and the newest of each state.
func TestBrokerGone(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	r := run(t, address, func(c *Config) { c.Queue = 100 }, nil)
	for i := range 8640 { // a day, one every ten seconds
		r.Event(fmt.Appendf(nil, "%d", i))
		s := states
		s.Celsius = new(float64(i))
		if err := r.Tell(s, Problems{}); err != nil {
			t.Fatal(err)
		}
		r.Image([]byte("jpeg"), []byte(`{"class":"cat"}`))
	}
	if s := r.Stats(); s.Waiting != 100+6 || s.Dropped != 8540 {
		t.Errorf("%+v", s)
	}
	if !strings.Contains(r.said(), "connection refused") {
		t.Errorf("health:\n%s", r.said())
	}
	b := brokerAt(t, address, nil, nil, nil)
	wait(t, "the newest event", func() bool { return slices.Contains(b.messages(), "fathom/box/event 8639") })
	inOrder(t, b.messages(), 8540, 8640)
	if got := b.kept()["fathom/box/state"]; !strings.Contains(got, `"temperature":8639`) {
		t.Error(got)
	}
	// And a broker that starts anew without its memory is told everything again.
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = brokerAt(t, address, nil, nil, nil)
	wait(t, "everything again", func() bool { return len(b.kept()) == 6 })
}

// Events that wait for a broker that is away go to the next one, the oldest first, before what came later.
func TestTake(t *testing.T) {
	event := func(i int) []byte { return fmt.Appendf(nil, "%d", i) }
	c := DefaultConfig()
	c.Broker, c.ID, c.HomeAssistant = "mqtt://127.0.0.1:1", "old", false
	old, err := New(c, Options{Health: func(error) {}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		old.Event(event(i))
	}
	b := brokerAt(t, "127.0.0.1:0", nil, nil, nil)
	c.Broker, c.ID, c.Queue = "mqtt://"+b.address, "new", 8
	x, err := New(c, Options{Health: func(error) {}})
	if err != nil {
		t.Fatal(err)
	}
	x.Event(event(10))
	x.Take(old)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- x.Run(ctx) }()
	wait(t, "events", func() bool { return x.Stats().Connected && x.Stats().Waiting == 0 })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	var got []string
	for _, m := range b.messages() {
		if event, ok := strings.CutPrefix(m, "fathom/new/event "); ok {
			got = append(got, event)
		}
	}
	if diff := cmp.Diff(strings.Fields("3 4 5 6 7 8 9 10"), got); diff != "" || x.Stats().Dropped != 3 || old.Stats().Events != 0 {
		t.Errorf("%+v, %+v (-want +got)\n%s", x.Stats(), old.Stats(), diff)
	}
}

func TestWrongPassword(t *testing.T) {
	ledger := &auth.Ledger{Auth: auth.AuthRules{{Username: "fathom", Password: "right", Allow: true}}}
	b := brokerAt(t, "127.0.0.1:0", nil, ledger, nil)
	r := run(t, b.address, func(c *Config) { c.Username, c.Password = "fathom", "wrong" }, nil)
	wait(t, "a refusal", func() bool { return strings.Contains(r.said(), "the broker refuses username or password") })
	if strings.Contains(r.said(), "wrong") {
		t.Errorf("the password is told:\n%s", r.said())
	}
	good := run(t, b.address, func(c *Config) { c.Username, c.Password, c.ID = "fathom", "right", "other" }, nil)
	wait(t, "the right one", func() bool { return good.Stats().Connected })
}

// Two of one name throw each other out: that must become rare.
func TestTwoOfOneNameGiveEachOtherTime(t *testing.T) {
	b := brokerAt(t, "127.0.0.1:0", nil, nil, nil)
	one, other := run(t, b.address, nil, nil), run(t, b.address, nil, nil)
	time.Sleep(2 * time.Second) // hundreds of connections, were all pauses of the same length
	if n := one.Stats().Connections + other.Stats().Connections; n < 2 || n > 150 {
		t.Errorf("%d connections in two seconds", n)
	}
}

// What the broker does not take is given up, so that the rest arrives.
func TestRefusedMessages(t *testing.T) {
	ledger := &auth.Ledger{
		Auth: auth.AuthRules{{Allow: true}},
		ACL: auth.ACLRules{{Filters: auth.Filters{"fathom/box/image": auth.ReadOnly, "fathom/box/state": auth.ReadOnly, "fathom/#": auth.ReadWrite,
			"homeassistant/#": auth.ReadWrite}}},
	}
	b := brokerAt(t, "127.0.0.1:0", nil, ledger, func(o *broker.Options) { o.Capabilities.MaximumPacketSize = 32 << 10 })
	r := run(t, b.address, nil, nil)
	if err := r.Tell(states, Problems{}); err != nil {
		t.Fatal(err)
	}
	r.Image(make([]byte, 64<<10), nil)
	r.Event([]byte("0"))
	wait(t, "the event behind them", func() bool { return slices.Contains(b.messages(), "fathom/box/event 0") })
	if s := r.Stats(); s.Dropped == 0 || !strings.Contains(r.said(), "fathom/box/image: the broker does not take it") {
		t.Errorf("%+v\n%s", s, r.said())
	}
}

func TestBirthOfHomeAssistant(t *testing.T) {
	b := brokerAt(t, "127.0.0.1:0", nil, nil, nil)
	run(t, b.address, nil, nil)
	announced := func() int {
		n := 0
		for _, m := range b.messages() {
			if strings.HasPrefix(m, "homeassistant/device/fathom_box/config {") {
				n++
			}
		}
		return n
	}
	wait(t, "the announcement", func() bool { return announced() == 1 })
	if err := b.Publish("homeassistant/status", []byte("offline"), false, 1); err != nil {
		t.Fatal(err)
	}
	if err := b.Publish("homeassistant/status", []byte("online"), false, 1); err != nil {
		t.Fatal(err)
	}
	wait(t, "another one", func() bool { return announced() == 2 })
}

func TestWishes(t *testing.T) {
	b := brokerAt(t, "127.0.0.1:0", nil, nil, nil)
	var mu sync.Mutex
	var got []Command
	control := func(c Command) error {
		mu.Lock()
		defer mu.Unlock()
		if c.Ceiling != nil {
			return fmt.Errorf("too hot")
		}
		got = append(got, c)
		return nil
	}
	r := run(t, b.address, func(c *Config) { c.Controls = true }, control)
	if err := r.Set(Settings{Policy: "fixed"}); err != nil {
		t.Fatal(err)
	}
	deaf := run(t, b.address, func(c *Config) { c.ID = "deaf" }, control)
	wait(t, "both", func() bool { return r.Stats().Waiting == 0 && deaf.Stats().Waiting == 0 && r.Stats().Published >= 3 })
	publish := func(topic, payload string, retain bool) {
		if err := b.Publish(topic, []byte(payload), retain, 1); err != nil {
			t.Fatal(err)
		}
	}
	publish("fathom/box/set/policy", "predictive", false)
	publish("fathom/box/set/fps", " 2.5\n", false)
	publish("fathom/box/set/paused", "ON", false)
	publish("fathom/box/set/least_depth", "b", false)
	publish("fathom/box/set/greatest_depth", "a", false)
	for _, bad := range [][2]string{{"policy", "magic"}, {"fps", "NaN"}, {"ceiling", "60"}, {"reboot", "now"}, {"paused", "1"}, {"fps", strings.Repeat("1", 2000)}} {
		publish("fathom/box/set/"+bad[0], bad[1], false)
	}
	publish("fathom/deaf/set/paused", "ON", false)
	wait(t, "refusals", func() bool { return r.Stats().Refused == 6 })
	mu.Lock()
	want := []Command{{Policy: new("predictive")}, {FPS: new(2.5)}, {Paused: new(true)}, {LeastDepth: new("b")}, {GreatestDepth: new("a")}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wishes (-want +got):\n%s", diff)
	}
	mu.Unlock()
	for _, word := range []string{`policy: "magic" is none of predictive, fixed`, "too hot", `"reboot" is no setting`} {
		if !strings.Contains(r.said(), word) {
			t.Errorf("%q is not told:\n%s", word, r.said())
		}
	}
	for i := range 100 {
		publish("fathom/box/set/paused", []string{"ON", "OFF"}[i%2], false)
	}
	wait(t, "the bound", func() bool { return strings.Contains(r.said(), "more than 60 wishes in a minute") })
	if s := deaf.Stats(); s.Wishes != 0 || s.Refused != 0 {
		t.Errorf("controls are off: %+v", s)
	}
	if r.Stats().Wishes > wishesPerMinute {
		t.Errorf("%+v", r.Stats())
	}
}

// A wish that somebody retained must not come back with every start.
func TestRetainedWishIsRefused(t *testing.T) {
	b := brokerAt(t, "127.0.0.1:0", nil, nil, nil)
	if err := b.Publish("fathom/box/set/paused", []byte("ON"), true, 1); err != nil {
		t.Fatal(err)
	}
	r := run(t, b.address, func(c *Config) { c.Controls = true }, func(Command) error {
		t.Error("carried out")
		return nil
	})
	wait(t, "a connection", func() bool { return r.Stats().Published >= 2 })
	if err := r.wish("paused", []byte("ON"), true); err == nil {
		t.Error("taken")
	}
}
