package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"aead.dev/minisign"

	"github.com/fathom-edge/fathom/internal/atomicfile"
)

// SignatureFile stands beside the manifest and signs it, in minisign's format:
// minisign -V -p KEY.pub -m manifest.json verifies it, too. It covers the
// segments through their SHA-256 in the manifest, and no other file.
const SignatureFile = manifestFile + signatureEnd

const signatureEnd = ".minisig"

// maxSignature bounds a signature file and a key file; real ones have some hundred bytes.
const maxSignature = 8 << 10

// ErrSignature is in every error about a signature that is missing, damaged,
// made with another key, or of another manifest.
var ErrSignature = errors.New("bundle: signature")

// OpenSigned is Open for a bundle that must be signed with one of the keys. The
// manifest is read once: what was verified is what is returned.
func OpenSigned(dir string, keys []minisign.PublicKey) (*Bundle, error) {
	manifest, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	signature, err := readSmall(filepath.Join(dir, SignatureFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s has no %s: not signed (its maker signs it with fathom sign)", ErrSignature, dir, SignatureFile)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	if err := verifySignature(manifest, signature, keys); err != nil {
		return nil, fmt.Errorf("%w (in %s)", err, dir)
	}
	return open(dir, manifest)
}

func verifySignature(manifest, signature []byte, keys []minisign.PublicKey) error {
	var s minisign.Signature
	if err := s.UnmarshalText(signature); err != nil {
		return fmt.Errorf("%w: %s is no minisign signature: %w", ErrSignature, SignatureFile, err)
	}
	known := false
	for _, k := range keys {
		if k.ID() != s.KeyID {
			continue
		}
		known = true
		if minisign.Verify(k, manifest, signature) {
			return nil
		}
	}
	if !known {
		return fmt.Errorf("%w: made with key %016X, which is none of the keys that are trusted", ErrSignature, s.KeyID)
	}
	return fmt.Errorf("%w: %s is not the one that key %016X signed (damaged, or changed by someone)", ErrSignature, manifestFile, s.KeyID)
}

// Sign writes the signature of the bundle in folder dir, in place of an older
// one. The bundle must be whole. The time is part of what is signed.
func Sign(dir string, key minisign.PrivateKey, now time.Time) error {
	manifest, err := readManifest(dir)
	if err != nil {
		return err
	}
	if _, err := open(dir, manifest); err != nil {
		return err
	}
	return writeSignature(filepath.Join(dir, manifestFile), manifest, key, now)
}

// SignFile signs any file, such as a list of checksums, and writes the signature
// beside it, with .minisig at the end.
func SignFile(file string, key minisign.PrivateKey, now time.Time) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	return writeSignature(file, data, key, now)
}

func writeSignature(file string, data []byte, key minisign.PrivateKey, now time.Time) error {
	// The reader makes signatures of a hash, as minisign does by default.
	r := minisign.NewReader(bytes.NewReader(data))
	if _, err := io.Copy(io.Discard, r); err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	signature := r.SignWithComments(key, fmt.Sprintf("timestamp:%d\tfile:%s\thashed", now.Unix(), filepath.Base(file)),
		fmt.Sprintf("signature from fathom key %016X", key.ID()))
	if err := atomicfile.Write(file+signatureEnd, signature); err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	return nil
}

// ReadPublicKey takes the text of a public key (RW...) or the file that holds
// one, as fathom sign and minisign -G write it.
func ReadPublicKey(keyOrFile string) (minisign.PublicKey, error) {
	if key, ok := ParsePublicKey(keyOrFile); ok {
		return key, nil
	}
	data, err := readSmall(keyOrFile)
	if err != nil {
		return minisign.PublicKey{}, fmt.Errorf("bundle: public key: %w (give the key itself, RW..., or its file)", err)
	}
	key, ok := ParsePublicKey(string(data))
	if !ok {
		return minisign.PublicKey{}, fmt.Errorf("bundle: public key: %s holds no minisign public key", keyOrFile)
	}
	return key, nil
}

// ParsePublicKey reads the text of a public key, with or without the comment
// line above it.
func ParsePublicKey(text string) (key minisign.PublicKey, ok bool) {
	err := key.UnmarshalText([]byte(text))
	return key, err == nil
}

func readSmall(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSignature+1))
	if err == nil && len(data) > maxSignature {
		err = fmt.Errorf("%s: larger than %d bytes", file, maxSignature)
	}
	return data, err
}
