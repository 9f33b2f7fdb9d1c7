package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"

	"aead.dev/minisign"

	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/probe"
)

type verifyCommand struct {
	Bundle    string        `arg:"" help:"Folder of the bundle."`
	PublicKey []string      `sep:"none" placeholder:"KEY" help:"The bundle must be signed with this key, RW... or its file; may be given several times."`
	Time      time.Duration `default:"1m" help:"Time for loading and running everything."`
	MemoryMiB int64         `name:"memory-mib" default:"1024" placeholder:"MIB" help:"Memory for loading and running everything (default 1024)."`
	Threads   int           `default:"1" help:"Threads per inference."`
	NoRun     bool          `help:"Check hashes and signature, and run nothing."`
	JSON      bool          `name:"json" help:"Print as JSON."`
}

// Help implements kong's HelpProvider.
func (verifyCommand) Help() string {
	return `Checks hashes and signature, then loads every segment and runs every variant once, in a
process of its own with bounded time and memory: a model that crashes TensorFlow Lite is
reported, with the name of its file.

  fathom verify BUNDLE
  fathom verify BUNDLE --public-key fathom.key.pub

Exit status: 0 fine, 1 damaged or refused, 2 called wrongly, 3 no valid signature of these
keys, 4 it crashed, hung, or wanted too much memory.`
}

const (
	exitSignature = 3
	exitHostile   = 4
)

// verification is what verify prints.
type verification struct {
	Bundle string `json:"bundle"`
	// Digest is the SHA-256 of manifest.json, which names the content of the whole bundle.
	Digest string `json:"digest"`
	// Signed is false where no key was given.
	Signed   bool `json:"signed"`
	Segments int  `json:"segments"`
	Variants int  `json:"variants"`
	// Probe is missing where nothing was run.
	Probe *probe.Report `json:"probe,omitempty"`
}

// Run verifies the bundle.
func (c *verifyCommand) Run(out *output) error {
	if runner() == nil && !c.NoRun {
		return errors.New("verify: this fathom was built without TensorFlow Lite and can run nothing: add --no-run to check hashes and signature")
	}
	b, err := c.open()
	if errors.Is(err, bundle.ErrSignature) {
		return &exitError{err, exitSignature}
	}
	if err != nil {
		return err
	}
	v := verification{Bundle: b.Manifest.Name, Digest: b.Digest, Signed: len(c.PublicKey) > 0,
		Segments: len(b.Manifest.Segments), Variants: len(b.Manifest.Variants)}
	if !c.NoRun {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		report, err := probe.Run(ctx, b, probe.Limits{Time: c.Time, Memory: c.MemoryMiB << 20, Threads: c.Threads})
		if err != nil {
			return err
		}
		v.Probe = &report
	}
	if err := v.print(out, c.JSON); err != nil {
		return err
	}
	if v.Probe == nil || v.Probe.Outcome == probe.Passed {
		return nil
	}
	if v.Probe.Outcome == probe.Refused {
		return v.Probe.Err()
	}
	return &exitError{v.Probe.Err(), exitHostile}
}

func (c *verifyCommand) open() (*bundle.Bundle, error) {
	if len(c.PublicKey) == 0 {
		return bundle.Open(c.Bundle)
	}
	var keys []minisign.PublicKey
	for _, k := range c.PublicKey {
		key, err := bundle.ReadPublicKey(k)
		if err != nil {
			return nil, &usageError{err}
		}
		keys = append(keys, key)
	}
	return bundle.OpenSigned(c.Bundle, keys)
}

func (v verification) print(out *output, asJSON bool) error {
	if asJSON {
		return writeJSON(out, v)
	}
	signature := "not asked for (--public-key)"
	if v.Signed {
		signature = "valid"
	}
	fmt.Fprintf(out, "%s: %d segments as in the manifest %s\nsignature: %s\n", v.Bundle, v.Segments, v.Digest[:12], signature)
	switch {
	case v.Probe == nil:
		fmt.Fprintln(out, "run: no")
	case v.Probe.Outcome == probe.Passed:
		fmt.Fprintf(out, "run: %d variants in %.2f s, at most %d MiB\n", v.Variants, v.Probe.Seconds, v.Probe.PeakBytes>>20)
	default:
		fmt.Fprintf(out, "run: %s while %s\n", v.Probe.Outcome, v.Probe.Last)
	}
	return nil
}
