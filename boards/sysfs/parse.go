package sysfs

import (
	"fmt"
	"strconv"
	"strings"
)

// A temperature outside of these bounds is the sensor's way to say that it has
// none: -256 and -127.5 °C are seen on switched-off units, 0xffff and the like
// on broken buses.
const (
	minCelsius = -40
	maxCelsius = 150
)

// parseCelsius parses a temperature in thousandths of a degree Celsius.
func parseCelsius(s string) (float64, error) {
	milli, err := parseInt(s)
	if err != nil {
		return 0, err
	}
	c := float64(milli) / 1000
	if c < minCelsius || c > maxCelsius {
		return 0, fmt.Errorf("implausible temperature %g °C (outside %d to %d: sensor faulty or its unit off)",
			c, minCelsius, maxCelsius)
	}
	return c, nil
}

// parseLimit parses a trip point: a temperature that is above freezing. Drivers
// write 0 or -274000 where none is set.
func parseLimit(s string) (float64, error) {
	c, err := parseCelsius(s)
	if err != nil {
		return 0, err
	}
	if c <= 0 {
		return 0, fmt.Errorf("%g °C is not a limit (none set)", c)
	}
	return c, nil
}

// parseScaled returns a parser of a whole number that is divided by the given
// divisor and must lie in [lower, upper] after that.
func parseScaled(divisor, lower, upper float64, unit string) func(string) (float64, error) {
	return func(s string) (float64, error) {
		n, err := parseInt(s)
		if err != nil {
			return 0, err
		}
		v := float64(n) / divisor
		if v < lower || v > upper {
			return 0, fmt.Errorf("implausible value %g %s (outside %g to %g)", v, unit, lower, upper)
		}
		return v, nil
	}
}

// parseBool parses 0 or 1. Drivers that report degrees of "online" use 2.
func parseBool(s string) (bool, error) {
	switch s {
	case "0":
		return false, nil
	case "1", "2":
		return true, nil
	}
	return false, fmt.Errorf("neither 0 nor 1: %s", quote(s))
}

func parseWord(s string) (string, error) {
	if s == "" {
		return "", fmt.Errorf("empty")
	}
	return s, nil
}

func parseInt(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("not a whole number: %s", quote(s))
	}
	return n, nil
}

// quote shows the beginning of garbage on one line.
func quote(s string) string {
	const most = 32
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "?") + "…"
	}
	return strconv.Quote(s)
}
