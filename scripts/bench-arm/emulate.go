package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/fathom-edge/fathom/internal/results"
)

// emulated is what the emulated board went through when make emulate last went well.
func emulated() ([]results.Row, error) {
	const (
		line = "scripts/emulate.sh"
		file = ".cache/emulate/result.json"
	)
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%w (run make emulate)", err)
	}
	var run struct {
		Kernel string `json:"kernel"`
		Checks []struct {
			Check     string `json:"check"`
			Interface string `json:"interface"`
			Fault     bool   `json:"fault"`
			Failure   string `json:"failure"`
		} `json:"checks"`
		FirstSeconds    []float64 `json:"first_seconds"`
		FirstCPUSeconds []float64 `json:"first_cpu_seconds"`
		Cuts            int       `json:"cuts"`
		Seconds         float64   `json:"seconds"`
		CPUSeconds      float64   `json:"cpu_seconds"`
	}
	if err := json.Unmarshal(data, &run); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(run.FirstSeconds) == 0 {
		return nil, fmt.Errorf("%s: no boot was timed", file)
	}
	interfaces, faults := map[string]bool{}, map[string]bool{}
	for _, c := range run.Checks {
		if c.Failure != "" {
			continue
		}
		if c.Interface != "" {
			interfaces[c.Interface] = true
		}
		if c.Fault {
			faults[c.Check] = true
		}
	}
	row := func(id, what string, value float64, unit string) results.Row {
		return results.One("emulated-"+id, what+", emulated board, Linux "+run.Kernel, value, unit, "", 0, line)
	}
	spread := func(id, what string, samples []float64) results.Row {
		r := row(id, what, results.Median(samples), "s")
		r.Samples = samples
		return r
	}
	cuts := row("power-cuts", "power cuts after which every file was whole", float64(run.Cuts), "")
	cuts.Op, cuts.Limit = ">=", 10
	seconds := row("seconds", "make emulate, cached", run.Seconds, "s")
	seconds.Op, seconds.Limit = "<=", 120
	return []results.Row{
		spread("first-classification", "start of the kernel to the first classified frame", run.FirstSeconds),
		spread("first-classification-cpu", "processor time of the emulator until then", run.FirstCPUSeconds),
		row("checks", "checks that went well", float64(len(run.Checks)), ""),
		row("interfaces", "interfaces that did their real work: "+strings.Join(slices.Sorted(maps.Keys(interfaces)), ", "), float64(len(interfaces)), ""),
		row("faults", "kinds of faults that the daemon survived", float64(len(faults)), ""),
		cuts,
		seconds,
		row("cpu-seconds", "processor time of the emulators", run.CPUSeconds, "s"),
	}, nil
}
