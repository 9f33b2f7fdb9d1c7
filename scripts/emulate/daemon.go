package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// configurationFile is the conffile of the package.
const configurationFile = "/etc/fathom/fathomd.yaml"

// configuration is what somebody with this board would write, but that it
// writes to the disk as often as it may: every frame, every second.
const configuration = `bundle: /usr/share/fathom/bundles/demo
source: {kind: camera, address: "v4l2:/dev/video0"}
target_rate: 0.5
smoothing: 0s
policy: {kind: predictive, predictive: {dwell: 2s}}
objectives: {ceiling_celsius: 70, min_charge_percent: 25}
sensors:
  batteries:
    - {device: max17048, bus: 1}
    - {device: ina219, bus: 1, address: 0x40, shunt_ohms: 0.1, measures: load}
decision_log: /var/lib/fathom/decisions.jsonl
prediction_log: /var/lib/fathom/predictions.jsonl
event_log: /var/lib/fathom/events.jsonl
logs: {sync_every: 1s}
events: {enter: 0.05, leave: 0.02, appear_after: 0s, gone_after: 1s, present_every: 1s}
snapshots: {folder: /var/lib/fathom/pictures, per_hour: 36000, on: [appeared, present, gone]}
mqtt: {broker: "mqtt://127.0.0.1:1883", id: board, every: 1s}
`

// daemon is the one on the board, as it tells of itself.
type daemon struct{ client http.Client }

func newDaemon() daemon { return daemon{http.Client{Timeout: 20 * time.Second}} }

// reading is a value, or why there is none.
type reading struct {
	Value   *float64 `json:"value"`
	Unknown string   `json:"unknown"`
}

// is tells whether a reading is about a value.
func (r reading) is(value, within float64) bool {
	return r.Value != nil && *r.Value > value-within && *r.Value < value+within
}

func (r reading) String() string {
	if r.Value == nil {
		return "unknown: " + r.Unknown
	}
	return strconv.FormatFloat(*r.Value, 'g', 5, 64)
}

// state is what the test looks at of /api/state.
type state struct {
	Source string `json:"source"`
	Health struct {
		Status  string   `json:"status"`
		Reasons []string `json:"reasons"`
	} `json:"health"`
	Ladder []struct {
		Variant string `json:"variant"`
	} `json:"ladder"`
	Active   int    `json:"active"`
	Frames   uint64 `json:"frames"`
	Decision struct {
		Reason json.RawMessage `json:"reason"`
	} `json:"decision"`
	Board struct {
		Heat struct {
			Hottest reading `json:"hottest_celsius"`
			Limit   reading `json:"limit_celsius"`
		} `json:"heat"`
		Power struct {
			Charge reading `json:"charge_percent"`
			Watts  reading `json:"watts"`
		} `json:"power"`
		Probes []struct {
			Name   string `json:"name"`
			State  string `json:"state"`
			Reason string `json:"reason"`
		} `json:"probes"`
	} `json:"board"`
}

func (d daemon) state() (state, error) {
	var s state
	response, err := d.client.Get("http://127.0.0.1:8080/api/state")
	if err != nil {
		return s, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return s, fmt.Errorf("/api/state answers %s", response.Status)
	}
	return s, json.NewDecoder(response.Body).Decode(&s)
}

// becomes waits until the state is as wanted.
func (d daemon) becomes(want func(state) error) error {
	return eventually(func() error {
		s, err := d.state()
		if err != nil {
			return err
		}
		return want(s)
	})
}

// classifies waits until so many more frames were classified.
func (d daemon) classifies(frames uint64) error {
	var from uint64
	known := false
	return d.becomes(func(s state) error {
		if !known || s.Frames < from { // it was started anew
			from, known = s.Frames, true
		}
		if s.Frames < from+frames {
			return fmt.Errorf("%d frames classified, after %d; %s", s.Frames, from, strings.Join(s.Health.Reasons, "; "))
		}
		return nil
	})
}

// depth waits for a depth, and that it holds for some looks: the index of the variant on the ladder.
func (d daemon) depth(want func(index int) bool) (index int, err error) {
	held := 0
	err = d.becomes(func(s state) error {
		index = s.Active
		if index < 0 || !want(index) {
			held = 0
			return fmt.Errorf("runs at depth %d of %d, at %s °C and %s %%: %s", s.Active, len(s.Ladder)-1, s.Board.Heat.Hottest, s.Board.Power.Charge, s.Decision.Reason)
		}
		if held++; held < 3 {
			return fmt.Errorf("depth %d does not hold", index)
		}
		return nil
	})
	return index, err
}

// probe waits until the probe with this in its name is in a state, and says something of it.
func (d daemon) probe(name, want, says string) error {
	return d.becomes(func(s state) error {
		var seen []string
		for _, p := range s.Board.Probes {
			if strings.Contains(p.Name, name) && p.State == want && strings.Contains(p.Reason, says) {
				return nil
			}
			seen = append(seen, p.Name+" "+p.State+" "+p.Reason)
		}
		return fmt.Errorf("no probe %s is %s with %q: %s", name, want, says, strings.Join(seen, "; "))
	})
}

// restarts is how often systemd started the daemon again by itself.
func restarts() (int, error) {
	text, err := command("systemctl", "show", "--value", "-p", "NRestarts", "fathomd")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(text)
}

// mainPID is the daemon's process.
func mainPID() (int, error) {
	text, err := command("systemctl", "show", "--value", "-p", "MainPID", "fathomd")
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(text)
	if err == nil && pid == 0 {
		err = fmt.Errorf("fathomd does not run")
	}
	return pid, err
}
