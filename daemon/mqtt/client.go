// Package mqtt tells a broker what the daemon sees and how it is, lets Home
// Assistant find it, and takes wishes from there where the user allows it.
//
//	TOPIC/ID/status     online, offline      retained; offline is also the last will
//	TOPIC/ID/state      JSON, see State      retained
//	TOPIC/ID/problems   JSON, see Problems   retained
//	TOPIC/ID/settings   JSON, see Settings   retained
//	TOPIC/ID/image      JPEG                 retained
//	TOPIC/ID/image_event JSON, what it shows retained
//	TOPIC/ID/event      JSON, an event
//	TOPIC/ID/set/NAME   a wish, see ParseCommand; taken only with Config.Controls
//
// Everything is sent with QoS 1, so an event may come twice (its ID and kind tell)
// and is not lost by a broker that comes and goes: it waits in a bounded queue.
// Retained topics hold their newest message only, and are sent anew after each
// connection. The protocol is MQTT 5.
//
// A Client is safe for concurrent use; nothing but Run waits for the broker.
package mqtt

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"
)

// Options are what a Client needs beside its Config.
type Options struct {
	// Health is told of every failure (the error) and of every connection (nil).
	Health func(error)
	// Control carries out a wish; an error is told to the log. Nil where there are no controls.
	Control func(Command) error
	// Refused is told of wishes that cannot be carried out; nil where nobody asks.
	Refused func(error)
	// First and Longest are the delays between connections; 0 for 1 s and 2 min.
	First, Longest time.Duration
}

const (
	keepAlive      = 30 * time.Second
	connectTimeout = 10 * time.Second
	publishTimeout = 15 * time.Second
	goodbyeTimeout = 2 * time.Second
	// sessionPause is how long a subscription or publication that failed on a living connection waits.
	sessionPause = time.Second
	// maxIncoming is the largest message that the broker may send us.
	maxIncoming = 4 << 10
	// large messages are given up after maxTries: a broker that closes the connection for their size would do so for ever.
	largeBytes, maxTries = 16 << 10, 3
	// brief is how long a connection lives at most that counts as one more failure: two clients of one name, say, each of
	// which throws the other out.
	brief = 5 * time.Second
	// wishesPerMinute bounds what is carried out.
	wishesPerMinute = 60
)

// Stats count what was done since the start.
type Stats struct {
	Connected   bool
	Connections uint64
	Published   uint64
	Dropped     uint64 // events that the queue had no room for, and messages that the broker refused
	Wishes      uint64 // carried out
	Refused     uint64 // wishes that were not
	Waiting     int
	Events      int // of those that wait
}

// topics are where this device speaks and listens.
type topics struct {
	status, state, problems, settings, image, shown, event, set string
	discovery, birth                                            string
}

func topicsOf(c Config) topics {
	base := c.Topic + "/" + c.id() + "/"
	return topics{status: base + "status", state: base + "state", problems: base + "problems", settings: base + "settings",
		image: base + "image", shown: base + "image_event", event: base + "event", set: base + "set/",
		discovery: c.DiscoveryPrefix + "/device/fathom_" + c.id() + "/config", birth: c.DiscoveryPrefix + "/status"}
}

// Client speaks to one broker.
type Client struct {
	config  Config
	options Options
	topics  topics
	paho    autopaho.ClientConfig
	outbox  *outbox

	connected   atomic.Bool
	connections atomic.Uint64
	published   atomic.Uint64
	refused     atomic.Uint64 // messages
	wishes      atomic.Uint64
	notWished   atomic.Uint64
	since       atomic.Int64 // nanoseconds since began: of the last connection
	short       atomic.Int64 // brief connections in a row
	began       time.Time

	up   chan context.Context // each connection, as a context that ends with it
	down context.CancelFunc   // of the goroutine that connects

	mu     sync.Mutex
	info   Info
	minute time.Time // since when wishes are counted
	count  int
}

