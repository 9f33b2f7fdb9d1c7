package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// ReadSegment fills dst, which has the size of the manifest, with the segment's
// file, and compares its SHA-256: what was read is what the manifest means, also
// if the file was changed since the bundle was opened.
func (b *Bundle) ReadSegment(s *Segment, dst []byte) error {
	f, err := b.openSegment(s)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.ReadFull(f, dst); err != nil {
		return fmt.Errorf("bundle: %s: %w", s.File, err)
	}
	sum := sha256.Sum256(dst)
	return s.compare(sum[:])
}

// openSegment opens a regular file of the right size.
func (b *Bundle) openSegment(s *Segment) (_ *os.File, err error) {
	f, err := os.Open(b.SegmentPath(s.ID))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("bundle: %s is missing from %s (copied in part? copy the bundle again)", s.File, b.Dir)
	}
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("bundle: %s is not a regular file", s.File)
	}
	if info.Size() != s.Bytes {
		return nil, fmt.Errorf("bundle: %s: %d bytes where the manifest says %d (file truncated? copy the bundle again)", s.File, info.Size(), s.Bytes)
	}
	return f, nil
}

func (s *Segment) compare(sum []byte) error {
	if hex.EncodeToString(sum) != s.SHA256 {
		return fmt.Errorf("bundle: %s: sha256 differs from the manifest (file damaged? copy the bundle again)", s.File)
	}
	return nil
}
