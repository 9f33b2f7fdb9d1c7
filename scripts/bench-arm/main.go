// Command bench-arm states what the release weighs and needs, in
// docs/results/arm.json. Run make dist and make emulate first; as root for all parts.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/fathom-edge/fathom/internal/results"
)

func main() {
	os.Exit(results.Bench("bench-arm", "docs/results/arm.json", []results.Part{
		{Name: "sizes", Measure: sizes, Owns: []string{"size-mib/"}},
		{Name: "glibc", Measure: glibc},
		{Name: "twice", Measure: twice, Owns: []string{"twice/"}},
		{Name: "install", Measure: install},
		{Name: "unit", Measure: unit},
		{Name: "lintian", Measure: lintian},
		{Name: "emulate", Measure: emulated, Owns: []string{"emulated-"}},
		{Name: "logits", Measure: logits, Owns: []string{"logits/"}},
		{Name: "tests", Measure: tests},
		{Name: "arm32", Measure: arm32},
	}, os.Args[1:], os.Stderr))
}

// sizes of programs and packages, in MiB.
func sizes() ([]results.Row, error) {
	var rows []results.Row
	for _, pattern := range []string{"dist/fathom_linux_*/bin/*", "dist/static/*", "dist/packages/*.deb", "dist/packages/*_linux_*.tar.gz"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			return nil, fmt.Errorf("%s: nothing there (run make dist)", pattern)
		}
		for _, f := range files {
			info, err := os.Stat(f)
			if err != nil {
				return nil, err
			}
			name := unversioned(strings.TrimPrefix(f, "dist/"))
			op, limit := "", 0.0
			if strings.HasSuffix(name, "/bin/fathomd") {
				op, limit = "<=", 30
			}
			rows = append(rows, results.One("size-mib/"+name, "size of "+name, float64(info.Size())/(1<<20), "MiB", op, limit, ""))
		}
	}
	return rows, nil
}

var version = regexp.MustCompile(`_\d[^_]*`)

// unversioned drops the version, which is not part of what is compared from release to release.
func unversioned(file string) string { return version.ReplaceAllString(file, "") }

// glibc is the newest glibc symbol version that each file of the release needs.
func glibc() ([]results.Row, error) {
	needs := regexp.MustCompile(`needs glibc 2\.(\d+)`)
	var rows []results.Row
	for _, arch := range []string{"arm64", "amd64"} {
		for _, file := range []string{"bin/fathom", "bin/fathomd", "lib/fathom/libtensorflowlite_c.so"} {
			name := "fathom_linux_" + arch + "/" + file
			line := "scripts/glibc-check.sh dist/" + name + " 2.99"
			out, err := results.Run(line)
			if err != nil {
				return nil, err
			}
			m := needs.FindStringSubmatch(out)
			if m == nil {
				return nil, fmt.Errorf("%s: cannot read %q", line, out)
			}
			minor, err := strconv.ParseFloat(m[1], 64)
			if err != nil {
				return nil, err
			}
			rows = append(rows, results.One("glibc/"+name, "minor version of the newest glibc 2.x symbol that "+name+" needs", minor, "", "<=", 27, line))
		}
	}
	return rows, nil
}

// twice counts the files that two builds of one commit have in common.
func twice() ([]results.Row, error) {
	const line = "scripts/dist-twice.sh"
	out, err := results.Run(line)
	if err != nil {
		return nil, err
	}
	var rows []results.Row
	hash := regexp.MustCompile(`^([0-9a-f]{64})  \./(.*)$`)
	for text := range strings.Lines(out) {
		if m := hash.FindStringSubmatch(strings.TrimSpace(text)); m != nil {
			rows = append(rows, results.One("twice/"+unversioned(m[2]), "builds of two that gave "+unversioned(m[2])+" the SHA-256 "+m[1], 2, "", ">=", 2, line))
		}
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s: cannot read %q", line, out)
	}
	return rows, nil
}

// install counts the steps of dpkg that went well.
func install() ([]results.Row, error) {
	debs, err := filepath.Glob("dist/packages/*_amd64.deb")
	if err != nil || len(debs) != 1 {
		return nil, fmt.Errorf("dist/packages holds %d packages for amd64 (run make dist)", len(debs))
	}
	out, err := results.Run("scripts/deb-test.sh " + debs[0])
	if err != nil {
		return nil, err
	}
	steps := float64(strings.Count(out, "deb-test: "))
	return []results.Row{results.One("install", "steps of installing, upgrading, removing and purging the amd64 package that went well", steps, "", ">=", 18, "scripts/deb-test.sh dist/packages/fathom_*_amd64.deb")}, nil
}

// unit is what systemd-analyze makes of the unit.
func unit() ([]results.Row, error) {
	const line = "systemd-analyze security --offline=true --no-pager deploy/fathomd.service"
	out, err := results.Run(line)
	if err != nil {
		return nil, err
	}
	m := regexp.MustCompile(`Overall exposure level for fathomd.service: ([0-9.]+)`).FindStringSubmatch(out)
	if m == nil {
		return nil, fmt.Errorf("%s: cannot read %q", line, out)
	}
	level, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return nil, err
	}
	return []results.Row{results.One("unit-exposure", "exposure level of deploy/fathomd.service", level, "", "<=", 3, line)}, nil
}

// lintian counts the tags that no override explains, and those that one does.
func lintian() ([]results.Row, error) {
	const line = "scripts/lintian.sh"
	out, failed := results.Run(line)
	counts := regexp.MustCompile(`^\S+_(\w+)\.deb: (\d+) not explained, (\d+) explained$`)
	var rows []results.Row
	for text := range strings.Lines(out) {
		m := counts.FindStringSubmatch(strings.TrimSpace(text))
		if m == nil {
			return nil, fmt.Errorf("%s: cannot read %q", line, text)
		}
		open, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return nil, err
		}
		explained, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			return nil, err
		}
		rows = append(rows,
			results.One("lintian-"+m[1], "errors and warnings of lintian on the "+m[1]+" package without an explanation", open, "", "<=", 0, line),
			results.One("lintian-explained-"+m[1], "tags of lintian on the "+m[1]+" package that deploy/fathom.lintian-overrides explains", explained, "", "", 0, line))
	}
	if len(rows) != 4 {
		return nil, fmt.Errorf("%s: not two packages (run make dist): %w", line, failed)
	}
	return rows, nil
}
