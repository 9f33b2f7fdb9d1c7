package daemon

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"aead.dev/minisign"

	"github.com/fathom-edge/fathom/internal/atomicfile"
	"github.com/fathom-edge/fathom/runtime/bundle"
)

// probedFile is kept in the state folder: the digests of bundles that passed.
const probedFile = "probed.json"

// maxProbed bounds the record; a board has a few bundles at most.
const maxProbed = 64

// openBundle opens the bundle that the configuration names: signed, where that
// is required, and run once in a process of its own, where it was not before.
func (o Options) openBundle(ctx context.Context) (*bundle.Bundle, error) {
	b, err := o.Config.openTrusted()
	if err != nil || o.Probe == nil || !o.Config.Probe {
		return b, err
	}
	record := probed{program: o.ProbeID}
	if dir := o.Config.stateDir(); dir != "" {
		record.file = filepath.Join(dir, probedFile)
	}
	seen, err := record.has(b.Digest)
	if err != nil {
		o.Log.Warn("the record of probed bundles is not read: the bundle is probed again", "error", err)
	}
	if seen {
		return b, nil
	}
	if err := o.Probe(ctx, b); err != nil {
		return nil, fmt.Errorf("%w (in %s; fathom verify tells more)", err, o.Config.Bundle)
	}
	if record.file == "" {
		return b, nil
	}
	o.Log.Info("first load of this bundle: it passed in a process of its own", "bundle", o.Config.Bundle, "record", record.file)
	if err := record.add(b.Digest); err != nil {
		o.Log.Warn("that the bundle passed is not recorded: it will be probed again at the next start", "error", err)
	}
	return b, nil
}

// stateDir is the configured one, or the first of those that systemd gives the unit; empty if there is none.
func (c Config) stateDir() string {
	given, _, _ := strings.Cut(os.Getenv("STATE_DIRECTORY"), ":")
	return cmp.Or(c.StateDir, given)
}

func (c Config) openTrusted() (*bundle.Bundle, error) {
	if len(c.RequireSignature) == 0 {
		return bundle.Open(c.Bundle)
	}
	var keys []minisign.PublicKey
	for _, k := range c.RequireSignature {
		key, err := bundle.ReadPublicKey(k)
		if err != nil {
			return nil, fmt.Errorf("config: require_signature: %w", err)
		}
		keys = append(keys, key)
	}
	return bundle.OpenSigned(c.Bundle, keys)
}

// probed is the record of bundles that passed a probe by this very program:
// another release, or another TensorFlow Lite, tries them again. Without a file
// it remembers nothing.
type probed struct{ file, program string }

// probedList is the content of the file.
type probedList struct {
	Program string `json:"program"`
	// Digests are the SHA-256 of manifests, the newest last.
	Digests []string `json:"digests"`
}

func (p probed) read() (probedList, error) {
	empty := probedList{Program: p.program}
	if p.file == "" {
		return empty, nil
	}
	data, err := os.ReadFile(p.file)
	if errors.Is(err, fs.ErrNotExist) {
		return empty, nil
	}
	if err != nil {
		return empty, err
	}
	var l probedList
	if err := json.Unmarshal(data, &l); err != nil {
		return empty, fmt.Errorf("%s: %w", p.file, err)
	}
	if l.Program != p.program {
		return empty, nil
	}
	return l, nil
}

func (p probed) has(digest string) (bool, error) {
	l, err := p.read()
	return slices.Contains(l.Digests, digest), err
}

func (p probed) add(digest string) error {
	l, _ := p.read() // what cannot be read is written anew
	l.Digests = append(l.Digests, digest)
	l.Digests = l.Digests[max(0, len(l.Digests)-maxProbed):]
	data, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(p.file, append(data, '\n'))
}
