package sysfs

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"unicode"
)

// deviceTrees are where the device tree is. /proc/device-tree is an absolute link
// to the first path, which leads out of a root other than "/".
var deviceTrees = []string{"sys/firmware/devicetree/base", "proc/device-tree"}

// Model returns what the board calls itself: the device tree's model, or the
// product name of a PC.
func (f FS) Model() (string, error) {
	for _, tree := range deviceTrees {
		if model, err := readParsed(f, tree, "model", parseModel); err == nil {
			return model, nil
		}
	}
	return readParsed(f, "", "sys/class/dmi/id/product_name", parseProduct)
}

// Compatible returns the device tree's names for the board, the most specific
// first; none where there is no device tree.
func (f FS) Compatible() ([]string, error) {
	for _, tree := range deviceTrees {
		names, err := readParsed(f, tree, "compatible", parseCompatible)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return names, err
		}
	}
	return nil, nil
}

// parseCompatible parses a list of device tree strings, each of which ends in a NUL.
func parseCompatible(s string) ([]string, error) {
	var names []string
	for name := range strings.SplitSeq(strings.TrimRight(s, "\x00"), "\x00") {
		name, err := parseModel(name)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

// parseModel parses a device tree string, which ends in a NUL.
func parseModel(s string) (string, error) {
	s, _, _ = strings.Cut(s, "\x00")
	s = strings.TrimSpace(s)
	if s == "" {
		return "", fmt.Errorf("empty")
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) }) {
		return "", fmt.Errorf("not text: %s", quote(s))
	}
	return s, nil
}

// parseProduct parses a DMI name and refuses what PC makers forgot to fill in.
func parseProduct(s string) (string, error) {
	s, err := parseModel(s)
	if err != nil {
		return "", err
	}
	switch strings.ToLower(s) {
	case "system product name", "to be filled by o.e.m.", "default string", "not specified", "none", "o.e.m.":
		return "", fmt.Errorf("placeholder %s", quote(s))
	}
	return s, nil
}
