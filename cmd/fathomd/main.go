// Command fathomd classifies camera frames at the depth that the board can
// afford, and shows what it does on a page.
//
// It exits with 0 after SIGTERM, SIGINT or the end of an image folder, with 1 on
// failure, and with 2 if it was called wrongly. Errors are one line on standard
// error, after the log.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	systemd "github.com/coreos/go-systemd/v22/daemon"

	"github.com/fathom-edge/fathom/daemon"
	"github.com/fathom-edge/fathom/internal/version"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/engine"
	"github.com/fathom-edge/fathom/runtime/probe"
)

const (
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	probe.Main() // does not return in a process that tries a bundle
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is main without the process around it.
func run(args []string, stdout, stderr io.Writer) int {
	return runWith(args, streams{os.Stdin, stdout, stderr})
}

func runWith(args []string, s streams) int {
	var c cli
	helped := false
	parser, err := kong.New(&c,
		kong.Name("fathomd"),
		kong.Description(description),
		kong.Vars{"version": version.String()},
		kong.Writers(s.out, s.err),
		kong.Exit(func(int) { helped = true }),
	)
	if err != nil {
		panic(err) // the struct tags are wrong
	}
	command, err := parser.Parse(args)
	if helped { // help was printed; what Parse made of the rest does not matter
		return 0
	}
	if err != nil {
		fmt.Fprintf(s.err, "fathomd: %v (fathomd --help lists the flags)\n", err)
		return exitUsage
	}
	err = command.Run(s)
	if code, ok := errors.AsType[exitCode](err); ok {
		return int(code)
	}
	if err != nil {
		fmt.Fprintf(s.err, "fathomd: %v\n", err)
		return exitFailure
	}
	return 0
}

// streams are those of the process.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// exitCode ends a command that has said itself what was wrong.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit status %d", int(c)) }

// Run runs the daemon until it is told to end.
func (f flags) Run(s streams) error {
	if f.Demo {
		end, err := f.startDemo()
		if err != nil {
			return err
		}
		defer end()
	}
	config, err := f.config()
	if err != nil {
		return err
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, func() { notify(systemd.SdNotifyStopping) })
	return daemon.Run(ctx, daemon.Options{
		Config: config,
		Open:   openEngine,
		Probe:  firstLoad(config.Threads), ProbeID: version.String() + " " + engine.LibraryVersion(),
		Watchdog: watchdog(),
		Log:      slog.New(slog.NewTextHandler(s.err, nil)),
		Version:  version.String(),
		Load:     f.config,
		Reload:   hup,
		Token:    f.token(),
		Ready: func(address string) {
			fmt.Fprintf(s.out, "fathomd: %s\n", address)
			if f.Demo {
				f.demo.tour(s.out, address, config)
			}
			notify(systemd.SdNotifyReady)
		},
	})
}

func openEngine(b *bundle.Bundle, threads int) (daemon.Engine, error) {
	e, err := engine.Open(b, engine.Options{Threads: threads})
	if err != nil {
		return nil, err
	}
	return e, nil
}