// New reads passwords and certificates. Nothing is sent before Run.
func New(c Config, o Options) (*Client, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("mqtt: %w", err)
	}
	broker, err := url.Parse(c.Broker)
	if err != nil {
		return nil, fmt.Errorf("mqtt: broker: %w", err)
	}
	if broker.Port() == "" {
		broker.Host += map[string]string{"mqtt": ":1883", "mqtts": ":8883"}[broker.Scheme]
	}
	password, err := c.password()
	if err != nil {
		return nil, err
	}
	secure, err := c.tls()
	if err != nil {
		return nil, err
	}
	if o.First == 0 {
		o.First, o.Longest = time.Second, 2*time.Minute
	}
	x := &Client{config: c, options: o, topics: topicsOf(c), outbox: newOutbox(c.Queue), up: make(chan context.Context, 1), began: time.Now()}
	x.paho = autopaho.ClientConfig{
		ServerUrls: []*url.URL{broker}, TlsCfg: secure, KeepAlive: uint16(keepAlive / time.Second), ConnectTimeout: connectTimeout,
		ConnectUsername: c.Username, ConnectPassword: password,
		WillMessage:       &paho.WillMessage{Topic: x.topics.status, Payload: []byte(offline), QoS: 1, Retain: true},
		ReconnectBackoff:  x.backoff,
		AttemptConnection: connect,
		OnConnectionUp: func(*autopaho.ConnectionManager, *paho.Connack) {
			x.connected.Store(true)
			x.connections.Add(1)
			x.since.Store(int64(time.Since(x.began)))
			var connection context.Context
			connection, x.down = context.WithCancel(context.Background())
			select { // a connection that nobody has served is over
			case <-x.up:
			default:
			}
			x.up <- connection
		},
		OnConnectionDown: func() bool {
			x.connected.Store(false)
			x.down()
			if time.Since(x.began)-time.Duration(x.since.Load()) < brief {
				x.short.Add(1)
			} else {
				x.short.Store(0)
			}
			x.options.Health(errors.New("mqtt: the connection to the broker is lost"))
			return true
		},
		OnConnectError: func(err error) { x.options.Health(fmt.Errorf("mqtt: %w", plain(err))) },
		ConnectPacketBuilder: func(p *paho.Connect, _ *url.URL) (*paho.Connect, error) {
			p.CleanStart = true
			p.Properties = &paho.ConnectProperties{MaximumPacketSize: new(uint32(maxIncoming))}
			return p, nil
		},
		ClientConfig: paho.ClientConfig{
			ClientID:          "fathom-" + c.id(),
			OnPublishReceived: []func(paho.PublishReceived) (bool, error){x.received},
			PacketTimeout:     publishTimeout,
		},
	}
	x.outbox.keep(x.topics.status, []byte(online))
	return x, nil
}

// plain says what a broker answered in words.
func plain(err error) error {
	if refusal, ok := errors.AsType[*autopaho.ConnackError](err); ok {
		switch refusal.ReasonCode {
		case 0x84:
			return errors.New("the broker does not speak MQTT 5 (Mosquitto does from 1.6 on)")
		case 0x86, 0x87:
			return errors.New("the broker refuses username or password")
		}
	}
	return err
}

// backoff is the delay before a connection: none before the very first, and after
// that one that grows with the failures and the brief connections in a row, less up to a half by chance.
func (x *Client) backoff(failures int) time.Duration {
	if failures == 0 && x.connections.Load() == 0 {
		return 0
	}
	failures += int(x.short.Load())
	d := x.options.First
	for i := 1; i < failures && d < x.options.Longest; i++ {
		d *= 2
	}
	d = min(d, x.options.Longest)
	return d - time.Duration(rand.Float64()*float64(d)/2)
}

// Describe announces the device, or what changed of it.
func (x *Client) Describe(info Info) error {
	x.mu.Lock()
	x.info = info
	x.mu.Unlock()
	if !x.config.HomeAssistant {
		return nil
	}
	payload, err := announce(x.config, x.topics, info)
	if err != nil {
		return fmt.Errorf("mqtt: %w", err)
	}
	x.outbox.keep(x.topics.discovery, payload)
	return nil
}

// Tell keeps the state known. How often is up to the caller; see Config.Every.
func (x *Client) Tell(s State, p Problems) error {
	return errors.Join(x.tell(x.topics.state, s), x.tell(x.topics.problems, p))
}

// Set keeps the settings known.
func (x *Client) Set(s Settings) error { return x.tell(x.topics.settings, s) }

// tell keeps a JSON message, unless it is what was told last.
func (x *Client) tell(topic string, v any) error {
	payload, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("mqtt: %s: %w", topic, err)
	}
	if last := x.outbox.last(topic); !bytes.Equal(last, payload) {
		x.outbox.keep(topic, payload)
	}
	return nil
}

// Event queues an event.
func (x *Client) Event(payload []byte) { x.outbox.add(x.topics.event, payload) }

// Take takes over the events that wait at a client that does not run any more. They go where this one's go; of too many, the
// oldest are dropped.
func (x *Client) Take(from *Client) { x.outbox.take(from.outbox, x.topics.event) }

// Image keeps the newest picture, a JPEG, and the event that it shows, as JSON.
func (x *Client) Image(jpeg, event []byte) {
	x.outbox.keep(x.topics.shown, event)
	x.outbox.keep(x.topics.image, jpeg)
}

// Stats are the counts up to now.
func (x *Client) Stats() Stats {
	waiting, events, dropped := x.outbox.waiting()
	return Stats{Connected: x.connected.Load(), Connections: x.connections.Load(), Published: x.published.Load(),
		Dropped: dropped + x.refused.Load(), Wishes: x.wishes.Load(), Refused: x.notWished.Load(), Waiting: waiting, Events: events}
}

