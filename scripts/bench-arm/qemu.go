package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/fathom-edge/fathom/internal/results"
)

// logits compares what both architectures make of the same images, for every committed bundle.
func logits() ([]results.Row, error) {
	const line = "scripts/qemu-logits.sh"
	out, failed := results.Run(line)
	compared := regexp.MustCompile(`^(\S+) (\S+): same (\d+) of (\d+), apart (\S+)$`)
	var rows []results.Row
	for text := range strings.Lines(out) {
		m := compared.FindStringSubmatch(strings.TrimSpace(text))
		if m == nil {
			return nil, fmt.Errorf("%s: cannot read %q", line, text)
		}
		same, err := strconv.Atoi(m[3])
		if err != nil {
			return nil, err
		}
		all, err := strconv.Atoi(m[4])
		if err != nil {
			return nil, err
		}
		apart, err := strconv.ParseFloat(m[5], 64)
		if err != nil {
			return nil, err
		}
		id, which := "logits/"+m[1]+"-"+m[2], "bundle "+m[1]+", variant "+m[2]
		if strings.HasSuffix(m[1], "-int8") {
			rows = append(rows, results.One(id, fmt.Sprintf("images of %d whose logits are not the same bits on arm64 (qemu) and amd64, %s", all, which), float64(all-same), "", "<=", 0, line))
		} else {
			rows = append(rows, results.One(id, fmt.Sprintf("largest difference of a logit on arm64 (qemu) and amd64, over the range of the logits, %d images, %s", all, which), apart, "", "<=", 1e-6, line))
		}
	}
	if len(rows) == 0 {
		return nil, failed
	}
	return rows, nil
}

// tests counts the packages whose short tests fail as arm64 programs.
func tests() ([]results.Row, error) {
	const line = "scripts/arm64-test.sh"
	out, failed := results.Run(line)
	passed, broken := 0, 0
	for text := range strings.Lines(out) {
		switch {
		case strings.HasPrefix(text, "ok "):
			passed++
		case strings.HasPrefix(text, "FAIL\t"):
			broken++
		}
	}
	if passed == 0 {
		return nil, fmt.Errorf("%s: no package passes: %w", line, failed)
	}
	return []results.Row{results.One("tests", fmt.Sprintf("packages of %d whose short tests fail as arm64 programs under qemu", passed+broken), float64(broken), "", "<=", 0, line)}, nil
}

// arm32 counts what can be tried without a TensorFlow Lite library for 32-bit ARM.
func arm32() ([]results.Row, error) {
	const line = "scripts/arm32.sh"
	out, err := results.Run(line)
	if err != nil {
		return nil, err
	}
	var rows []results.Row
	for _, tried := range []struct{ id, what string }{
		{"same bytes", "ARMv7 converts the demo family to the committed bytes, under qemu (1: it does)"},
		{"linked", "fathom and fathomd with inference compile and link for ARMv7 against the names of a library (1: they do; never run)"},
	} {
		found := 0.0
		if strings.Contains(out, "arm32: "+tried.id+": ") {
			found = 1
		}
		rows = append(rows, results.One("arm32/"+strings.ReplaceAll(tried.id, " ", "-"), tried.what, found, "", ">=", 1, line))
	}
	return rows, nil
}
