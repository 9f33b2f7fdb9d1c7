package main

import (
	"context"
	"fmt"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"

	"github.com/fathom-edge/fathom/daemon"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/probe"
)

// notify tells systemd, if it started us; nobody else is waiting for it.
func notify(state string) { _, _ = systemd.SdNotify(false, state) }

// watchdog is systemd's, where the unit has WatchdogSec; nil elsewhere.
func watchdog() *daemon.Watchdog {
	after, err := systemd.SdWatchdogEnabled(false)
	if err != nil || after <= 0 {
		return nil
	}
	return &daemon.Watchdog{Every: max(after/3, time.Millisecond), Feed: func() { notify(systemd.SdNotifyWatchdog) }}
}

// firstLoad tries a bundle in a child process with the threads that it will run with.
func firstLoad(threads int) func(context.Context, *bundle.Bundle) error {
	return func(ctx context.Context, b *bundle.Bundle) error {
		limits := probe.DefaultLimits()
		limits.Threads = threads
		// Systemd waits for the start no longer than it was told to.
		notify(fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", (2 * limits.Time).Microseconds()))
		r, err := probe.Run(ctx, b, limits)
		if err != nil {
			return err
		}
		return r.Err()
	}
}
