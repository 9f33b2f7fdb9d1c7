package daemon

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"

	"github.com/fathom-edge/fathom/daemon/web"
)

// access is how the page may be reached.
type access struct {
	token  string
	tls    *tls.Config // nil without TLS
	scheme string
}

// newAccess refuses to be reached from other machines without a token.
func newAccess(o Options, on net.Addr) (access, error) {
	c := o.Config
	token, err := c.token(o.Token)
	if err != nil {
		return access{}, err
	}
	if token == "" && web.NeedsToken(on, c.AllowedHosts) {
		return access{}, fmt.Errorf("listen %s: other machines may reach the page, which needs a token "+
			"(run fathomd token FILE and set token_file, or listen on 127.0.0.1 without allowed_hosts)", on)
	}
	a := access{token: token, scheme: "http"}
	if c.TLS.Certificate == "" {
		return a, nil
	}
	pair, err := tls.LoadX509KeyPair(c.TLS.Certificate, c.TLS.Key)
	if err != nil {
		return access{}, fmt.Errorf("tls: %w (fathomd init --tls writes a pair)", err)
	}
	a.scheme, a.tls = "https", &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	return a, nil
}

// controlsState is what the page shows of the controls.
type controlsState struct {
	Settings Settings `json:"settings"`
	Policies []string `json:"policies"`
	Variants []string `json:"variants"`
	// Overridden are the settings that differ from the configuration's.
	Overridden []string `json:"overridden"`
	// Reload tells that there is a configuration to read again.
	Reload bool `json:"reload"`
}

func (d *daemon) controlsState() controlsState {
	return controlsState{Settings: d.controls.Settings(), Policies: d.controls.Policies(), Variants: d.controls.Variants(),
		Overridden: overridden(d.keeper.fromConfiguration(), d.controls.Settings()), Reload: d.reloader.load != nil}
}

// change merges the JSON of some settings into those that hold.
func (d *daemon) change(body io.Reader) error {
	_, err := d.controls.Change("page", func(s *Settings) error {
		decoder := json.NewDecoder(body)
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(s); err != nil {
			return fmt.Errorf("cannot read the change: %w", err)
		}
		return nil
	})
	return err
}

// reset takes the settings back to those of the configuration.
func (d *daemon) reset() error {
	_, err := d.controls.Change("page", func(s *Settings) error {
		*s = d.keeper.fromConfiguration()
		return nil
	})
	return err
}

// keep brings back the settings of the last run, and keeps those of this one.
func (d *daemon) keep() {
	c := d.options.Config
	d.keeper = newKeeper(c, d.controls.Settings(), func(err error) { d.monitor.Condition(partSettings, err) })
	before, err := d.keeper.load()
	if err == nil && before != nil {
		_, err = d.controls.Change("the last run", func(s *Settings) error {
			*s = *before
			return nil
		})
	}
	if err != nil {
		d.options.Log.Warn("the settings of the last run are not taken over", "reason", err)
	}
	d.controls.Watch(d.keeper.watch)
}
