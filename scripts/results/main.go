// Command results renders docs/results: every NAME.json to NAME.md with plots.
package main

import (
	"fmt"
	"os"

	"github.com/fathom-edge/fathom/internal/results"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: results DIR (for example: go run ./scripts/results docs/results)")
		os.Exit(2)
	}
	failing, err := results.Render(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("rendered %s; rows that do not hold: %d\n", os.Args[1], failing)
}
