package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/fathom-edge/fathom/governor"
	"github.com/fathom-edge/fathom/internal/atomicfile"
)

// settingsFile is kept in the state folder: settings that were made on the page or over
// MQTT, so that they hold after a restart.
const settingsFile = "settings.json"

// saveEvery is the least time between two writes, saveAgain after one that failed.
const (
	saveEvery = time.Second
	saveAgain = 5 * time.Second
)

// saved is the content of settingsFile. Settings hold as long as the configuration
// says what it said when they were made; whoever changes it there means that.
type saved struct {
	Configured Settings `json:"configured"`
	Settings   Settings `json:"settings"`
}

// keeper keeps the settings in a file; without one it keeps nothing. Safe for concurrent use.
type keeper struct {
	file   string
	health func(error)

	mu         sync.Mutex
	configured Settings
	settings   Settings
	changed    chan struct{} // has one element while the file is behind
}

func newKeeper(c Config, configured Settings, health func(error)) *keeper {
	k := &keeper{configured: configured, settings: configured, health: health, changed: make(chan struct{}, 1)}
	if dir := c.stateDir(); dir != "" {
		k.file = filepath.Join(dir, settingsFile)
	}
	return k
}

// load reads the settings of the last run; nil where there are none, or where the configuration was changed since, which the error says.
func (k *keeper) load() (*Settings, error) {
	if k.file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(k.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var s saved
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", k.file, err)
	}
	if !same(s.Configured, k.configured) {
		return nil, fmt.Errorf("%s: the configuration says something else since", k.file)
	}
	return &s.Settings, nil
}

// configure notes what the configuration says from now on.
func (k *keeper) configure(s Settings) {
	k.mu.Lock()
	k.configured = s
	k.mu.Unlock()
	k.signal()
}

// watch notes the settings that hold from now on.
func (k *keeper) watch(s Settings) {
	k.mu.Lock()
	k.settings = s
	k.mu.Unlock()
	k.signal()
}

func (k *keeper) signal() {
	select {
	case k.changed <- struct{}{}:
	default:
	}
}

// fromConfiguration is what the configuration says.
func (k *keeper) fromConfiguration() Settings {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.configured
}

// run writes until ctx ends, and what is left then. A disk that does not take it is tried again and again.
func (k *keeper) run(ctx context.Context) {
	for {
		pause := saveEvery
		select {
		case <-k.changed:
			if err := k.write(); err != nil {
				pause = saveAgain
				k.signal()
			}
		case <-ctx.Done():
			select {
			case <-k.changed:
				_ = k.write() // told
			default:
			}
			return
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// write brings the file up to date, and tells whether that went well; settings that are those of the configuration need none.
func (k *keeper) write() error {
	if k.file == "" {
		return nil
	}
	k.mu.Lock()
	s := saved{k.configured, k.settings}
	k.mu.Unlock()
	var err error
	if same(s.Configured, s.Settings) {
		if _, err = os.Stat(k.file); err == nil { // a disk that is read-only would refuse to remove what is not there
			err = os.Remove(k.file)
		}
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	} else {
		var data []byte
		if data, err = json.Marshal(s); err == nil {
			err = atomicfile.Write(k.file, append(data, '\n'))
		}
	}
	k.health(err)
	return err
}

// same compares by what is written.
func same(a, b Settings) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

// overridden lists the settings that differ from the configuration's, as they are named in JSON.
func overridden(configured, now Settings) []string {
	list := []string{}
	if configured.Policy != now.Policy {
		list = append(list, "policy")
	}
	if configured.Paused != now.Paused {
		list = append(list, "paused")
	}
	a, b := fieldsOf(configured.Objectives), fieldsOf(now.Objectives)
	maps.Copy(a, b) // all names of both
	was := fieldsOf(configured.Objectives)
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if string(was[name]) != string(b[name]) {
			list = append(list, name)
		}
	}
	return list
}

func fieldsOf(o governor.Objectives) map[string]json.RawMessage {
	fields := map[string]json.RawMessage{}
	if data, err := json.Marshal(o); err == nil {
		_ = json.Unmarshal(data, &fields) // it is an object
	}
	return fields
}
