package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	manifestFile = "manifest.json"
	segmentsDir  = "segments"
)

// Bundle is an opened bundle. It holds no file open and may be used by many
// goroutines, as long as none changes it.
type Bundle struct {
	Dir      string
	Manifest *Manifest
	// Digest is the SHA-256 of manifest.json, 64 hexadecimal digits. Since the
	// manifest holds the SHA-256 of every segment, it names the content of all.
	Digest string
}

// Open reads the manifest of the bundle in folder dir and compares size and
// SHA-256 of every segment with it, so that no damaged byte reaches TFLite,
// which would often run it and answer wrongly. It guards against damage, not
// against someone who may write to the folder; see OpenSigned.
func Open(dir string) (*Bundle, error) {
	data, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	return open(dir, data)
}

// open goes on from the content of the manifest.
func open(dir string, manifest []byte) (*Bundle, error) {
	m, err := DecodeManifest(manifest)
	if err != nil {
		return nil, fmt.Errorf("%w (in %s)", err, dir)
	}
	digest := sha256.Sum256(manifest)
	b := &Bundle{Dir: dir, Manifest: m, Digest: hex.EncodeToString(digest[:])}
	for i := range m.Segments {
		if err := b.verify(&m.Segments[i]); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// SegmentPath is the file of a segment of the manifest.
func (b *Bundle) SegmentPath(id string) string {
	return filepath.Join(b.Dir, filepath.FromSlash(segmentFile(id)))
}

// Segment looks a segment up; nil if the manifest has none of that ID.
func (b *Bundle) Segment(id string) *Segment {
	for i := range b.Manifest.Segments {
		if s := &b.Manifest.Segments[i]; s.ID == id {
			return s
		}
	}
	return nil
}

func segmentFile(id string) string { return segmentsDir + "/" + id + ".tflite" }

func readManifest(dir string) ([]byte, error) {
	f, err := os.Open(filepath.Join(dir, manifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("bundle: %s has no %s: not a bundle (make one with fathom convert)", dir, manifestFile)
	}
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxManifest+1))
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	return data, nil
}

func (b *Bundle) verify(s *Segment) error {
	f, err := b.openSegment(s)
	if err != nil {
		return err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	return s.compare(hash.Sum(nil))
}
