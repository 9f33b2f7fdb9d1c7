package webhook

import (
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// Config says where events are sent. An empty URL sends none.
type Config struct {
	// Address that takes a POST per event, http or https; none by default.
	URL string `yaml:"url"`
	// File with the key of the signature in the header Fathom-Signature; no signature by default.
	SecretFile string `yaml:"secret_file"`
	// Kinds of events that are sent (appeared, present, gone); all by default.
	On []string `yaml:"on"`
	// How long one attempt may take.
	Timeout time.Duration `yaml:"timeout"`
	// How many events wait for a server that is away; beyond it the oldest are dropped.
	Queue int `yaml:"queue"`
	// How old an event may become before it is not sent any more.
	GiveUpAfter time.Duration `yaml:"give_up_after"`
}

// DefaultConfig are the settings of an empty section.
func DefaultConfig() Config {
	return Config{Timeout: 10 * time.Second, Queue: 1000, GiveUpAfter: 24 * time.Hour}
}

// Validate says what is wrong; the message begins with the field. kinds are those that On may list.
func (c Config) Validate(kinds ...string) error {
	if c.URL != "" {
		if u, err := url.Parse(c.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("url: not an http or https address (e.g. https://example.org/fathom)")
		}
	}
	switch {
	case c.Timeout < 100*time.Millisecond || c.Timeout > 5*time.Minute:
		return fmt.Errorf("timeout: %v: want 100ms to 5m", c.Timeout)
	case c.Queue < 1 || c.Queue > 100_000:
		return fmt.Errorf("queue: %d: want 1 to 100000", c.Queue)
	case c.GiveUpAfter < time.Second:
		return fmt.Errorf("give_up_after: %v: want at least 1s", c.GiveUpAfter)
	}
	for _, k := range c.On {
		if !slices.Contains(kinds, k) {
			return fmt.Errorf("on: %q is none of %s", k, strings.Join(kinds, ", "))
		}
	}
	return nil
}

// Wants tells whether a kind of event is sent.
func (c Config) Wants(kind string) bool { return len(c.On) == 0 || slices.Contains(c.On, kind) }

// maxSecret bounds a file that is taken for a key.
const maxSecret = 4096

// secret reads the key; nil for none.
func (c Config) secret() ([]byte, error) {
	if c.SecretFile == "" {
		return nil, nil
	}
	key, err := os.ReadFile(c.SecretFile)
	if err != nil {
		return nil, fmt.Errorf("webhook: secret_file: %w", err)
	}
	trimmed := strings.TrimSpace(string(key))
	if trimmed == "" || len(trimmed) > maxSecret {
		return nil, fmt.Errorf("webhook: secret_file: %s: want a key of 1 to %d bytes", c.SecretFile, maxSecret)
	}
	return []byte(trimmed), nil
}
