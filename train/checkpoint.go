package train

import (
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

const checkpointPrefix = "step-"

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

// Resume loads the newest checkpoint of dir. Call it before the first step.
func (t *Trainer) Resume(dir string) error {
	names, err := checkpoints(dir)
	if err != nil {
		return fmt.Errorf("train: resume: %w", err)
	}
	if len(names) == 0 {
		return fmt.Errorf("train: resume: no checkpoint in %s (start without --resume)", dir)
	}
	store := model.NewStore()
	path := filepath.Join(dir, names[len(names)-1])
	if _, err := checkpoint.Build(store).Dir(path).Immediate().Done(); err != nil {
		return fmt.Errorf("train: resume from %s: %w", path, err)
	}
	t.store = store
	return t.build()
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
