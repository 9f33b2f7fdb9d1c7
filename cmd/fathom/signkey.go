package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"aead.dev/minisign"
	"golang.org/x/term"
)

// maxKeyFile bounds a secret key; a real one has some 200 bytes.
const maxKeyFile = 8 << 10

// generateKey writes a key pair. It never replaces a file: a lost secret key
// cannot be had again.
func generateKey(out io.Writer, file string, noPassword bool) error {
	public, secret, err := minisign.GenerateKey(nil)
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	var text []byte
	if noPassword {
		text, err = secret.MarshalText()
	} else {
		var password string
		if password, err = askPassword("New password: ", true); err != nil {
			return err
		}
		text, err = minisign.EncryptKey(password, secret)
	}
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	publicText, err := public.MarshalText()
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	if err := writeNew(file, append(text, '\n'), 0o600); err != nil {
		return err
	}
	if err := writeNew(file+".pub", append(publicText, '\n'), 0o644); err != nil {
		return errors.Join(err, os.Remove(file))
	}
	fmt.Fprintf(out, "secret key  %s (keep it, and keep it to yourself)\npublic key  %s.pub\n\n%s\n", file, file, public)
	return nil
}

// writeNew writes a file that must not exist yet, whole or not at all.
func writeNew(file string, data []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("sign: %s exists already: a key is never replaced, choose another name", file)
	}
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("sign: %w", errors.Join(err, os.Remove(file)))
	}
	return nil
}

// readSecretKey asks for a password where the key has one.
func readSecretKey(file string) (minisign.PrivateKey, error) {
	f, err := os.Open(file)
	if err != nil {
		return minisign.PrivateKey{}, fmt.Errorf("sign: secret key: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return minisign.PrivateKey{}, fmt.Errorf("sign: secret key: %w", err)
	}
	if !minisign.IsEncrypted(text) {
		var key minisign.PrivateKey
		if err := key.UnmarshalText(text); err != nil {
			return minisign.PrivateKey{}, fmt.Errorf("sign: %s holds no minisign secret key (make one with fathom sign --generate-key)", file)
		}
		return key, nil
	}
	password, err := askPassword("Password of "+file+": ", false)
	if err != nil {
		return minisign.PrivateKey{}, err
	}
	key, err := minisign.DecryptKey(password, text)
	if err != nil {
		return minisign.PrivateKey{}, fmt.Errorf("sign: %s: wrong password, or a damaged key", file)
	}
	return key, nil
}

// askPassword asks on a terminal, twice for a new password, and takes the first
// line of standard input where there is none.
func askPassword(prompt string, twice bool) (string, error) {
	terminal := int(os.Stdin.Fd())
	if !term.IsTerminal(terminal) {
		line, err := bufio.NewReader(io.LimitReader(os.Stdin, maxKeyFile)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("sign: password: %w", err)
		}
		return checkPassword(strings.TrimRight(line, "\r\n"))
	}
	ask := func(prompt string) (string, error) {
		fmt.Fprint(os.Stderr, prompt)
		password, err := term.ReadPassword(terminal)
		fmt.Fprintln(os.Stderr)
		if err != nil {
			return "", fmt.Errorf("sign: password: %w", err)
		}
		return string(password), nil
	}
	password, err := ask(prompt)
	if err == nil && twice {
		var again string
		if again, err = ask("Once more: "); err == nil && again != password {
			err = errors.New("sign: the two passwords differ")
		}
	}
	if err != nil {
		return "", err
	}
	return checkPassword(password)
}

func checkPassword(password string) (string, error) {
	if password == "" {
		return "", errors.New("sign: the password is empty (--no-password makes a key without one)")
	}
	return password, nil
}
