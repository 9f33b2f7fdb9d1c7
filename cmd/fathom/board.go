package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/fathom-edge/fathom/boards"
	"github.com/fathom-edge/fathom/boards/telemetry"
)

// boardCommand shows what was found out about the board.
type boardCommand struct {
	Root      string        `help:"Folder that holds sys and proc." default:"/" placeholder:"DIR"`
	JSON      bool          `help:"Print snapshots as JSON, one a line."`
	Watch     bool          `help:"Go on until interrupted."`
	Every     time.Duration `help:"Time between two snapshots." default:"1s"`
	FuelGauge string        `help:"Battery device on I2C or GPIO that no kernel driver serves, e.g. max17048." placeholder:"NAME"`
	I2CBus    string        `name:"i2c-bus" help:"Number of the gauge's bus, e.g. 1." placeholder:"N"`
}

// Run prints one snapshot, or with --watch one after the other.
func (c *boardCommand) Run(out *output) error {
	if c.Every < 100*time.Millisecond {
		return &usageError{fmt.Errorf("--every %s is too short (100ms at least)", c.Every)}
	}
	var options boards.Options
	if c.FuelGauge != "" {
		gauge, err := boards.BatteryConfig(c.FuelGauge, c.I2CBus)
		if err != nil {
			return err
		}
		options.Batteries = append(options.Batteries, gauge)
	}
	board, err := boards.New(c.Root, options)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	// The first snapshot is what shares of time are counted from.
	if _, err := readBoard(ctx, board, c.Every); err != nil {
		return nil
	}
	for {
		if !sleep(ctx, c.Every) {
			return nil
		}
		snapshot, err := readBoard(ctx, board, c.Every)
		if err != nil {
			return nil // interrupted: a snapshot in the middle of it says nothing
		}
		if err := c.write(out, snapshot); err != nil {
			return err
		}
		if !c.Watch {
			return nil
		}
	}
}

// readBoard gives the sensors one period, or a second where that is longer.
func readBoard(ctx context.Context, board *boards.Board, period time.Duration) (telemetry.Snapshot, error) {
	limited, cancel := context.WithTimeout(ctx, max(period, time.Second))
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

func (c *boardCommand) write(w io.Writer, s telemetry.Snapshot) error {
	if c.JSON {
		return json.NewEncoder(w).Encode(s)
	}
	return writeBoard(w, s)
}

// writeBoard prints a snapshot for people: values, zones, supplies, probes.
func writeBoard(w io.Writer, s telemetry.Snapshot) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%s, %s\n", s.Board, s.Time.Format(time.RFC3339))
	row := func(name, value string) { fmt.Fprintf(t, "  %s\t%s\n", name, value) }

	fmt.Fprintln(t, "\nheat")
	row("hottest", number(s.Heat.HottestCelsius, "%.1f °C"))
	row("limit", number(s.Heat.LimitCelsius, "%.1f °C"))
	for _, zone := range s.Heat.Zones {
		value := number(zone.TempCelsius, "%.1f °C")
		if !zone.Relevant {
			value += " (not taken into account)"
		}
		row("zone "+zone.Type, value)
	}

	fmt.Fprintln(t, "\npower")
	row("charge", number(s.Power.ChargePercent, "%.0f %%"))
	row("on battery", yesNo(s.Power.Discharging))
	row("draws", number(s.Power.Watts, "%.2f W"))
	for _, supply := range s.Power.Supplies {
		row("supply "+supply.Name, describeSupply(supply))
	}

	fmt.Fprintln(t, "\nthrottling")
	row("under-voltage", yesNo(s.Throttle.UnderVoltage))
	row("throttled", yesNo(s.Throttle.Throttled))
	row("requested clock", number(scaled(s.Throttle.ClockHertz, 1e-6), "%.0f MHz"))

	fmt.Fprintln(t, "\nload")
	row("processor", number(s.Load.CPUPercent, "%.1f %%"))
	row("own share", number(s.Load.OwnCPUPercent, "%.1f %%"))
	row("load average", number(s.Load.LoadAverage1, "%.2f"))
	row("memory", number(scaled(s.Load.MemoryTotalBytes, 1.0/(1<<20)), "%.0f MiB"))
	row("available", number(scaled(s.Load.MemoryAvailableBytes, 1.0/(1<<20)), "%.0f MiB"))

	fmt.Fprintln(t, "\nprobes")
	for _, probe := range s.Probes {
		value := string(probe.State)
		if probe.Reason != "" {
			value += ": " + probe.Reason
		}
		row(probe.Name, value)
	}
	fmt.Fprintln(t)
	return t.Flush()
}

// describeSupply names what is known of a supply.
func describeSupply(s telemetry.Supply) string {
	parts := []string{s.Type}
	if s.Type == "" {
		parts[0] = "type unknown"
	}
	if status, ok := s.Status.Get(); ok {
		parts = append(parts, strings.ToLower(status))
	}
	if online, ok := s.Online.Get(); ok {
		parts = append(parts, map[bool]string{true: "online", false: "offline"}[online])
	}
	if charge, ok := s.ChargePercent.Get(); ok {
		parts = append(parts, fmt.Sprintf("%.0f %%", charge))
	}
	if volts, ok := s.Volts.Get(); ok {
		parts = append(parts, fmt.Sprintf("%.2f V", volts))
	}
	if amps, ok := s.Amps.Get(); ok {
		parts = append(parts, fmt.Sprintf("%.2f A", amps))
	}
	if len(parts) == 1 {
		parts = append(parts, unknown(s.ChargePercent.Reason()))
	}
	return strings.Join(parts, ", ")
}

func unknown(reason string) string { return "unknown: " + reason }

func number(r telemetry.Reading[float64], format string) string {
	v, ok := r.Get()
	if !ok {
		return unknown(r.Reason())
	}
	return fmt.Sprintf(format, v)
}

func yesNo(r telemetry.Reading[bool]) string {
	v, ok := r.Get()
	if !ok {
		return unknown(r.Reason())
	}
	return map[bool]string{true: "yes", false: "no"}[v]
}

// scaled multiplies a reading.
func scaled[T float64 | uint64](r telemetry.Reading[T], factor float64) telemetry.Reading[float64] {
	v, ok := r.Get()
	if !ok {
		return telemetry.Unknown[float64](r.Reason())
	}
	return telemetry.Known(float64(v)*factor, r.At())
}
