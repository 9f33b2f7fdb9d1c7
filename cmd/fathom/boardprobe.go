package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/fathom-edge/fathom/boards"
	"github.com/fathom-edge/fathom/boards/battery"
)

// foundJSON is one address of a bus at which something is.
type foundJSON struct {
	Bus          int      `json:"bus"`
	Address      string   `json:"address"` // hexadecimal, 0x36
	KernelDriver string   `json:"kernel_driver,omitempty"`
	Devices      []string `json:"devices"` // likeliest first
	Evidence     string   `json:"evidence,omitempty"`
}

// probe suggests what is on the bus. It asks the running machine only.
func (c *boardCommand) probe(out *output, host battery.Host) error {
	if c.Root != "/" {
		return &usageError{errors.New("--probe-i2c asks the buses of the running machine: leave --root out")}
	}
	bus, err := c.probedBus()
	if err != nil {
		return err
	}
	findings, err := battery.Probe(host, bus)
	if err != nil {
		return err
	}
	if c.JSON {
		found := []foundJSON{}
		for _, f := range findings {
			found = append(found, foundJSON{bus, fmt.Sprintf("%#02x", f.Address), f.KernelDriver, append([]string{}, f.Devices...), f.Evidence})
		}
		return json.NewEncoder(out).Encode(found)
	}
	return writeFindings(out, bus, findings)
}

func writeFindings(out *output, bus int, findings []battery.Finding) error {
	suggested := ""
	for _, f := range findings {
		line := fmt.Sprintf("%#02x  ", f.Address)
		switch {
		case f.KernelDriver != "":
			line += "served by the kernel's " + f.KernelDriver + ", left alone"
		case len(f.Devices) == 0:
			line += "no battery device that is known" + inBrackets(f.Evidence)
		default:
			line += strings.Join(f.Devices, " or ") + inBrackets(f.Evidence)
			if suggested == "" {
				suggested = f.Devices[0]
			}
		}
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err
		}
	}
	if suggested == "" {
		_, err := fmt.Fprintf(out, "No battery device found on I2C bus %d.\n", bus)
		return err
	}
	_, err := fmt.Fprintf(out, "\nSuggestions only: devices share addresses. Check which board you have, then try\n  fathom board --battery '{device: %s, bus: %d}'\n", suggested, bus)
	return err
}

// probedBus is the given bus, or that of the board's header.
func (c *boardCommand) probedBus() (int, error) {
	if c.I2CBus != "" {
		bus, err := strconv.ParseUint(c.I2CBus, 10, 16)
		if err != nil {
			return 0, &usageError{fmt.Errorf("--i2c-bus %q: not a number (give that of /dev/i2c-N)", c.I2CBus)}
		}
		return int(bus), nil
	}
	if identity, err := boards.Identify(c.Root); err == nil {
		if m, ok := identity.Model(); ok && m.HeaderI2CBus != nil {
			return int(m.HeaderI2CBus.Value), nil
		}
	}
	there, _ := filepath.Glob("/dev/i2c-*") // the pattern is good
	if len(there) == 0 {
		there = []string{"none: is I2C switched on?"}
	}
	return 0, &usageError{fmt.Errorf("--probe-i2c: which bus is on this board's header is not known: give --i2c-bus N (there: %s)", strings.Join(there, ", "))}
}
