package probe

import "encoding/json"

// follower reads the child's lines as they come. The child may be anything by
// now: what is no line of ours is dropped.
type follower struct {
	partial []byte
	last    said
}

// maxLine bounds what is kept of a line that does not end.
const maxLine = 64 << 10

// Write never fails.
func (f *follower) Write(p []byte) (int, error) {
	for _, c := range p {
		if c != '\n' {
			if len(f.partial) < maxLine {
				f.partial = append(f.partial, c)
			}
			continue
		}
		var next said
		if err := json.Unmarshal(f.partial, &next); err == nil {
			if next.Step == (Step{}) {
				next.Step = f.last.Step
			}
			f.last = next
		}
		f.partial = f.partial[:0]
	}
	return len(p), nil
}

// headTail keeps the beginning and the end of what a child writes on standard error.
type headTail struct{ head, tail []byte }

// maxKept of each.
const maxKept = 8 << 10

// Write never fails.
func (t *headTail) Write(p []byte) (int, error) {
	n := len(p)
	room := min(maxKept-len(t.head), len(p))
	t.head = append(t.head, p[:room]...)
	t.tail = append(t.tail, p[room:]...)
	if extra := len(t.tail) - maxKept; extra > 0 {
		t.tail = append(t.tail[:0], t.tail[extra:]...)
	}
	return n, nil
}

func (t *headTail) String() string { return string(t.head) + string(t.tail) }
