package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/fathom-edge/fathom/internal/results"
)

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
