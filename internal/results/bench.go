package results

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Part is a piece of a benchmark that can be measured by itself. Rows without a command are the benchmark's own.
type Part struct {
	Name    string
	Measure func() ([]Row, error)
	// Owns are prefixes of IDs. Of the rows that have one, those that the part has not measured again go: they belong to
	// cases that are no longer.
	Owns []string
}

// Bench measures the parts that args name, all if there are none, in order, and merges the rows of each into file as soon
// as it is done. Its result is the exit code: 2 for a part that there is not, 1 for a failure, which is told on stderr.
func Bench(program, file string, parts []Part, args []string, stderr io.Writer) int {
	var names []string
	for _, p := range parts {
		names = append(names, p.Name)
	}
	for _, a := range args {
		if !slices.Contains(names, a) {
			fmt.Fprintf(stderr, "%s: no part %q: there are %s\n", program, a, strings.Join(names, ", "))
			return 2
		}
	}
	machine := Machine()
	for _, p := range parts {
		if len(args) > 0 && !slices.Contains(args, p.Name) {
			continue
		}
		fmt.Fprintf(stderr, "%s: %s\n", program, p.Name)
		rows, err := p.Measure()
		if err == nil {
			for i := range rows {
				rows[i].Machine = machine
				if rows[i].Command == "" {
					rows[i].Command = fmt.Sprintf("go run ./scripts/%s %s", program, p.Name)
				}
			}
			err = p.merge(file, rows)
		}
		if err != nil {
			fmt.Fprintf(stderr, "%s: %s: %v\n", program, p.Name, err)
			return 1
		}
	}
	return 0
}

func (p Part) merge(file string, rows []Row) error {
	if err := Merge(file, rows); err != nil {
		return err
	}
	return Remove(file, func(r Row) bool {
		return slices.ContainsFunc(p.Owns, func(prefix string) bool { return strings.HasPrefix(r.ID, prefix) }) &&
			!slices.ContainsFunc(rows, func(n Row) bool { return n.ID == r.ID })
	})
}

// Run executes a command line as it stands in a row, and returns its standard output, what came before a failure too.
func Run(line string) (string, error) {
	words := strings.Fields(line)
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("%s: %w", line, err)
	}
	return string(out), nil
}

// One is a row with a single sample.
func One(id, what string, value float64, unit, op string, limit float64, command string) Row {
	return Row{ID: id, What: what, Value: value, Unit: unit, Op: op, Limit: limit, Samples: []float64{value}, Command: command}
}
