package daemon

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"strings"
)

const (
	// leastToken is the least length of a token in characters.
	leastToken = 16
	maxToken   = 256
)

// NewToken returns a random token of 256 bits.
func NewToken() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// readToken returns the token of a file that nobody else may read.
func readToken(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("token_file: %w (write one with fathomd token %s)", err, path)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("token_file: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return "", fmt.Errorf("token_file: %s may be read by others, mode %#o (run chmod 600 %s)", path, mode, path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxToken+2))
	if err != nil {
		return "", fmt.Errorf("token_file: %w", err)
	}
	if err := checkToken(strings.TrimSpace(string(text))); err != nil {
		return "", fmt.Errorf("token_file: %s: %w", path, err)
	}
	return strings.TrimSpace(string(text)), nil
}

func checkToken(token string) error {
	switch {
	case len(token) < leastToken:
		return fmt.Errorf("a token of %d characters can be guessed: want at least %d (fathomd token makes one)", len(token), leastToken)
	case len(token) > maxToken:
		return fmt.Errorf("a token is at most %d characters long", maxToken)
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return fmt.Errorf("a token is one word of ASCII characters")
	}
	return nil
}

// token finds the token of the page: that of the file, or the given one; empty where there is none.
func (c Config) token(given string) (string, error) {
	if c.TokenFile != "" {
		return readToken(c.TokenFile)
	}
	if given == "" {
		return "", nil
	}
	if err := checkToken(given); err != nil {
		return "", fmt.Errorf("%s: %w", TokenVariable, err)
	}
	return given, nil
}
