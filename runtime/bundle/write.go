package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// evidenceFile holds measurements beside the deterministic files.
const evidenceFile = "evidence.json"

// Content is a bundle in memory, and the folder that it goes to.
type Content struct {
	Dir      string
	Manifest *Manifest
	Segments map[string][]byte // by ID
	Extra    map[string][]byte // files by plain name, such as evidence.json
}

// Write writes a whole bundle to folder dir: the manifest, the segments by ID
// and extra files by plain name, such as evidence.json. The folder is made
// beside dir, synced and renamed, so that dir is never a half-written bundle.
// An older bundle in dir is replaced, with its signature; a folder that holds anything else is
// refused and left alone.
func Write(dir string, m *Manifest, segments map[string][]byte, extra map[string][]byte) error {
	return WriteAll(Content{dir, m, segments, extra})
}

// WriteAll is Write for several bundles. All of them are written and synced
// before the first is put in place, and an error leaves every folder as it was.
// A machine that loses power between two renames keeps whole bundles, some of
// them the older ones.
func WriteAll(bundles ...Content) (err error) {
	var all []*staged
	defer func() {
		for _, s := range all {
			err = errors.Join(err, s.clear())
		}
	}()
	for _, b := range bundles {
		s, err := stage(b)
		if err != nil {
			return err
		}
		all = append(all, s)
		sums := make(chan error, 1)
		go func() { sums <- checkSums(b.Manifest, b.Segments) }() // while the disk is busy
		err = writeFiles(s.fresh(), s.files)
		if wrong := <-sums; wrong != nil {
			return wrong
		}
		if err != nil {
			return fmt.Errorf("bundle: writing %s: %w", s.dir, err)
		}
	}
	for i, s := range all {
		if err := s.replace(); err != nil {
			for _, done := range slices.Backward(all[:i+1]) {
				err = errors.Join(err, done.restore())
			}
			return fmt.Errorf("bundle: writing %s: %w", s.dir, err)
		}
	}
	return nil
}

// staged is a bundle on its way into place. One private folder beside dir holds
// the new bundle and, until all is done, the old one.
type staged struct {
	dir, private string
	files        map[string][]byte
	inPlace      bool // the new bundle stands in dir
	existed      bool // and an old one waits in the private folder
}

func (s *staged) fresh() string { return filepath.Join(s.private, "new") }
func (s *staged) old() string   { return filepath.Join(s.private, "old") }

// stage checks a bundle and its folder and makes the private folder.
func stage(b Content) (*staged, error) {
	files, err := layOut(b.Manifest, b.Segments, b.Extra)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(b.Dir)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	if err := checkReplaceable(dir, b.Extra); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	private, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+".")
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	return &staged{dir: dir, private: private, files: files}, nil
}

// layOut lists the files of the bundle.
func layOut(m *Manifest, segments, extra map[string][]byte) (map[string][]byte, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	if len(segments) != len(m.Segments) {
		return nil, fmt.Errorf("bundle: %d segments given, the manifest lists %d", len(segments), len(m.Segments))
	}
	files := make(map[string][]byte, len(segments)+len(extra)+1)
	for _, s := range m.Segments {
		data, ok := segments[s.ID]
		if !ok {
			return nil, fmt.Errorf("bundle: segment %s of the manifest is not given", s.ID)
		}
		files[s.File] = data
	}
	for name, data := range extra {
		if !filepath.IsLocal(name) || filepath.Base(name) != name || name == "." || name == manifestFile || name == segmentsDir || name == SignatureFile {
			return nil, fmt.Errorf("bundle: extra file %q: must be a plain name other than %s, %s and %s", name, manifestFile, segmentsDir, SignatureFile)
		}
		files[name] = data
	}
	manifest, err := EncodeManifest(m)
	if err != nil {
		return nil, err
	}
	files[manifestFile] = manifest
	return files, nil
}

// checkSums compares the segments with what the manifest says of them.
func checkSums(m *Manifest, segments map[string][]byte) error {
	for _, s := range m.Segments {
		data := segments[s.ID]
		sum := sha256.Sum256(data)
		if hex.EncodeToString(sum[:]) != s.SHA256 || int64(len(data)) != s.Bytes {
			return fmt.Errorf("bundle: segment %s: its %d bytes are not those that the manifest describes", s.ID, len(data))
		}
	}
	return nil
}

// checkReplaceable refuses a folder in which something would be lost that no
// bundle holds.
func checkReplaceable(dir string, extra map[string][]byte) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, manifestFile)); err != nil {
		return fmt.Errorf("bundle: %s is not empty and not a bundle: choose another folder", dir)
	}
	for _, e := range entries {
		_, known := extra[e.Name()]
		if !known && !slices.Contains([]string{manifestFile, segmentsDir, evidenceFile, SignatureFile}, e.Name()) {
			return errForeign(dir, e.Name())
		}
	}
	entries, err = os.ReadDir(filepath.Join(dir, segmentsDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("bundle: %w", err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".tflite") {
			return errForeign(dir, segmentsDir+"/"+e.Name())
		}
	}
	return nil
}

func errForeign(dir, name string) error {
	return fmt.Errorf("bundle: %s holds %s, which is no part of a bundle: move it away or choose another folder", dir, name)
}

func writeFiles(dir string, files map[string][]byte) error {
	if err := os.MkdirAll(filepath.Join(dir, segmentsDir), 0o755); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := writeFile(filepath.Join(dir, filepath.FromSlash(name)), files[name]); err != nil {
			return err
		}
	}
	if err := syncDir(filepath.Join(dir, segmentsDir)); err != nil {
		return err
	}
	return syncDir(dir)
}

func writeFile(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// replace puts the new bundle in place; after an error restore puts back what stood there.
func (s *staged) replace() error {
	err := os.Rename(s.dir, s.old())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s.existed = err == nil
	if err := os.Rename(s.fresh(), s.dir); err != nil {
		return err
	}
	s.inPlace = true
	return syncDir(filepath.Dir(s.dir))
}

// restore undoes replace, however far it came.
func (s *staged) restore() error {
	if s.inPlace {
		if err := os.Rename(s.dir, s.fresh()); err != nil {
			return err
		}
		s.inPlace = false
	}
	if !s.existed {
		return nil
	}
	err := os.Rename(s.old(), s.dir)
	s.existed = err != nil
	return err
}

// clear removes the private folder, unless an old bundle in it could not be put back.
func (s *staged) clear() error {
	if s.existed && !s.inPlace {
		return fmt.Errorf("bundle: what stood in %s is now in %s", s.dir, s.old())
	}
	if err := os.RemoveAll(s.private); err != nil {
		return fmt.Errorf("bundle: removing %s: %w", s.private, err)
	}
	return nil
}
