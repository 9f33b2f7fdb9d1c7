package family

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/fathom-edge/fathom/internal/atomicfile"
)

// FileName is the file of a family folder that describes the others.
const FileName = "family.json"

// maxFile is the size in bytes of the largest family.json that is read.
const maxFile = 4 << 20

// Read reads the family in a folder. It refuses what it does not understand,
// and models that are missing or lie outside the folder; it does not open them.
func Read(dir string) (*Family, error) {
	path := filepath.Join(dir, FileName)
	f, err := read(dir)
	if err != nil {
		return nil, fmt.Errorf("family: %s: %w", path, err)
	}
	return f, nil
}

func read(dir string) (*Family, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	info, err := statFile(root, FileName)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%d bytes, more than %d (not a family.json?)", info.Size(), maxFile)
	}
	data, err := root.ReadFile(FileName)
	if err != nil {
		return nil, err
	}
	f, err := parse(data)
	if err != nil {
		return nil, err
	}
	if err := f.checkModels(root); err != nil {
		return nil, err
	}
	return f, nil
}

// Write puts family.json into a folder that holds the models already. Equal
// families give equal bytes.
func Write(dir string, f *Family) error {
	path := filepath.Join(dir, FileName)
	if err := write(dir, f); err != nil {
		return fmt.Errorf("family: %s: %w", path, err)
	}
	return nil
}

func write(dir string, f *Family) error {
	if err := f.validate(); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := f.checkModels(root); err != nil {
		return err
	}
	data, err := f.encode()
	if err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(dir, FileName), data)
}

func (f *Family) encode() ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(f)
	return buffer.Bytes(), err
}

func (f *Family) checkModels(root *os.Root) error {
	for i, v := range f.Variants {
		if _, err := statFile(root, v.Model); err != nil {
			return fmt.Errorf("variants[%d] %q: model: %w", i, v.Name, err)
		}
	}
	return nil
}

// statFile describes a regular file of the family folder.
func statFile(root *os.Root, name string) (os.FileInfo, error) {
	info, err := root.Stat(filepath.FromSlash(name))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: no such file in the family folder (copy the whole folder)", name)
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", name)
	}
	return info, nil
}
