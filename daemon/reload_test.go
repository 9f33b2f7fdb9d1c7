package daemon

import (
	"errors"
	"io"
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The next start would end with such a configuration, so everybody should know.
func TestABadConfigurationIsAFaultUntilItIsMended(t *testing.T) {
	m, _ := testMonitor(t.Output())
	var wrong error
	d := &daemon{options: Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))}, monitor: m}
	d.reloader = reloader{load: func() (Config, error) { return DefaultConfig(), wrong }, apply: func(Config) error { return nil }}
	for _, wrong = range []error{errors.New("fathomd.yaml:3: unknown field"), nil} {
		if _, err := d.reload("test"); (err == nil) != (wrong == nil) {
			t.Errorf("reload: %v, want %v", err, wrong)
		}
		_, now := m.faultCounts()
		if diff := cmp.Diff(map[string]bool{partConfiguration: wrong != nil}, now); diff != "" {
			t.Errorf("faults after %v (-want +got)\n%s", wrong, diff)
		}
	}
	d.reloader.load = nil
	if _, err := d.reload("test"); err == nil || m.Health().Status != HealthOK {
		t.Errorf("without a file: %v, %+v", err, m.Health())
	}
}
