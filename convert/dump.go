package convert

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/internal/atomicfile"
)

// dumper writes a graph after each pass: DIR/00-import.txt, DIR/01-….
type dumper struct {
	dir   string
	count int
}

func (d *dumper) step(name string, g *graph.Graph) error {
	if err := os.MkdirAll(d.dir, 0o777); err != nil {
		return fmt.Errorf("passes: %w", err)
	}
	file := filepath.Join(d.dir, fmt.Sprintf("%02d-%s.txt", d.count, name))
	d.count++
	if err := atomicfile.Write(file, []byte(graph.Describe(g))); err != nil {
		return fmt.Errorf("passes: %w", err)
	}
	return nil
}
