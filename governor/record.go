package governor

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"

	"github.com/fathom-edge/fathom/runtime/profile"
)

// Record is one step of the loop with everything that it depended on: the log
// line from which it can be explained and replayed.
type Record struct {
	Time   time.Time `json:"time"`
	Policy Spec      `json:"policy"`
	// Profile is the ladder; nil means that of the record before.
	Profile *profile.Profile `json:"profile,omitempty"`
	// Before is the state; nil, in most records of a log, means what the record before led to.
	Before *State `json:"before,omitempty"`
	Input  Input  `json:"input"`
	// Dropped is how many observations did not fit between two steps; the newest are kept.
	Dropped  int      `json:"dropped,omitempty"`
	Decision Decision `json:"decision"`
	// After is no part of a log.
	After State `json:"-"`
}

// JSONLog returns a function for LoopConfig.Record that writes one line of JSON
// for each record: a whole one where the record holds the profile, and else what
// differs from the line before. failed is told of a write that failed, and of the
// next only after one has worked; a full disk does not stop the governor.
func JSONLog(w io.Writer, failed func(error)) func(Record) {
	var last tree
	broken := false
	return func(r Record) {
		whole := last == nil || r.Profile != nil
		t, err := treeOf(r)
		if err == nil {
			line := t
			if !whole {
				delete(t, "before")
				decision, before := t["decision"].(tree), last["decision"].(tree)
				if reflect.DeepEqual(decision["pair"], before["pair"]) && decision["cause"] == before["cause"] && decision["frame_period_ns"] == before["frame_period_ns"] {
					delete(decision, "terms")
				}
				line = difference(last, t)
			}
			var text []byte
			if text, err = json.Marshal(line); err == nil {
				_, err = w.Write(append(text, '\n'))
			}
			delete(t, "before")
			delete(t, "profile")
			last = t
		}
		if err != nil {
			last = nil
		}
		if err != nil && !broken && failed != nil {
			failed(fmt.Errorf("governor: decision log: %w", err))
		}
		broken = err != nil
	}
}

// maxLineBytes bounds one line of a log: 64 observations and a ladder of hundreds of rungs.
const maxLineBytes = 1 << 20

// LogReader reads what JSONLog wrote, in one part or in several, the oldest first.
// Lines before the first whole one, as at the beginning of a log that was rotated
// away, are passed over. The zero LogReader is before the first part.
type LogReader struct{ last tree }

// Each hands on one record at a time. It ends with the first error of each or of the log.
func (l *LogReader) Each(r io.Reader, each func(Record) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLineBytes)
	number := 0
	for lines.Scan() {
		number++
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		record, ok, err := l.read(lines.Bytes())
		if err != nil {
			l.last = nil
			return fmt.Errorf("governor: decision log: line %d: %w (cut off? delete the line and what follows up to the next with a profile)", number, err)
		}
		if !ok {
			continue
		}
		if err := each(record); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("governor: decision log: after line %d: %w", number, err)
	}
	return nil
}

// read takes a line in; ok is false where what it differs from is not known.
func (l *LogReader) read(line []byte) (r Record, ok bool, err error) {
	t, err := parseTree(line)
	if err != nil {
		return r, false, err
	}
	if _, whole := t["before"]; whole {
		l.last = tree{}
	} else if l.last == nil {
		return r, false, nil
	}
	delete(l.last, "before")
	delete(l.last, "profile")
	merge(l.last, t)
	r, err = recordOf(l.last)
	return r, err == nil, err
}

// EachRecord is LogReader.Each for a log in one part.
func EachRecord(r io.Reader, each func(Record) error) error {
	var l LogReader
	return l.Each(r, each)
}

// ReadRecords reads what JSONLog wrote.
func ReadRecords(r io.Reader) ([]Record, error) {
	var records []Record
	err := EachRecord(r, func(r Record) error {
		records = append(records, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(records) == 0 {
		return nil, errors.New("governor: decision log: no records")
	}
	return records, nil
}

// Replay steps again through records and says where a decision or state comes
// out differently, which means that the policy was changed since.
func Replay(records []Record) error {
	var r Replayer
	for _, record := range records {
		if err := r.Step(record); err != nil {
			return err
		}
	}
	return nil
}

// Replayer is Replay for one record after the other. The zero Replayer is before the first.
type Replayer struct {
	ladder *profile.Profile
	state  *State // that the last step led to
	count  int
}

// State is what the last step led to; nil before the first.
func (p *Replayer) State() *State { return p.state }

// Step says whether a record comes out as it was logged.
func (p *Replayer) Step(r Record) error {
	fail := func(err error) error {
		return fmt.Errorf("governor: replay: record %d (%s): %w", p.count, r.Time.Format(time.RFC3339), err)
	}
	if r.Profile != nil {
		if err := r.Profile.Validate(); err != nil {
			return fail(err)
		}
		p.ladder = r.Profile
	}
	if p.ladder == nil {
		return fail(errors.New("no profile yet (begin at a record that holds one)"))
	}
	policy, err := New(r.Policy, *p.ladder)
	if err != nil {
		return fail(err)
	}
	in := r.Input
	in.Profile = *p.ladder
	before := p.state
	if r.Before != nil {
		// A new start begins anew; so does a log after records that are missing.
		if before != nil && r.Before.Started && r.Before.SteppedAt.Equal(before.SteppedAt) {
			if err := same("state", r.Before, before); err != nil {
				return fail(err)
			}
		}
		before = r.Before
	}
	if before == nil {
		return fail(errors.New("no state yet (begin at a record that holds one)"))
	}
	after, decision := policy.Step(*before, in)
	logged := r.Decision
	if logged.Terms.n == 0 { // left out where nothing changed
		decision.Terms = Terms{}
	}
	if err := same("decision", logged, decision); err != nil {
		return fail(err)
	}
	p.state = &after
	p.count++
	return nil
}

// same compares as JSON, which keeps every bit of a number and of a time.
func same(what string, logged, stepped any) error {
	a, err := json.Marshal(logged)
	if err != nil {
		return err
	}
	b, err := json.Marshal(stepped)
	if err != nil {
		return err
	}
	if !bytes.Equal(a, b) {
		return fmt.Errorf("the %s was %s, and comes out as %s", what, a, b)
	}
	return nil
}
