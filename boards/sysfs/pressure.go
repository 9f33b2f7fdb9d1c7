package sysfs

import (
	"fmt"
	"strconv"
	"strings"
)

// Pressure returns the share of the last ten seconds in which some task waited
// for a resource ("cpu", "memory" or "io"), in per cent. Kernels without
// CONFIG_PSI (JetPack 4, Raspberry Pi OS unless psi=1 is on its command line)
// have no such file, or answer EOPNOTSUPP.
func (f FS) Pressure(resource string) (float64, error) {
	return readParsed(f, "proc/pressure", resource, parsePressure)
}

// parsePressure takes avg10 of the "some" line, after Documentation/accounting/psi.rst:
//
//	some avg10=0.12 avg60=0.05 avg300=0.01 total=12345
//	full avg10=0.00 avg60=0.00 avg300=0.00 total=0
func parsePressure(s string) (float64, error) {
	for line := range strings.Lines(s) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "some" {
			continue
		}
		for _, field := range fields[1:] {
			text, ok := strings.CutPrefix(field, "avg10=")
			if !ok {
				continue
			}
			v, err := strconv.ParseFloat(text, 64)
			if err != nil || !(v >= 0 && v <= 100) {
				return 0, fmt.Errorf("not a share of time: %s", quote(field))
			}
			return v, nil
		}
	}
	return 0, fmt.Errorf("no avg10 of \"some\": %s", quote(s))
}
