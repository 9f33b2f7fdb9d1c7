package governor

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	Before  State            `json:"before"`
	Input   Input            `json:"input"`
	// Dropped is how many observations did not fit between two steps; the newest are kept.
	Dropped  int      `json:"dropped,omitempty"`
	Decision Decision `json:"decision"`
	After    State    `json:"after"`
}

// JSONLog returns a function for LoopConfig.Record that writes each record as
// one line of JSON. failed is told of a write that failed, and of the next only
// after one has worked; a full disk does not stop the governor.
func JSONLog(w io.Writer, failed func(error)) func(Record) {
	broken := false
	return func(r Record) {
		line, err := json.Marshal(r)
		if err == nil {
			_, err = w.Write(append(line, '\n'))
		}
		if err != nil && !broken && failed != nil {
			failed(fmt.Errorf("governor: decision log: %w", err))
		}
		broken = err != nil
	}
}

// maxLineBytes bounds one line of a log: 64 observations and a ladder of hundreds of rungs.
const maxLineBytes = 1 << 20

// EachRecord hands on what JSONLog wrote, one record at a time. It ends with the
// first error of each or of the log.
func EachRecord(r io.Reader, each func(Record) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLineBytes)
	number := 0
	for lines.Scan() {
		number++
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var record Record
		if err := json.Unmarshal(lines.Bytes(), &record); err != nil {
			return fmt.Errorf("governor: decision log: line %d: %w (cut off? delete the line)", number, err)
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
	count  int
}

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
	after, decision := policy.Step(r.Before, in)
	if err := same("decision", r.Decision, decision); err != nil {
		return fail(err)
	}
	if err := same("state", r.After, after); err != nil {
		return fail(err)
	}
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