// Run connects, and connects again, until ctx ends. Then it says goodbye.
func (x *Client) Run(ctx context.Context) error {
	living, end := context.WithCancel(context.WithoutCancel(ctx)) // the goodbye outlives ctx
	defer end()
	manager, err := autopaho.NewConnection(living, x.paho)
	if err != nil {
		return fmt.Errorf("mqtt: %w", err)
	}
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case connection := <-x.up:
			x.serve(ctx, connection, manager)
		}
	}
	bye, cancel := context.WithTimeout(living, goodbyeTimeout)
	defer cancel()
	if x.connected.Load() {
		_, _ = manager.Publish(bye, &paho.Publish{Topic: x.topics.status, Payload: []byte(offline), QoS: 1, Retain: true})
	}
	_ = manager.Disconnect(bye)
	return nil
}

// serve speaks on one connection until it or ctx ends.
func (x *Client) serve(ctx, connection context.Context, manager *autopaho.ConnectionManager) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(connection, cancel)()
	x.outbox.again()
	for ctx.Err() == nil {
		if err := x.session(ctx, manager); err != nil && ctx.Err() == nil {
			x.options.Health(fmt.Errorf("mqtt: %w", err))
			pause(ctx, sessionPause)
		}
	}
}

// session subscribes and publishes until ctx ends or something fails.
func (x *Client) session(ctx context.Context, manager *autopaho.ConnectionManager) error {
	if err := x.subscribe(ctx, manager); err != nil {
		return err
	}
	x.options.Health(nil)
	for ctx.Err() == nil {
		if m := x.outbox.next(); m != nil {
			if err := x.publish(ctx, manager, m); err != nil {
				return err
			}
			continue
		}
		select {
		case <-ctx.Done():
		case <-x.outbox.arrived:
		}
	}
	return nil
}

func (x *Client) subscribe(ctx context.Context, manager *autopaho.ConnectionManager) error {
	var wanted []paho.SubscribeOptions
	if x.config.HomeAssistant {
		wanted = append(wanted, paho.SubscribeOptions{Topic: x.topics.birth, QoS: 1, RetainHandling: 2})
	}
	if x.config.Controls {
		wanted = append(wanted, paho.SubscribeOptions{Topic: x.topics.set + "+", QoS: 1, RetainHandling: 2})
	}
	if len(wanted) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	if _, err := manager.Subscribe(ctx, &paho.Subscribe{Subscriptions: wanted}); err != nil {
		return fmt.Errorf("subscribe: %w (may this user read %s+ and %s?)", err, x.topics.set, x.topics.birth)
	}
	return nil
}

// publish sends one message and takes it out of the outbox, or leaves it there with an error.
func (x *Client) publish(ctx context.Context, manager *autopaho.ConnectionManager, m *message) error {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	answer, err := manager.Publish(ctx, &paho.Publish{Topic: m.topic, Payload: m.payload, QoS: 1, Retain: m.retain})
	switch {
	case err == nil:
		x.published.Add(1)
		x.outbox.done(m)
	case answer != nil && answer.ReasonCode >= 0x80, len(m.payload) > largeBytes && m.tries >= maxTries:
		x.refused.Add(1)
		x.outbox.giveUp(m)
		x.options.Health(fmt.Errorf("mqtt: %s: the broker does not take it: %w (may this user write there, and so many bytes: %d?)", m.topic, err, len(m.payload)))
	default:
		return fmt.Errorf("%s: %w", m.topic, err)
	}
	return nil
}

// received takes what comes from the broker. It runs on the goroutine that reads the connection.
func (x *Client) received(r paho.PublishReceived) (bool, error) {
	if r.Packet.Topic == x.topics.birth {
		if string(r.Packet.Payload) == online {
			x.outbox.again()
		}
		return true, nil
	}
	name, ok := strings.CutPrefix(r.Packet.Topic, x.topics.set)
	if !ok || !x.config.Controls || x.options.Control == nil {
		return false, nil
	}
	err := x.wish(name, r.Packet.Payload, r.Packet.Retain)
	if err == nil {
		x.wishes.Add(1)
		return true, nil
	}
	x.notWished.Add(1)
	if errors.Is(err, errUntold) {
		return true, nil
	}
	if x.options.Refused != nil {
		x.options.Refused(fmt.Errorf("mqtt: %w", err))
	}
	x.outbox.refresh(x.topics.settings) // so that who asked sees what holds
	return true, nil
}

// errUntold refuses what is too much even for the log.
var errUntold = errors.New("too many wishes")

func (x *Client) wish(name string, payload []byte, retained bool) error {
	if retained {
		return fmt.Errorf("%.40q: a retained wish would come back for ever (publish without retain)", name)
	}
	x.mu.Lock()
	info := x.info
	if now := time.Now(); now.Sub(x.minute) > time.Minute {
		x.minute, x.count = now, 0
	}
	x.count++
	count := x.count
	x.mu.Unlock()
	switch {
	case count > wishesPerMinute+1:
		return errUntold
	case count > wishesPerMinute:
		return fmt.Errorf("more than %d wishes in a minute", wishesPerMinute)
	}
	command, err := ParseCommand(name, payload, info)
	if err != nil {
		return err
	}
	return x.options.Control(command)
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
