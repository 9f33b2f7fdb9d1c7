package sysfs

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// LoadAverage1 returns the load average of the last minute. (gopsutil answers
// with the load of the running machine where the tree has none.)
func (f FS) LoadAverage1() (float64, error) {
	return readParsed(f, "proc", "loadavg", parseLoadAverage)
}

func parseLoadAverage(s string) (float64, error) {
	first, _, _ := strings.Cut(s, " ")
	v, err := strconv.ParseFloat(first, 64)
	if err != nil || v < 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0, fmt.Errorf("not a load average: %s", quote(s))
	}
	return v, nil
}
