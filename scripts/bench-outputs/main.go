// Command bench-outputs measures what docs/results/daemon.json states of what
// fathomd writes and of what waits in memory: bytes and syncs per hour of a
// simulated day, and queues whose receiver is gone for a day.
//
//	go run ./scripts/bench-outputs          everything (some minutes)
//	go run ./scripts/bench-outputs disk     only this part
//
// Run it from the repository's root. Nothing here is a time.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/fathom-edge/fathom/daemon/events"
	"github.com/fathom-edge/fathom/daemon/journal"
	"github.com/fathom-edge/fathom/daemon/mqtt"
	"github.com/fathom-edge/fathom/daemon/webhook"
	"github.com/fathom-edge/fathom/governor"
	"github.com/fathom-edge/fathom/governor/sim"
	"github.com/fathom-edge/fathom/internal/results"
	"github.com/fathom-edge/fathom/runtime/profile"
)

const (
	output = "docs/results/daemon.json"
	day    = 24 * time.Hour
	fps    = 5
	board  = "pi4-closed-case"
)

func main() {
	os.Exit(results.Bench("bench-outputs", output, []results.Part{
		{Name: "disk", Measure: disk},
		{Name: "queues", Measure: queues},
	}, os.Args[1:], os.Stderr))
}

// clock is simulated time.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

// ladder has the latencies of a network that takes most of the simulated board.
func ladder() profile.Profile {
	p := profile.Profile{Board: board}
	for i, name := range []string{"A-1-1-1", "A-2-2-2", "A-3-3-3"} {
		accuracy := 0.8 + 0.05*float64(i)
		latency := time.Duration(i+1) * 60 * time.Millisecond
		p.Rungs = append(p.Rungs, profile.Rung{Variant: name, MACs: int64(i+1) * 1e8, Accuracy: &accuracy,
			Cost: profile.Cost{Latency: latency, StdDev: latency / 10, Source: profile.Measured}})
	}
	return p
}

// perHour is the most and the mean over the hours of a day.
type perHour struct {
	bytes, syncs, writes []float64
	dropped              uint64
	kept                 int64
}

func (p *perHour) note(before, after journal.Stats) {
	p.bytes = append(p.bytes, float64(after.Bytes-before.Bytes))
	p.syncs = append(p.syncs, float64(after.Syncs-before.Syncs))
	p.writes = append(p.writes, float64(after.Writes-before.Writes))
	p.dropped = after.Dropped
}

// disk runs the governor for a day on a simulated board, one decision a second, and
// keeps its log and one of an event every ten seconds as fathomd does.
func disk() ([]results.Row, error) {
	dir, err := os.MkdirTemp("", "bench-outputs-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	c := &clock{time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)}
	decisions, err := journal.OpenAt(filepath.Join(dir, "decisions.jsonl"), journal.DefaultConfig(), nil, c.Now)
	if err != nil {
		return nil, err
	}
	told, err := journal.OpenAt(filepath.Join(dir, "events.jsonl"), journal.DefaultConfig(), nil, c.Now)
	if err != nil {
		return nil, err
	}
	step, err := governed(c, governor.JSONLog(decisions, nil))
	if err != nil {
		return nil, err
	}
	var decided, happened perHour
	var ids events.IDs
	var lastDecided, lastHappened journal.Stats
	for second := 0; second < int(day/time.Second); second++ {
		step()
		if second%10 == 0 {
			line, err := json.Marshal(event(&ids, c.now))
			if err != nil {
				return nil, err
			}
			_, _ = told.Write(append(line, '\n'))
		}
		for range int(time.Second / journal.FlushEvery) {
			c.now = c.now.Add(journal.FlushEvery)
			for _, j := range []*journal.Journal{decisions, told} {
				if err := j.Flush(); err != nil {
					return nil, err
				}
			}
		}
		if (second+1)%3600 == 0 {
			d, h := decisions.Stats(), told.Stats()
			decided.note(lastDecided, d)
			happened.note(lastHappened, h)
			lastDecided, lastHappened = d, h
		}
	}
	if decided.kept, err = size(dir); err != nil {
		return nil, err
	}
	limit := float64(journal.DefaultConfig().BytesPerHour)
	return []results.Row{
		row("disk-decisions-bytes", "decision log: bytes written in the hour that writes most, 1 decision/s", "bytes/h", decided.bytes, limit),
		row("disk-decisions-syncs", "decision log: syncs in the hour that syncs most", "1/h", decided.syncs, 62),
		row("disk-decisions-writes", "decision log: writes in the hour that writes most", "1/h", decided.writes, 7200),
		row("disk-events-bytes", "event log: bytes written in the hour that writes most, 1 event in 10 s", "bytes/h", happened.bytes, limit),
		row("disk-events-syncs", "event log: syncs in the hour that syncs most", "1/h", happened.syncs, 60),
		results.One("disk-dropped", "both logs: lines dropped in a day", float64(decided.dropped+happened.dropped), "lines", "<=", 0, ""),
		results.One("disk-kept", "both logs: bytes on the disk after a day", float64(decided.kept), "bytes", "<=",
			float64(2*journal.DefaultConfig().FileBytes*int64(journal.DefaultConfig().Files)), ""),
	}, nil
}

// row has the greatest of the hours as its value.
func row(id, what, unit string, hours []float64, limit float64) results.Row {
	most := 0.
	for _, v := range hours {
		most = max(most, v)
	}
	return results.Row{ID: id, What: what, Value: most, Unit: unit, Op: "<=", Limit: limit, Samples: hours}
}

func size(dir string) (total int64, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return 0, err
		}
		total += info.Size()
	}
	return total, nil
}

