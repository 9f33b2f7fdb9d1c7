package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxManifest bounds manifest.json: a hundred variants of a thousand segments fit.
const maxManifest = 4 << 20

// DecodeManifest reads and validates the content of manifest.json. A newer
// format is refused by its number alone; in our own format unknown fields are
// refused too, since they would be a misspelling.
func DecodeManifest(data []byte) (*Manifest, error) {
	if len(data) > maxManifest {
		return nil, fmt.Errorf("bundle: manifest.json is larger than %d bytes: not a manifest", maxManifest)
	}
	var version struct {
		Format *int `json:"format"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return nil, fmt.Errorf("bundle: manifest.json: %w (file damaged? copy the bundle again)", err)
	}
	switch {
	case version.Format == nil:
		return nil, errors.New("bundle: manifest.json has no \"format\": not a fathom bundle (make one with fathom convert)")
	case *version.Format > Format:
		return nil, fmt.Errorf("bundle: manifest format %d is newer than this fathom reads (%d): update fathom", *version.Format, Format)
	case *version.Format < 1:
		return nil, fmt.Errorf("bundle: manifest format %d does not exist: make the bundle again with fathom convert", *version.Format)
	}

	m := new(Manifest)
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(m); err != nil {
		return nil, fmt.Errorf("bundle: manifest.json: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("bundle: manifest.json: something follows the manifest (file damaged? copy the bundle again)")
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	return m, nil
}

// EncodeManifest is the content of manifest.json: equal manifests give equal bytes.
func EncodeManifest(m *Manifest) ([]byte, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(m); err != nil {
		return nil, fmt.Errorf("bundle: encoding manifest.json: %w", err)
	}
	return buf.Bytes(), nil
}
