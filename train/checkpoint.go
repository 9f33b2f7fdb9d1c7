package train

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/checkpoint"
)

const (
	checkpointPrefix = "step-"
	stateFile        = "run.json"
)

// ErrNoCheckpoint says that a folder has no checkpoint to go on from.
var ErrNoCheckpoint = errors.New("no checkpoint")

// runState is what a checkpoint holds besides the variables.
type runState struct {
	Config *Config            `json:"config"`
	Sums   map[string]float64 `json:"sums"`
	Since  int                `json:"since"`
}

// SaveCheckpoint writes all variables, the optimizer's too, to dir/step-N. A checkpoint is whole or not there: it is
// written beside its place, synced and renamed. Older checkpoints are removed afterwards.
func (t *Trainer) SaveCheckpoint(dir string) error {
	if err := t.saveCheckpoint(dir); err != nil {
		return fmt.Errorf("train: save checkpoint in %s: %w", dir, err)
	}
	return nil
}

func (t *Trainer) saveCheckpoint(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(dir, ".new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	// A clone, because a checkpoint handler stays attached to its store.
	clone, err := t.store.Clone()
	if err != nil {
		return err
	}
	defer clone.Finalize()
	handler, err := checkpoint.Build(clone).Dir(temp).Keep(1).Done()
	if err != nil {
		return err
	}
	if err := handler.Save(); err != nil {
		return err
	}
	state, err := json.Marshal(runState{t.cfg, t.sums, t.since})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(temp, stateFile), state, 0o644); err != nil {
		return err
	}
	if err := syncAll(temp); err != nil {
		return err
	}
	name := fmt.Sprintf("%s%08d", checkpointPrefix, t.Step())
	target := filepath.Join(dir, name)
	if err := os.RemoveAll(target); err != nil {
		return err
	}
	if err := os.Rename(temp, target); err != nil {
		return err
	}
	if err := syncPath(dir); err != nil {
		return err
	}
	names, err := checkpoints(dir)
	if err != nil {
		return err
	}
	for _, old := range names {
		if old != name {
			if err := os.RemoveAll(filepath.Join(dir, old)); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkpoints lists the checkpoints of a folder, oldest first.
func checkpoints(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), checkpointPrefix) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// Resume loads the newest checkpoint of dir. Call it before the first step. The configuration must be that of the
// checkpoint, except for the number of steps and for how the run is measured and saved.
func (t *Trainer) Resume(dir string) error {
	names, err := checkpoints(dir)
	if err != nil {
		return fmt.Errorf("train: resume: %w", err)
	}
	if len(names) == 0 {
		return fmt.Errorf("train: resume: %w in %s", ErrNoCheckpoint, dir)
	}
	path := filepath.Join(dir, names[len(names)-1])
	if err := t.resume(path); err != nil {
		return fmt.Errorf("train: resume from %s: %w", path, err)
	}
	return nil
}

func (t *Trainer) resume(path string) error {
	data, err := os.ReadFile(filepath.Join(path, stateFile))
	if err != nil {
		return err
	}
	var state runState
	if err := json.Unmarshal(data, &state); err != nil {
		return fmt.Errorf("%s: %w", stateFile, err)
	}
	if field := t.cfg.differs(state.Config); field != "" {
		return fmt.Errorf("the configuration's %s is not that of the checkpoint: resume with the same, or start anew in another folder", field)
	}
	store := model.NewStore()
	if _, err := checkpoint.Build(store).Dir(path).Immediate().Done(); err != nil {
		return err
	}
	t.store, t.sums, t.since = store, state.Sums, state.Since
	if t.sums == nil {
		t.sums = map[string]float64{}
	}
	return t.build()
}

// differs names the first section that decides what is trained and is not the same in both.
func (c *Config) differs(o *Config) string {
	if o == nil {
		return "whole"
	}
	data := o.Data
	data.Path = c.Data.Path // the files may have moved
	for _, s := range []struct {
		name string
		a, b any
	}{{"name", c.Name, o.Name}, {"seed", c.Seed, o.Seed}, {"data", c.Data, data}, {"net", c.Net, o.Net}, {"loss", c.Loss, o.Loss},
		{"optimizer", c.Optimizer, o.Optimizer}, {"batch", c.Batch, o.Batch}} {
		a, aerr := json.Marshal(s.a)
		b, berr := json.Marshal(s.b)
		if aerr != nil || berr != nil || !bytes.Equal(a, b) {
			return s.name
		}
	}
	return ""
}

func syncAll(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := syncPath(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return syncPath(dir)
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
