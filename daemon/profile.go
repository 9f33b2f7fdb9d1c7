package daemon

import (
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"

	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// profileFile is where a measured profile lies; empty where it can lie nowhere.
func (c Config) profileFile() string {
	if c.Profile != "" {
		return c.Profile
	}
	if dir := c.stateDir(); dir != "" {
		return filepath.Join(dir, "profile.json")
	}
	return ""
}

// ladderOf takes the measured profile if it is of this bundle on this board, and
// otherwise estimates costs from MACs. A file that the configuration names must be
// readable.
func ladderOf(c Config, m *bundle.Manifest, board string, log *slog.Logger) (profile.Profile, error) {
	if file := c.profileFile(); file != "" {
		p, err := profile.Read(file)
		if err != nil && c.Profile != "" {
			return profile.Profile{}, err
		}
		if err == nil {
			p, err = fitting(p, c, m, board)
		}
		if err == nil {
			log.Info("costs of the variants are those measured on this board", "profile", file)
			return p, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			log.Warn("the measured profile is not used: costs are estimates (measure with fathom bench)", "profile", file, "reason", err)
		}
	}
	return profile.FromVariants(candidates(m), profile.StartThroughput(board, c.Threads), board)
}

func fitting(p profile.Profile, c Config, m *bundle.Manifest, board string) (profile.Profile, error) {
	var segments []string
	for _, s := range m.Segments {
		segments = append(segments, s.ID)
	}
	return p.At(board, segments, c.Threads)
}

// candidates are the variants with the accuracy that choices may use.
func candidates(m *bundle.Manifest) []profile.Candidate {
	var list []profile.Candidate
	for _, v := range m.Variants {
		list = append(list, profile.Candidate{Name: v.Name, MACs: v.MACs, Accuracy: v.ValidationTop1()})
	}
	return list
}
