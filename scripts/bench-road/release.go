package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/fathom-edge/fathom/internal/results"
)

// glibc is the newest glibc symbol version that each arm64 binary of the release needs.
func glibc() ([]results.Row, error) {
	version := regexp.MustCompile(`needs glibc 2\.(\d+)`)
	var rows []results.Row
	for _, file := range []string{"bin/fathom", "bin/fathomd", "lib/fathom/libtensorflowlite_c.so"} {
		line := "scripts/glibc-check.sh dist/fathom_linux_arm64/" + file + " 2.27"
		out, err := results.Run(line)
		if err != nil {
			return nil, err
		}
		m := version.FindStringSubmatch(out)
		if m == nil {
			return nil, fmt.Errorf("%s: cannot read %q", line, out)
		}
		minor, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return nil, err
		}
		rows = append(rows, results.One("glibc-"+file, "minor version of the newest glibc 2.x symbol that arm64 "+file+" needs", minor, "", "<=", 27, line))
	}
	return rows, nil
}

// labels counts the images on which amd64 and arm64 (under qemu) disagree.
func labels() ([]results.Row, error) {
	const line = "scripts/qemu-labels.sh"
	out, err := results.Run(line)
	if err != nil {
		return nil, err
	}
	agree := regexp.MustCompile(`^(.+): agree (\d+) of (\d+)$`)
	var rows []results.Row
	for text := range strings.Lines(out) {
		m := agree.FindStringSubmatch(strings.TrimSpace(text))
		if m == nil {
			return nil, fmt.Errorf("%s: cannot read %q", line, text)
		}
		same, _ := strconv.Atoi(m[2])
		all, _ := strconv.Atoi(m[3])
		if all < 200 {
			return nil, fmt.Errorf("%s: only %d images", line, all)
		}
		rows = append(rows, results.One("labels-"+strings.ReplaceAll(m[1], " ", "-"), fmt.Sprintf("images of %d on which arm64 under qemu and amd64 differ, %s", all, m[1]), float64(all-same), "", "<=", 0, line))
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s printed nothing", line)
	}
	return rows, nil
}
