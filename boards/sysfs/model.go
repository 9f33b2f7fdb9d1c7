package sysfs

import (
	"fmt"
	"strings"
	"unicode"
)

// Model returns what the board calls itself: the device tree's model, or the
// product name of a PC.
func (f FS) Model() (string, error) {
	// /proc/device-tree is an absolute link to the first path, which leads out
	// of a root other than "/".
	for _, name := range []string{"sys/firmware/devicetree/base/model", "proc/device-tree/model"} {
		if model, err := readParsed(f, "", name, parseModel); err == nil {
			return model, nil
		}
	}
	return readParsed(f, "", "sys/class/dmi/id/product_name", parseProduct)
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
