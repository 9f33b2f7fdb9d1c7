package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/fathom-edge/fathom/daemon"
)

type tokenFile struct {
	File  string `arg:"" optional:"" help:"File to write, which must not exist; without it, the token is printed."`
	Force bool   `help:"Replace the file. Who is signed in to the page has to do so again after the next start."`
}

// Help is the end of the help text.
func (tokenFile) Help() string {
	return `The token is 256 random bits. The file gets mode 0600 and belongs to the user who runs this.

Examples:
  sudo -u fathom fathomd token /var/lib/fathom/token    # then token_file: /var/lib/fathom/token
  FATHOM_TOKEN=$(fathomd token) fathomd --bundle B --listen 0.0.0.0:8080`
}

// Run writes a token.
func (t tokenFile) Run(s streams) error {
	token := daemon.NewToken()
	if t.File == "" {
		fmt.Fprintln(s.out, token)
		return nil
	}
	if err := writeNew(t.File, []byte(token+"\n"), 0o600, t.Force); err != nil {
		return fmt.Errorf("token: %w", err)
	}
	fmt.Fprintf(s.out, "wrote %s: set token_file to it, and sign in to the page with its content\n", t.File)
	return nil
}

// writeNew writes a file whole, with a mode, and replaces one only where it may.
func writeNew(path string, data []byte, mode os.FileMode, replace bool) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	temporary := f.Name()
	defer os.Remove(temporary) // gone once it has its name
	_, err = f.Write(data)
	if err := errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	if replace {
		return os.Rename(temporary, path)
	}
	err = os.Link(temporary, path) // unlike a rename, it never replaces
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists (--force replaces it)", path)
	}
	return err
}
