package dataset

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/fathom-edge/fathom/runtime/preprocess"
)

// The folders of the splits. The last may be missing.
var folderSplits = [...]string{Train: "train", Validation: "val", Test: "test"}

// folderSet is pictures in DIR/SPLIT/CLASS. Pixels are read when a sample is asked for.
type folderSet struct {
	name   string
	labels []string
	spec   preprocess.Spec
	splits [3][]folderFile
}

type folderFile struct {
	path  string
	label int
	turn  int // within its class
}

func openFolder(dir string, spec preprocess.Spec) (Dataset, error) {
	whole, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	s := &folderSet{name: filepath.Base(whole), spec: spec}
	for split, name := range folderSplits {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) && Split(split) == Test {
			continue
		}
		classes, err := s.list(path, Split(split))
		if err != nil {
			return nil, err
		}
		if Split(split) == Train {
			s.labels = classes
			if err := checkLabels(classes); err != nil {
				return nil, fmt.Errorf("dataset: %s: %w", path, err)
			}
		} else if err := sameClasses(s.labels, classes); err != nil {
			return nil, fmt.Errorf("dataset: %s: %w", path, err)
		}
	}
	if err := s.checkHeaders(); err != nil {
		return nil, err
	}
	return s, nil
}

// list reads the names of one split. Classes take turns, so that the first samples are of all of them.
func (s *folderSet) list(path string, split Split) (classes []string, err error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("dataset: %w (pictures belong in train/CLASS/, val/CLASS/ and, if there are any to test with, test/CLASS/)", err)
	}
	files := []folderFile{}
	for _, e := range entries {
		if ignored(e.Name()) {
			continue
		}
		class := filepath.Join(path, e.Name())
		found, err := listClass(class, len(classes))
		if err != nil {
			return nil, err
		}
		classes = append(classes, e.Name())
		files = append(files, found...)
	}
	slices.SortStableFunc(files, func(a, b folderFile) int { return cmp.Compare(a.turn, b.turn) })
	s.splits[split] = files
	return classes, nil
}

func listClass(path string, label int) (files []folderFile, err error) {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		return nil, fmt.Errorf("dataset: %s: is no folder: pictures belong in the folder of their class", path)
	}
	var entries []os.DirEntry
	if err == nil {
		entries, err = os.ReadDir(path)
	}
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	for _, e := range entries {
		if ignored(e.Name()) {
			continue
		}
		file := filepath.Join(path, e.Name())
		if !pictureName(e.Name()) {
			return nil, fmt.Errorf("dataset: %s: is no .jpg, .jpeg, .png or .webp file: convert or remove it", file)
		}
		files = append(files, folderFile{file, label, len(files)})
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("dataset: %s: holds no picture: add some, or remove the class from every split", path)
	}
	return files, nil
}

// ignored are the files that systems leave behind.
func ignored(name string) bool {
	return strings.HasPrefix(name, ".") || strings.EqualFold(name, "Thumbs.db") || strings.EqualFold(name, "desktop.ini")
}

func pictureName(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".jpg", ".jpeg", ".png", ".webp":
		return true
	}
	return false
}

// sameClasses compares the classes of a split with those of training; both are sorted.
func sameClasses(train, classes []string) error {
	var missing, extra []string
	for _, c := range train {
		if !slices.Contains(classes, c) {
			missing = append(missing, c)
		}
	}
	for _, c := range classes {
		if !slices.Contains(train, c) {
			extra = append(extra, c)
		}
	}
	switch {
	case len(missing) > 0:
		return fmt.Errorf("lacks classes of train: %s", strings.Join(missing, ", "))
	case len(extra) > 0:
		return fmt.Errorf("has classes that train has not: %s (misspelt?)", strings.Join(extra, ", "))
	}
	return nil
}

// checkHeaders reads the first bytes of every file, so that a run does not find out after hours that a file is no picture.
func (s *folderSet) checkHeaders() error {
	var files []folderFile
	for _, split := range s.splits {
		files = append(files, split...)
	}
	failures := make([]error, len(files))
	var group errgroup.Group
	group.SetLimit(4 * runtime.GOMAXPROCS(0)) // mostly waiting for the disk
	for i, f := range files {
		group.Go(func() error {
			failures[i] = checkHeader(f.path)
			return nil
		})
	}
	_ = group.Wait() // failures has them all
	return summary(failures)
}

// summary joins the first few errors.
func summary(all []error) error {
	const shown = 10
	bad := slices.DeleteFunc(all, func(err error) bool { return err == nil })
	if len(bad) > shown {
		bad = append(bad[:shown:shown], fmt.Errorf("dataset: and %d files more", len(bad)-shown))
	}
	return errors.Join(bad...)
}

func (s *folderSet) Name() string          { return s.name }
func (s *folderSet) Labels() []string      { return s.labels }
func (s *folderSet) Spec() preprocess.Spec { return s.spec }

func (s *folderSet) Len(split Split) int {
	if s.splits[split] == nil {
		return Absent
	}
	return len(s.splits[split])
}

func (s *folderSet) Sample(split Split, index int, dst *image.RGBA) (int, error) {
	f := s.splits[split][index]
	return f.label, readPicture(f.path, dst)
}
