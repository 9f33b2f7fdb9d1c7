package governor

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// logged runs predictive on a random plant and returns its records and its log.
func logged(t *testing.T, steps int) ([]Record, string) {
	t.Helper()
	policy := mustPolicy(t, PredictiveName)
	p := randomPlant(rand.New(rand.NewPCG(3, 9)))
	o := Objectives{FPS: 5, CeilingCelsius: p.ambient + 15}
	var log bytes.Buffer
	write := JSONLog(&log, func(err error) { t.Error(err) })
	var records []Record
	var s State
	in := p.look(o)
	for i := range steps {
		in.Snapshot = essential(in.Snapshot)
		before := s
		var d Decision
		s, d = policy.Step(s, in)
		r := Record{Time: in.Now, Policy: policy.Spec(), Before: &before, Input: in, Decision: d, After: s}
		if i%50 == 0 {
			r.Profile = &p.ladder
		}
		write(r)
		records = append(records, r)
		in = p.live(d, o)
		in.Escalations = p.escalations(0.2)
		in.Observations[0].Again = 7 * time.Millisecond
	}
	return records, log.String()
}

// What is read back is what was written, but for the states, which follow, and
// the terms of decisions that changed nothing.
func TestLogKeepsInputsAndDecisions(t *testing.T) {
	want, text := logged(t, 120)
	got, err := ReadRecords(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("%d records of %d", len(got), len(want))
	}
	for i, r := range got {
		w := want[i]
		w.Before, w.Decision.Terms = r.Before, r.Decision.Terms
		if err := same("record", w, r); err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
		if (r.Before != nil) != (i%50 == 0) {
			t.Errorf("record %d: state %v", i, r.Before != nil)
		}
		if i > 0 && r.Decision.Pair != got[i-1].Decision.Pair && len(r.Decision.Terms.All()) == 0 {
			t.Errorf("record %d changes the pair without a term", i)
		}
	}
}

// A log whose beginning is gone is read from the next whole line on, and one in parts as if it were whole.
func TestLogInParts(t *testing.T) {
	want, text := logged(t, 120)
	lines := strings.SplitAfter(text, "\n")
	var reader LogReader
	var replayer Replayer
	count := 0
	for _, part := range []string{strings.Join(lines[20:70], ""), strings.Join(lines[70:], "")} {
		if err := reader.Each(strings.NewReader(part), func(r Record) error {
			count++
			return replayer.Step(r)
		}); err != nil {
			t.Fatal(err)
		}
	}
	if count != 70 {
		t.Errorf("%d records of the 70 from the first whole line on", count)
	}
	if err := same("state", want[119].After, *replayer.State()); err != nil {
		t.Error(err)
	}
	cut := lines[0] + lines[1][:30] + "\n" + lines[2]
	if _, err := ReadRecords(strings.NewReader(cut)); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("a line that was cut off: %v", err)
	}
}

// A line that could not be written is followed by a whole one.
func TestLogIsWholeAfterAFailure(t *testing.T) {
	records, _ := logged(t, 3)
	w := &fullDisk{}
	write := JSONLog(w, func(error) {})
	write(records[0])
	w.full = true
	write(records[1])
	w.full = false
	write(records[2])
	got, err := ReadRecords(&w.Buffer)
	if err != nil || len(got) != 2 || got[1].Before == nil {
		t.Errorf("%d records, %v: want the first and a whole third", len(got), err)
	}
}

type fullDisk struct {
	bytes.Buffer
	full bool
}

func (d *fullDisk) Write(text []byte) (int, error) {
	if d.full {
		return 0, bytes.ErrTooLarge
	}
	return d.Buffer.Write(text)
}
