package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// tour is what fathomd --demo says of where everything can be looked at.
type tour struct {
	mu   sync.Mutex
	text strings.Builder
	done chan struct{}
}

// newTour reads until the daemon closes its standard output.
func newTour(r io.Reader) *tour {
	t := &tour{done: make(chan struct{})}
	go func() {
		defer close(t.done)
		for lines := bufio.NewScanner(r); lines.Scan(); {
			t.mu.Lock()
			t.text.WriteString(lines.Text() + "\n")
			t.mu.Unlock()
		}
	}()
	return t
}

func (t *tour) wait() { <-t.done }

// find is the first group of a pattern in what was said so far.
func (t *tour) find(pattern string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if m := regexp.MustCompile(pattern).FindStringSubmatch(t.text.String()); m != nil {
		return m[1]
	}
	return ""
}

// lookAtAll waits until each thing that the demo shows was there.
func lookAtAll(ctx context.Context, seen *sightings, said *tour) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	holds := func(pattern, file string) func() bool {
		return func() bool {
			name := said.find(pattern)
			info, err := os.Stat(name)
			if err == nil && info.IsDir() {
				found, _ := filepath.Glob(filepath.Join(name, file))
				return len(found) > 0
			}
			return err == nil && info.Size() > 0
		}
	}
	answers := func(path, want string) func() bool {
		return func() bool {
			address := said.find(`page +(http\S+)`)
			answer, err := http.Get(address + path)
			if err != nil {
				return false
			}
			defer answer.Body.Close()
			text, err := io.ReadAll(answer.Body)
			return err == nil && strings.Contains(string(text), want)
		}
	}
	for _, look := range []struct {
		what string
		is   func() bool
	}{
		{"the page", answers("/", "<title>")},
		{"an event over MQTT", func() bool { return seen.seen("MQTT") }},
		{"a picture over MQTT", func() bool { return seen.seen("image") }},
		{"the announcement to Home Assistant", func() bool { return seen.seen("Home Assistant") }},
		{"a webhook", func() bool { return seen.seen("webhook") }},
		{"a line in the log of events", holds(`events +tail -f (\S+)`, "")},
		{"a picture of an event", holds(`pictures of events +(\S+)`, "*.jpg")},
		{"a line in the log of decisions", holds(`fathom explain (\S+)`, "")},
		{"a line in the log of predictions", holds(`taken for +tail -f (\S+)`, "")},
		{"events in the metrics", answers("/metrics", "fathom_events_total{")},
		{"decisions in the metrics", answers("/metrics", `fathom_decisions_total{`)},
		{"health", answers("/healthz", `"status"`)},
	} {
		for !look.is() {
			select {
			case <-ctx.Done():
				return fmt.Errorf("-check: %s: not within %v", look.what, patience)
			case <-said.done:
				return fmt.Errorf("-check: fathomd ended before %s was seen", look.what)
			case <-time.After(200 * time.Millisecond):
			}
		}
		fmt.Println("demo: seen:", look.what)
	}
	return nil
}
