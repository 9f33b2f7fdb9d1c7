// Command fathom is the tool on a workstation or board: it turns families into
// bundles and says what is in them. Each command has a file of its own.
//
// It exits with 0, with 1 on failure, and with 2 if it was called wrongly; where
// a command has more codes, its help lists them.
// Errors are one line on standard error.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"

	"github.com/fathom-edge/fathom/internal/version"
	"github.com/fathom-edge/fathom/runtime/probe"
)

// commands lists the subcommands.
type commands struct {
	Version kong.VersionFlag `help:"Print the version and exit."`

	Convert  convertCommand  `cmd:"" help:"Convert a family of ONNX models to a bundle."`
	Inspect  inspectCommand  `cmd:"" help:"Show the ladder of a bundle and what its variants share."`
	Eval     evalCommand     `cmd:"" help:"Measure the accuracy of every variant with TFLite."`
	Bench    benchCommand    `cmd:"" help:"Measure latency, memory and power of a bundle on this board."`
	Board    boardCommand    `cmd:"" help:"Show what was found out about this board: heat, charge, throttling, load."`
	Simulate simulateCommand `cmd:"" help:"Compare policies on simulated boards against the optimum."`
	Verify   verifyCommand   `cmd:"" help:"Check a bundle from elsewhere: hashes, signature, and a first run that may crash."`
	Sign     signCommand     `cmd:"" help:"Sign a bundle, or make a key to sign with."`
	Explain  explainCommand  `cmd:"" help:"Say why fathomd switched, from its decision log."`
	Deploy   deployCommand   `cmd:"" help:"Install a package and a bundle on a board over ssh; roll back if fathomd is not well."`

	BenchChild benchChildCommand `cmd:"" hidden:"" help:"A process of fathom bench."`
}

// output is where a command writes its results.
type output struct {
	io.Writer
}

const (
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	probe.Main() // does not return in a process that fathom verify started
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is main without the process around it.
func run(args []string, stdout, stderr io.Writer) int {
	helped := false
	parser, err := kong.New(&commands{},
		kong.Name("fathom"),
		kong.Description("Converts, inspects and measures networks that run at many depths."),
		kong.Vars{"version": version.String()},
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { helped = true }),
		kong.Bind(&output{stdout}),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		panic(err) // the struct tags above are wrong
	}
	ctx, err := parser.Parse(args)
	if helped { // help was printed; what Parse made of the rest does not matter
		return 0
	}
	if err != nil {
		fmt.Fprintf(stderr, "fathom: %v (see fathom --help)\n", err)
		return exitUsage
	}
	err = ctx.Run()
	var usage *usageError
	var coded *exitError
	switch {
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "fathom: %v\n", err)
		return exitUsage
	case errors.As(err, &coded):
		fmt.Fprintf(stderr, "fathom: %v\n", err)
		return coded.code
	case err != nil:
		fmt.Fprintf(stderr, "fathom: %v\n", err)
		return exitFailure
	}
	return 0
}

// usageError is an error of the caller that the parser cannot see.
type usageError struct{ error }

// exitError is a failure with an exit code of its own.
type exitError struct {
	error
	code int
}
