package train

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/checkpoint"
)

const (
	checkpointPrefix = "step-"
	unfinishedPrefix = ".new-"
	stateFile        = "run.json"
)

// ErrNoCheckpoint says that a folder has no checkpoint to go on from.
var ErrNoCheckpoint = errors.New("no checkpoint")

// runState is what a checkpoint holds besides the variables.
type runState struct {
	Config *Config            `json:"config"`
	Sums   map[string]float64 `json:"sums"`
	Since  int                `json:"since"`
	// Statistics is the choice at the end of the run, once it was made.
	Statistics *Statistics `json:"statistics,omitempty"`
}

// SaveCheckpoint writes all variables, the optimizer's too, to a folder of its own in dir. A checkpoint is whole or not
// there: it is written beside its place, synced and renamed. Older checkpoints are removed afterwards, so that at any moment
// there is one, once there was one. Variables that are not finite are an error, and the older checkpoint stays.
func (t *Trainer) SaveCheckpoint(dir string) error {
	if err := t.saveCheckpoint(dir); err != nil {
		return fmt.Errorf("train: save checkpoint in %s: %w", dir, err)
	}
	return nil
}

func (t *Trainer) saveCheckpoint(dir string) error {
	if err := t.finiteWeights(); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := removeAll(dir, unfinishedPrefix, ""); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(dir, unfinishedPrefix)
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
	state, err := json.Marshal(runState{t.cfg, t.sums, t.since, t.chosen})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(temp, stateFile), state, 0o644); err != nil {
		return err
	}
	if err := syncAll(temp); err != nil {
		return err
	}
	// A checkpoint of the same step is not replaced but followed.
	name := fmt.Sprintf("%s%08d", checkpointPrefix, t.Step())
	for exists(filepath.Join(dir, name)) {
		name += "+"
	}
	if err := os.Rename(temp, filepath.Join(dir, name)); err != nil {
		return err
	}
	if err := syncPath(dir); err != nil {
		return err
	}
	return removeAll(dir, checkpointPrefix, name)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// removeAll removes the folders in dir whose names have the prefix, but one.
func removeAll(dir, prefix, but string) error {
	names, err := folders(dir, prefix)
	for _, name := range names {
		if name != but {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, name)))
		}
	}
	return err
}

// finiteWeights complains of a variable that holds something else than finite numbers.
func (t *Trainer) finiteWeights() error {
	for v := range t.store.IterVariables() {
		if v.DType() != dtypes.Float32 {
			continue
		}
		value, err := v.Value()
		if err != nil {
			return err
		}
		var bad float32
		if err := tensors.ConstFlatData(value, func(flat []float32) {
			for _, x := range flat {
				if x-x != 0 { // NaN and the infinities
					bad = x
				}
			}
		}); err != nil {
			return err
		}
		if bad != 0 {
			return fmt.Errorf("%s is %v after step %d: %s", v.Path(), bad, t.Step()-1, tooFast)
		}
	}
	return nil
}

// folders lists the folders in dir whose names have the prefix, in order.
func folders(dir, prefix string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), prefix) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Resume loads the newest checkpoint of dir. Call it before the first step. The configuration must be that of the
// checkpoint, except for the number of steps, the optimizer (a rate that was too high must not cost what was learned) and
// how the run is measured and saved.
func (t *Trainer) Resume(dir string) error {
	path, err := newest(dir)
	if err != nil {
		return fmt.Errorf("train: resume: %w", err)
	}
	if err := t.resume(path); err != nil {
		return fmt.Errorf("train: resume from %s: %w", path, err)
	}
	return nil
}

func (t *Trainer) resume(path string) error {
	state, err := readState(path)
	if err != nil {
		return err
	}
	if field := t.cfg.differs(state.Config); field != "" {
		return fmt.Errorf("the configuration's %s is not that of the checkpoint: resume with the same, or start anew in another folder", field)
	}
	store := model.NewStore()
	if _, err := checkpoint.Build(store).Dir(path).Immediate().Done(); err != nil {
		return err
	}
	t.store, t.sums, t.since, t.chosen = store, state.Sums, state.Since, state.Statistics
	if t.sums == nil {
		t.sums = map[string]float64{}
	}
	return t.build()
}

func readState(path string) (*runState, error) {
	data, err := os.ReadFile(filepath.Join(path, stateFile))
	if err != nil {
		return nil, err
	}
	state := &runState{}
	if err := json.Unmarshal(data, state); err != nil {
		return nil, fmt.Errorf("%s: %w", stateFile, err)
	}
	return state, nil
}

// CheckpointConfig is the whole configuration that the newest checkpoint of dir was trained with, or [ErrNoCheckpoint].
func CheckpointConfig(dir string) (*Config, error) {
	path, err := newest(dir)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	state, err := readState(path)
	if err != nil {
		return nil, fmt.Errorf("train: %s: %w", path, err)
	}
	return state.Config, nil
}

// newest is the path of the newest checkpoint of dir.
func newest(dir string) (string, error) {
	names, err := folders(dir, checkpointPrefix)
	if err != nil {
		return "", err
	}
	if len(names) == 0 {
		return "", fmt.Errorf("%w in %s", ErrNoCheckpoint, dir)
	}
	return filepath.Join(dir, names[len(names)-1]), nil
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
		{"batch", c.Batch, o.Batch}} {
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
