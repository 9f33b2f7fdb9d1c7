package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/goccy/go-yaml"
	"golang.org/x/term"

	"github.com/fathom-edge/fathom/boards"
	"github.com/fathom-edge/fathom/boards/battery"
	"github.com/fathom-edge/fathom/boards/telemetry"
)

// boardCommand shows what was found out about the board.
type boardCommand struct {
	Root     string        `help:"Folder that holds sys and proc." default:"/" placeholder:"DIR"`
	JSON     bool          `help:"Print snapshots (or what --probe-i2c finds) as JSON, one a line."`
	Watch    bool          `help:"Go on until interrupted."`
	Every    time.Duration `help:"Time between two snapshots." default:"1s"`
	For      time.Duration `help:"End --watch or --record after this time." placeholder:"TIME"`
	Record   string        `help:"Write what is read to a new file, for a replay or a bug report, until interrupted." placeholder:"FILE"`
	Battery  []string      `sep:"none" help:"Battery device that no kernel driver serves, with its settings as in fathomd.yaml, e.g. '{device: max17048, bus: 1}'; may be given more than once." placeholder:"YAML"`
	I2CBus   string        `name:"i2c-bus" help:"Number of the bus that --probe-i2c looks at, instead of the header's." placeholder:"N"`
	ProbeI2C bool          `name:"probe-i2c" help:"Suggest battery devices on the bus, and do nothing else. Addresses of kernel drivers are left alone."`
}

// Help implements kong's HelpProvider.
func (boardCommand) Help() string {
	return `Shows the board, its heat, charge, throttling and load, and what became of every
sensor. Lines with a * are what the governor decides by.

  fathom board --watch
  fathom board --probe-i2c --i2c-bus 1
  fathom board --battery '{device: ina219, bus: 1, shunt_ohms: 0.1, cells: 2}'
  fathom board --record noon.jsonl --for 10m

A recording holds no serial numbers, hardware addresses or host names.`
}

// Run prints one snapshot, or with --watch one after the other.
func (c *boardCommand) Run(out *output) error {
	if c.Every < 100*time.Millisecond {
		return &usageError{fmt.Errorf("--every %s is too short (100ms at least)", c.Every)}
	}
	if c.For < 0 || c.For > 0 && !c.Watch && c.Record == "" {
		return &usageError{errors.New("--for ends --watch or --record: give one of them, and a positive time")}
	}
	if c.ProbeI2C {
		return c.probe(out, battery.LinuxHost())
	}
	var options boards.Options
	if c.I2CBus != "" {
		return &usageError{errors.New("--i2c-bus belongs to --probe-i2c: name a device's bus in --battery")}
	}
	for _, text := range c.Battery {
		device, err := parseBattery(text)
		if err != nil {
			return &usageError{err}
		}
		options.Batteries = append(options.Batteries, device)
	}
	board, err := boards.New(c.Root, options)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if c.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.For)
		defer cancel()
	}
	if c.Record != "" {
		return c.record(ctx, out, board)
	}
	// The first snapshot is what shares of time are counted from.
	if _, err := c.read(ctx, board); err != nil {
		return nil
	}
	return c.loop(ctx, board, func(s telemetry.Snapshot) error { return c.write(out, s) })
}

// parseBattery reads and checks a device's settings.
func parseBattery(text string) (battery.Config, error) {
	var device battery.Config
	err := yaml.UnmarshalWithOptions([]byte(text), &device, yaml.Strict())
	if err == nil {
		err = device.Validate()
	}
	if err != nil {
		// The library's own messages have lines and a drawing, which an argument does not need.
		first, _, _ := strings.Cut(err.Error(), "\n")
		return battery.Config{}, fmt.Errorf("--battery %q: %s", text, first)
	}
	return device, nil
}

// loop hands on snapshots until the context ends; without --watch and --record only one.
func (c *boardCommand) loop(ctx context.Context, board *boards.Board, each func(telemetry.Snapshot) error) error {
	for {
		if !sleep(ctx, c.Every) {
			return nil
		}
		snapshot, err := c.read(ctx, board)
		if err != nil {
			return nil // interrupted: a snapshot in the middle of it says nothing
		}
		if err := each(snapshot); err != nil {
			return err
		}
		if !c.Watch && c.Record == "" {
			return nil
		}
	}
}

// record writes a recording until the context ends.
func (c *boardCommand) record(ctx context.Context, out *output, board *boards.Board) (err error) {
	file, err := os.OpenFile(c.Record, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("--record: %w", err) // an older recording is not overwritten
	}
	snapshots := 0
	defer func() {
		err = errors.Join(err, file.Sync(), file.Close())
		if err == nil {
			_, err = fmt.Fprintf(out, "%d snapshots in %s\n", snapshots, c.Record)
		}
	}()
	recorder, err := boards.NewRecorder(file, board, c.Every)
	if err != nil {
		return err
	}
	if _, err := c.read(ctx, board); err != nil {
		return nil
	}
	return c.loop(ctx, board, func(s telemetry.Snapshot) error {
		limited, cancel := context.WithTimeout(ctx, c.Every)
		defer cancel()
		if err := recorder.Record(limited, s); err != nil {
			return err
		}
		snapshots++
		if c.Watch {
			return c.write(out, s)
		}
		return nil
	})
}

// read gives the sensors one period, or a second where that is longer.
func (c *boardCommand) read(ctx context.Context, board *boards.Board) (telemetry.Snapshot, error) {
	limited, cancel := context.WithTimeout(ctx, max(c.Every, time.Second))
	defer cancel()
	snapshot := board.Read(limited)
	return snapshot, ctx.Err()
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// write prints a snapshot; on a terminal, each in the place of the last.
func (c *boardCommand) write(out *output, s telemetry.Snapshot) error {
	if c.JSON {
		return json.NewEncoder(out).Encode(s)
	}
	if c.Watch && isTerminal(out) {
		const homeAndClear = "\x1b[H\x1b[2J"
		if _, err := io.WriteString(out, homeAndClear); err != nil {
			return err
		}
	}
	return writeBoard(out, s)
}

func isTerminal(out *output) bool {
	file, ok := out.Writer.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
