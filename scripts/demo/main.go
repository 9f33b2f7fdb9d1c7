// Command demo runs fathomd --demo with somebody to talk to: an MQTT broker and a
// receiver of webhooks, both in this process and on loopback only. It prints the
// events that they get.
//
//	go run ./scripts/demo            until interrupted
//	go run ./scripts/demo -check     until everything that the demo shows was seen once, for two minutes at most
//
// Run it from the repository's root, after make build. FATHOMD names another
// program than bin/fathomd; further arguments go to it.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

const patience = 2 * time.Minute

func main() {
	check := flag.Bool("check", false, "end when everything was seen; fail after two minutes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *check, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, check bool, args []string) error {
	seen := newSightings(os.Stdout)
	broker, err := startBroker(seen)
	if err != nil {
		return err
	}
	defer broker.Close()
	hooks, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer hooks.Close()
	go receive(hooks, seen)

	daemon := exec.CommandContext(ctx, cmp.Or(os.Getenv("FATHOMD"), "bin/fathomd"), append([]string{"--demo"}, args...)...)
	daemon.Cancel = func() error { return daemon.Process.Signal(syscall.SIGTERM) }
	daemon.WaitDelay = 20 * time.Second
	daemon.Stderr = os.Stderr
	daemon.Env = append(os.Environ(), "FATHOM_MQTT_BROKER=mqtt://"+broker.address, "FATHOM_MQTT_CONTROLS=true", "FATHOM_MQTT_ID=demo",
		"FATHOM_WEBHOOK_URL=http://"+hooks.Addr().String()+"/")
	stdout, err := daemon.StdoutPipe()
	if err != nil {
		return err
	}
	if err := daemon.Start(); err != nil {
		return fmt.Errorf("%w (run make build)", err)
	}
	said := newTour(io.TeeReader(stdout, os.Stdout))
	if check {
		err = errors.Join(lookAtAll(ctx, seen, said), daemon.Process.Signal(syscall.SIGTERM))
	}
	said.wait()
	if waitErr := daemon.Wait(); ctx.Err() == nil {
		err = errors.Join(err, waitErr)
	}
	return err
}