// governed returns a step of a second: the default policy on a simulated board, whose work is what it decides.
func governed(c *clock, record func(governor.Record)) (func(), error) {
	ladder := ladder()
	policy, err := governor.New(governor.Spec{Name: governor.PredictiveName}, ladder)
	if err != nil {
		return nil, err
	}
	preset, err := presetNamed(board)
	if err != nil {
		return nil, err
	}
	b, err := sim.NewBoard(sim.Config{Model: preset.Model(), Now: c.Now, Sun: sim.Sun{Kelvin: 10, Period: day}})
	if err != nil {
		return nil, err
	}
	var decision governor.Decision
	loop, err := governor.NewLoop(governor.LoopConfig{Policy: policy, Profile: ladder, Objectives: governor.Objectives{FPS: fps}, Source: b,
		Apply: func(d governor.Decision) { decision = d }, Record: record, Now: c.Now})
	if err != nil {
		return nil, err
	}
	due := 0.
	return func() {
		loop.Step(context.Background())
		rung, _ := ladder.Index(decision.Variant)
		for due += 1 / decision.FramePeriod.Seconds(); due >= 1; due-- {
			latency := ladder.Rungs[rung].Cost.Latency
			b.Busy(latency)
			loop.Observe(governor.Observation{Time: c.now, Variant: decision.Variant, Threads: 1, Latency: latency})
		}
	}, nil
}

func presetNamed(name string) (sim.Preset, error) {
	for _, p := range sim.Presets() {
		if p.Name == name {
			return p, nil
		}
	}
	return sim.Preset{}, fmt.Errorf("no simulated board %s", name)
}

func event(ids *events.IDs, at time.Time) events.Event {
	return events.Event{ID: ids.New(at), Kind: events.Appeared, Time: at, Class: "great tit", Region: "feeder", Confidence: 0.8317, Peak: 0.9012,
		Seconds: 12.4, Variant: "A-2-2-2", Snapshot: "20260501T120000.000Z-1-great_tit.jpg"}
}

// queues tells receivers that never answer of a day with an event every second.
func queues() ([]results.Row, error) {
	away := mqtt.DefaultConfig()
	away.Broker, away.ID = "mqtt://127.0.0.1:1", "bench"
	client, err := mqtt.New(away, mqtt.Options{Health: func(error) {}})
	if err != nil {
		return nil, err
	}
	hook := webhook.DefaultConfig()
	hook.URL = "http://127.0.0.1:1/"
	sender, err := webhook.New(hook, webhook.Options{})
	if err != nil {
		return nil, err
	}
	before := heap()
	var ids events.IDs
	picture := make([]byte, 100<<10)
	at := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	for range int(day / time.Second) {
		at = at.Add(time.Second)
		line, err := json.Marshal(event(&ids, at))
		if err != nil {
			return nil, err
		}
		client.Event(line)
		client.Image(append([]byte(nil), picture...), []byte("{}"))
		if err := client.Tell(mqtt.State{Celsius: new(float64(at.Second()))}, mqtt.Problems{}); err != nil {
			return nil, err
		}
		sender.Send("id", at, line)
	}
	grown := float64(heap() - before)
	m, w := client.Stats(), sender.Stats()
	return []results.Row{
		results.One("queue-mqtt", "messages that wait for a broker gone for a day, 1 event and 1 picture/s", float64(m.Waiting), "messages", "<=", float64(away.Queue+6), ""),
		results.One("queue-webhook", "events that wait for a server gone for a day, 1 event/s", float64(w.Waiting), "events", "<=", float64(hook.Queue), ""),
		results.One("queue-memory", "memory that both take after that day", grown/(1<<20), "MiB", "<=", 2, ""),
	}, nil
}

// heap is what is in use, without garbage.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}
