package sysfs

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// LoadAverages returns the load averages of the last 1, 5 and 15 minutes.
// (gopsutil answers with those of the running machine where the tree has none.)
func (f FS) LoadAverages() ([3]float64, error) {
	return readParsed(f, "proc", "loadavg", parseLoadAverages)
}

func parseLoadAverages(s string) ([3]float64, error) {
	var averages [3]float64
	fields := strings.Fields(s)
	if len(fields) < len(averages) {
		return [3]float64{}, fmt.Errorf("not load averages: %s", quote(s))
	}
	for i := range averages {
		v, err := strconv.ParseFloat(fields[i], 64)
		if err != nil || v < 0 || math.IsInf(v, 0) || math.IsNaN(v) {
			return [3]float64{}, fmt.Errorf("not a load average: %s", quote(fields[i]))
		}
		averages[i] = v
	}
	return averages, nil
}
