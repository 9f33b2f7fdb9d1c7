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

// Write writes a whole bundle to folder dir: the manifest, the segments by ID
// and extra files by plain name, such as evidence.json. The folder is made
// beside dir, synced and renamed, so that dir is never a half-written bundle.
// An older bundle in dir is replaced; a folder that holds anything else is
// refused and left alone.
func Write(dir string, m *Manifest, segments map[string][]byte, extra map[string][]byte) error {
	files, err := layOut(m, segments, extra)
	if err != nil {
		return err
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	if err := checkReplaceable(dir, extra); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	// One private folder holds the new bundle and, for a moment, the old one.
	private, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+".")
	if err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	fresh := filepath.Join(private, "new")
	err = writeFiles(fresh, files)
	if err == nil {
		err = replace(dir, fresh, filepath.Join(private, "old"))
	}
	if err != nil {
		os.RemoveAll(fresh)
		os.Remove(private) // stays if the old bundle could not be put back
		return fmt.Errorf("bundle: writing %s: %w", dir, err)
	}
	if err := os.RemoveAll(private); err != nil {
		return fmt.Errorf("bundle: removing the replaced bundle: %w", err)
	}
	return nil
}

// layOut checks that everything agrees and lists the files of the bundle.
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
		sum := sha256.Sum256(data)
		if hex.EncodeToString(sum[:]) != s.SHA256 || int64(len(data)) != s.Bytes {
			return nil, fmt.Errorf("bundle: segment %s: its %d bytes are not those that the manifest describes", s.ID, len(data))
		}
		files[s.File] = data
	}
	for name, data := range extra {
		if !filepath.IsLocal(name) || filepath.Base(name) != name || name == "." || name == manifestFile || name == segmentsDir {
			return nil, fmt.Errorf("bundle: extra file %q: must be a plain name other than %s and %s", name, manifestFile, segmentsDir)
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
		if !known && e.Name() != manifestFile && e.Name() != segmentsDir && e.Name() != evidenceFile {
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

// replace puts fresh in dir's place; what stood there goes to old, and comes
// back if the second rename fails.
func replace(dir, fresh, old string) error {
	err := os.Rename(dir, old)
	existed := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(fresh, dir); err != nil {
		if existed {
			err = errors.Join(err, os.Rename(old, dir))
		}
		return err
	}
	return syncDir(filepath.Dir(dir))
}
