package deploy

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// packageName is how packages are called: fathom_VERSION_ARCH.deb.
var packageName = regexp.MustCompile(`^fathom_([^_]+)_([a-z0-9]+)\.deb$`)

// ParsePackageName takes version and architecture from the name of a package's file; empty if it is called otherwise.
func ParsePackageName(file string) (version, arch string) {
	m := packageName.FindStringSubmatch(filepath.Base(file))
	if m == nil {
		return "", ""
	}
	return m[1], m[2]
}

// FindPackage is the package for an architecture in a folder; empty without one.
func FindPackage(folder, arch string) (string, error) {
	found, err := filepath.Glob(filepath.Join(folder, "fathom_*_"+arch+".deb"))
	switch {
	case err != nil || len(found) == 0:
		return "", err
	case len(found) > 1:
		return "", fmt.Errorf("deploy: several packages: %s: choose one with --package", strings.Join(found, ", "))
	}
	return found[0], nil
}
