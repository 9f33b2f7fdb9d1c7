package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/fathom-edge/fathom/runtime/bundle"
)

type signCommand struct {
	Bundle      string `arg:"" optional:"" help:"Folder of the bundle, or a single file."`
	Key         string `placeholder:"FILE" help:"Secret key, as --generate-key or minisign -G writes it."`
	GenerateKey string `placeholder:"FILE" help:"Write a new secret key to FILE and the public key to FILE.pub, and do nothing else."`
	NoPassword  bool   `help:"Leave the new secret key without a password, for a machine that signs by itself."`
}

// Help implements kong's HelpProvider.
func (signCommand) Help() string {
	return `Signs a bundle, so that fathomd and fathom verify can tell who made it.

  fathom sign --generate-key fathom.key
  fathom sign BUNDLE --key fathom.key
  fathom verify BUNDLE --public-key fathom.key.pub

Keys and signatures are minisign's: minisign -V -p fathom.key.pub -m BUNDLE/manifest.json
verifies the same file. A single file, such as a list of checksums, is signed as well:
FILE.minisig. The password is asked for on a terminal, and otherwise read
as the first line of standard input.`
}

// Run makes a key or signs a bundle.
func (c *signCommand) Run(out *output) error {
	switch {
	case c.GenerateKey != "" && (c.Bundle != "" || c.Key != ""):
		return &usageError{errors.New("--generate-key makes a key and signs nothing: leave out the bundle and --key")}
	case c.GenerateKey != "":
		return generateKey(out, c.GenerateKey, c.NoPassword)
	case c.NoPassword:
		return &usageError{errors.New("--no-password goes with --generate-key")}
	case c.Bundle == "" || c.Key == "":
		return &usageError{errors.New("give a bundle and --key FILE (make one with fathom sign --generate-key FILE)")}
	}
	sign := bundle.Sign
	if info, err := os.Stat(c.Bundle); err == nil && info.Mode().IsRegular() {
		sign = bundle.SignFile
	} else if _, err := bundle.Open(c.Bundle); err != nil { // before a password is asked for
		return err
	}
	key, err := readSecretKey(c.Key)
	if err != nil {
		return err
	}
	if err := sign(c.Bundle, key, time.Now()); err != nil {
		return err
	}
	fmt.Fprintf(out, "signed %s with key %016X\n", c.Bundle, key.ID())
	return nil
}
