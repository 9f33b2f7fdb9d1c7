package family

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Parse reads the content of family.json and checks everything but the files
// that it names.
func Parse(data []byte) (*Family, error) {
	f, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("family: %s: %w", FileName, err)
	}
	return f, nil
}

func parse(data []byte) (*Family, error) {
	// A newer format may hold anything, so its version is read first.
	// Unmarshal also sees text after the object, which a Decoder does not.
	var head struct {
		Format *int `json:"format"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("%w (docs/family.md shows a complete example)", err)
	}
	switch {
	case head.Format == nil:
		return nil, fmt.Errorf("\"format\" is missing (write \"format\": %d)", Format)
	case *head.Format > Format:
		return nil, fmt.Errorf("format %d is newer than this fathom reads (%d): update fathom", *head.Format, Format)
	}
	f := new(Family)
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(f); err != nil {
		return nil, fmt.Errorf("%w (docs/family.md lists the fields)", err)
	}
	if err := f.validate(); err != nil {
		return nil, err
	}
	return f, nil
}
