package mqtt

import (
	"slices"
	"sync"
)

// message is one publication.
type message struct {
	topic   string
	payload []byte
	retain  bool
	number  uint64 // tells a message from a later one of the same topic
	tries   int
}

// outbox holds what the broker is yet to be told: of each retained topic the
// newest message, and a bounded queue of events. Safe for concurrent use.
type outbox struct {
	bound int

	mu       sync.Mutex
	retained []*message // in the order in which the topics were first used
	dirty    map[string]bool
	events   []*message
	number   uint64
	dropped  uint64
	arrived  chan struct{} // has one element while something may wait
}

func newOutbox(bound int) *outbox {
	return &outbox{bound: bound, dirty: map[string]bool{}, arrived: make(chan struct{}, 1)}
}

// keep replaces the message of a retained topic.
func (o *outbox) keep(topic string, payload []byte) {
	o.mu.Lock()
	o.number++
	m := &message{topic: topic, payload: payload, retain: true, number: o.number}
	if i := slices.IndexFunc(o.retained, func(r *message) bool { return r.topic == topic }); i >= 0 {
		o.retained[i] = m
	} else {
		o.retained = append(o.retained, m)
	}
	o.dirty[topic] = true
	o.mu.Unlock()
	o.signal()
}

// add queues an event.
func (o *outbox) add(topic string, payload []byte) {
	o.mu.Lock()
	o.number++
	if len(o.events) >= o.bound {
		o.events = o.events[1:]
		o.dropped++
	}
	o.events = append(o.events, &message{topic: topic, payload: payload, number: o.number})
	o.mu.Unlock()
	o.signal()
}

// take puts the events of another outbox before its own; their topic is another now.
func (o *outbox) take(from *outbox, topic string) {
	from.mu.Lock()
	older := from.events
	from.events = nil
	from.mu.Unlock()
	o.mu.Lock()
	events := make([]*message, 0, len(older)+len(o.events))
	for _, m := range older {
		o.number++
		events = append(events, &message{topic: topic, payload: m.payload, number: o.number})
	}
	events = append(events, o.events...)
	excess := max(0, len(events)-o.bound)
	o.events = events[excess:]
	o.dropped += uint64(excess)
	o.mu.Unlock()
	o.signal()
}

func (o *outbox) signal() {
	select {
	case o.arrived <- struct{}{}:
	default:
	}
}

// again makes all retained messages due: the broker may have forgotten them.
func (o *outbox) again() {
	o.mu.Lock()
	for _, m := range o.retained {
		o.dirty[m.topic] = true
	}
	o.mu.Unlock()
	o.signal()
}

// next is what is due first: retained messages, then the oldest event; nil for
// nothing. It counts as a try.
func (o *outbox) next() *message {
	o.mu.Lock()
	defer o.mu.Unlock()
	var m *message
	if i := slices.IndexFunc(o.retained, func(m *message) bool { return o.dirty[m.topic] }); i >= 0 {
		m = o.retained[i]
	} else if len(o.events) > 0 {
		m = o.events[0]
	} else {
		return nil
	}
	m.tries++
	copied := *m
	return &copied
}

// done takes away a message that was delivered, unless there is a newer one by now.
func (o *outbox) done(m *message) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if i := slices.IndexFunc(o.retained, m.same); i >= 0 {
		o.retained[i].tries = 0
		delete(o.dirty, m.topic)
	}
	o.events = slices.DeleteFunc(o.events, m.same)
}

// giveUp forgets a message that the broker will not take.
func (o *outbox) giveUp(m *message) {
	o.done(m)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.retained = slices.DeleteFunc(o.retained, m.same)
}

func (m *message) same(n *message) bool { return m.number == n.number }

// waiting is how many messages are due, how many of them are events, and how many events were dropped.
func (o *outbox) waiting() (due, events int, dropped uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.dirty) + len(o.events), len(o.events), o.dropped
}

// last is what a retained topic was told last; nil for nothing.
func (o *outbox) last(topic string) []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, m := range o.retained {
		if m.topic == topic {
			return m.payload
		}
	}
	return nil
}

// refresh makes a retained message due again.
func (o *outbox) refresh(topic string) {
	if last := o.last(topic); last != nil {
		o.keep(topic, last)
	}
}
