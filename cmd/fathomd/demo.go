package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/fathom-edge/fathom/daemon"
)

// demoConfigs are where the demo's configuration may lie: in a clone, and where a package installs it.
var demoConfigs = []string{"testdata/demo/fathomd.yaml", "/usr/share/fathom/demo/fathomd.yaml"}

// demo is what --demo has for as long as it runs.
type demo struct {
	folder string // for what it writes
	token  string // so that the page can be steered
}

// startDemo finds the demo's configuration and makes its folder, which end removes.
func (f *flags) startDemo() (end func(), err error) {
	if f.Config != "" {
		return nil, errors.New("--demo has a configuration of its own: drop --config")
	}
	if f.Config, err = findDemo(); err != nil {
		return nil, err
	}
	if f.demo.folder, err = os.MkdirTemp("", "fathom-demo-"); err != nil {
		return nil, fmt.Errorf("--demo: %w", err)
	}
	f.demo.token = cmp.Or(os.Getenv(daemon.TokenVariable), daemon.NewToken())
	return func() { _ = os.RemoveAll(f.demo.folder) }, nil
}

func findDemo() (string, error) {
	for _, path := range demoConfigs {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("--demo: found none of %s (run it in a clone of the repository)", strings.Join(demoConfigs, ", "))
}

// token is that of the page.
func (f flags) token() string { return cmp.Or(f.demo.token, os.Getenv(daemon.TokenVariable)) }

// showAll switches on what is off by default and has not been set.
func (d demo) showAll(c *daemon.Config) {
	for field, file := range map[*string]string{
		&c.EventLog: "events.jsonl", &c.DecisionLog: "decisions.jsonl", &c.PredictionLog: "predictions.jsonl", &c.Snapshots.Folder: "pictures",
	} {
		if *field == "" {
			*field = filepath.Join(d.folder, file)
		}
	}
	c.Snapshots.Files, c.Snapshots.PerHour = 100, 3600 // a scene comes every other second
}

// tour says where each thing can be looked at.
func (d demo) tour(w io.Writer, address string, c daemon.Config) {
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	row := func(what, where string) { fmt.Fprintf(t, "  %s\t%s\n", what, where) }
	row("page", address)
	row("sign in there, to steer", d.token)
	row("events", "tail -f "+c.EventLog)
	row("pictures of events", c.Snapshots.Folder)
	row("why it switched", "fathom explain "+c.DecisionLog)
	row("what each frame was taken for", "tail -f "+c.PredictionLog)
	row("metrics", "curl "+address+"/metrics")
	row("health", "curl "+address+"/healthz")
	if broker, err := url.Parse(c.MQTT.Broker); err == nil && broker.Host != "" {
		row("MQTT", fmt.Sprintf("mosquitto_sub -h %s -p %s -V mqttv5 -t '%s/#' -F '%%t  %%p'", broker.Hostname(), cmp.Or(broker.Port(), "1883"), c.MQTT.Topic))
	} else {
		row("MQTT", "no broker is named: FATHOM_MQTT_BROKER=mqtt://HOST fathomd --demo")
	}
	_ = t.Flush()
	fmt.Fprintf(w, "\nCtrl-C ends it, and removes %s.\n", d.folder)
}
