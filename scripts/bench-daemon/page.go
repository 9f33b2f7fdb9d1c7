package main

import (
	"debug/elf"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"

	"github.com/fathom-edge/fathom/internal/results"
)

// page lets Chromium load the page.
func page() ([]results.Row, error) {
	cmd := exec.Command("scripts/page-test.sh")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("scripts/page-test.sh: %w", err)
	}
	var found struct {
		Bytes      float64  `json:"bytes"`
		Requests   float64  `json:"requests"`
		Outside    []string `json:"outside"`
		Rules      float64  `json:"axe_rules"`
		Violations []string `json:"axe_violations"`
		Told       float64  `json:"announcements_in_10s"`
	}
	if err := json.Unmarshal(out, &found); err != nil {
		return nil, fmt.Errorf("scripts/page-test.sh: %w", err)
	}
	one := func(id, what string, value float64, unit, op string, limit float64) results.Row {
		return results.One(id, what, value, unit, op, limit, "scripts/page-test.sh")
	}
	return []results.Row{
		one("page-bytes", "First load of the page until picture and charts are there, all answers with their headers", found.Bytes/1000, "kB", "<=", 150),
		one("page-requests", "Requests of that first load", found.Requests, "requests", "", 0),
		one("page-outside", "Requests of the page to anywhere but the daemon", float64(len(found.Outside)), "requests", "<=", 0),
		one("page-axe", "Violations that axe-core finds: desktop and phone, light and dark, signed in and not", float64(len(found.Violations)), "violations", "<=", 0),
		one("page-axe-rules", "Rules of axe-core that applied to the page", found.Rules, "rules", "", 0),
		one("page-told", "Announcements of the page to a screen reader in 10 s of a running demo", found.Told, "announcements", "<=", 3),
	}, nil
}

// size is that of the release, which has no symbols.
func size() ([]results.Row, error) {
	var rows []results.Row
	for _, arch := range []string{"amd64", "arm64"} {
		path := "dist/fathom_linux_" + arch + "/bin/fathomd"
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("%w (run make dist)", err)
		}
		f, err := elf.Open(path)
		if err != nil {
			return nil, err
		}
		symbols := f.Section(".symtab") != nil
		f.Close()
		if symbols {
			return nil, fmt.Errorf("%s has symbols: it is no release", path)
		}
		rows = append(rows, results.One("size-"+arch, "fathomd of the release for "+arch+", without the TensorFlow Lite library",
			float64(info.Size())/(1<<20), "MiB", "<=", 30, "make dist && go run ./scripts/bench-daemon size"))
	}
	return rows, nil
}
