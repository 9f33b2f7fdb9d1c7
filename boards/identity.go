package boards

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/fathom-edge/fathom/boards/sysfs"
)

// Identity is what a machine is.
type Identity struct {
	// ID is that of the Model; empty for a machine without a table.
	ID string `json:"id,omitempty"`
	// Name is what the device tree or the firmware of a PC calls the machine, or the
	// table's name where the device tree's is a code name.
	Name string `json:"name"`
	// Compatible are the device tree's names, the most specific first.
	Compatible []string `json:"compatible,omitempty"`
	// Source tells where the name is from.
	Source string `json:"source,omitempty"`
}

// Model returns the table of the board's kind; ok is false where there is none.
func (i Identity) Model() (m Model, ok bool) {
	for _, m := range models {
		if m.ID == i.ID {
			return m, true
		}
	}
	return Model{}, false
}

// Identify says which machine lies under root; "" and "/" mean the running one.
// A machine that says nothing of itself is generic and no error; an error means
// that its name is there and cannot be read.
func Identify(root string) (Identity, error) {
	tree := sysfs.NewFS(root)
	if err := checkRoot(tree); err != nil {
		return Identity{}, err
	}
	i, err := identifyTree(tree)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return i, err
	}
	return i, nil
}

// identifyTree returns the generic identity with an error.
func identifyTree(tree sysfs.FS) (Identity, error) {
	compatible, compatibleErr := tree.Compatible()
	name, err := tree.Model()
	if err != nil && len(compatible) == 0 {
		return generic(), err
	}
	i := Identity{Name: name, Compatible: compatible, Source: "DMI"}
	if len(compatible) > 0 || compatibleErr != nil {
		i.Source = "device tree"
	}
	model, ok := identify(name, compatible)
	if !ok {
		if name == "" {
			i.Name = compatible[0]
		}
		return i, nil
	}
	i.ID, i.Source = model.ID, "device tree"
	if !strings.HasPrefix(name, "Raspberry Pi") && !strings.HasPrefix(name, "NVIDIA") {
		i.Name = model.Name // JetPack 4 calls a TX2 "quill"
	}
	return i, nil
}
