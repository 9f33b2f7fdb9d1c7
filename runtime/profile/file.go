package profile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/fathom-edge/fathom/internal/atomicfile"
)

// Format is the newest version of a profile file that this package reads, and
// the one that it writes.
const Format = 1

// maxFileBytes bounds what Read takes in; a ladder of 1000 rungs has 200 KiB, and 3000 segment costs 400 KiB.
const maxFileBytes = 1 << 20

type file struct {
	Format int `json:"format"`
	Profile
}

// Write keeps a profile as a JSON file, atomically: whoever reads path sees the
// old content or the new, also after a power cut.
func Write(path string, p Profile) error {
	if err := p.Validate(); err != nil {
		return err
	}
	data, err := json.MarshalIndent(file{Format, p}, "", "  ")
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	if err := atomicfile.Write(path, append(data, '\n')); err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	return nil
}

// Read takes in and validates a file of Write. An error that is
// os.ErrNotExist says that nothing was measured yet.
func Read(path string) (Profile, error) {
	f, err := os.Open(path)
	if err != nil {
		return Profile{}, fmt.Errorf("profile: %w", err)
	}
	defer f.Close()
	p, err := parse(f)
	if err != nil {
		return Profile{}, fmt.Errorf("profile: %s: %w (delete the file to start from the estimate)", path, err)
	}
	return p, nil
}

func parse(r io.Reader) (Profile, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFileBytes+1))
	if err != nil {
		return Profile{}, err
	}
	if len(data) > maxFileBytes {
		return Profile{}, fmt.Errorf("longer than %d bytes, not a profile", maxFileBytes)
	}
	var f file
	if err := json.Unmarshal(data, &f); err != nil {
		return Profile{}, fmt.Errorf("not a profile: %w", err)
	}
	if f.Format > Format {
		return Profile{}, fmt.Errorf("format %d is newer than %d, which this program reads", f.Format, Format)
	}
	if f.Format < 1 {
		return Profile{}, errors.New("not a profile: no format number")
	}
	if err := f.Validate(); err != nil {
		return Profile{}, err
	}
	return f.Profile, nil
}
