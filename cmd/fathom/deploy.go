package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/fathom-edge/fathom/internal/deploy"
	"github.com/fathom-edge/fathom/runtime/bundle"
)

type deployCommand struct {
	Host      string        `arg:"" name:"user@host" help:"The board, as ssh takes it: a name, an address, or an alias of ~/.ssh/config."`
	Package   string        `type:"existingfile" placeholder:"FILE" help:"Package to install; the one in dist/packages for the board's architecture by default, if there is one."`
	Bundle    string        `placeholder:"DIR" help:"Bundle to install; the board's own stays by default."`
	Bench     float64       `default:"10" placeholder:"SECONDS" help:"How long fathom bench measures a new bundle on the board (${default}); 0 for not at all."`
	Health    time.Duration `default:"1m" help:"How long fathomd has to be well, before everything is rolled back (${default})."`
	Follow    bool          `short:"f" help:"Then show the daemon's log until interrupted."`
	DryRun    bool          `help:"Ask the board what it is, print every command, and run none of them."`
	Yes       bool          `short:"y" help:"Do not ask."`
	SSHOption []string      `name:"ssh-option" short:"o" sep:"none" placeholder:"NAME=VALUE" help:"Option for ssh, as in ssh_config, e.g. Port=2222; may be given several times."`
	JSON      bool          `name:"json" help:"Print what became of it as JSON; what the board says goes to standard error."`

	at deploy.Paths
}

// Help implements kong's HelpProvider.
func (deployCommand) Help() string {
	return `Copies a package and a bundle to a board over ssh, tries both there, installs them,
measures the bundle once, starts fathomd, and brings back what was there before if
fathomd is not well within a minute. It asks before it acts.

  fathom deploy pi@birdbox.local
  fathom deploy pi@birdbox.local --bundle birds.bundle --follow
  fathom deploy pi@birdbox.local --bundle birds.bundle --dry-run

Exit status: 0 deployed, 1 failed and nothing was changed, 2 called wrongly, 3 rolled back,
4 the connection was lost while the board was installing, or fathomd is not well even
after rolling back.`
}

const (
	exitRolledBack = 3
	exitUnsettled  = 4
	packages       = "dist/packages"
	steady         = 10 * time.Second
)

// deployment is what deploy prints.
type deployment struct {
	Host    string         `json:"host"`
	Board   deploy.Board   `json:"board"`
	Outcome deploy.Outcome `json:"outcome"`
	// Package and Bundle are what was to be installed; empty for what stays.
	Package string `json:"package,omitempty"`
	Version string `json:"version,omitempty"`
	Bundle  string `json:"bundle,omitempty"`
	Digest  string `json:"digest,omitempty"`
	Error   string `json:"error,omitempty"`
}

// Run deploys.
func (c *deployCommand) Run(out *output) error {
	if c.Bench < 0 || c.Bench > 3600 {
		return &usageError{fmt.Errorf("--bench %g: want 0 to 3600 seconds", c.Bench)}
	}
	if c.Health < 2*steady || c.Health > time.Hour {
		return &usageError{fmt.Errorf("--health %v: want %v to an hour", c.Health, 2*steady)}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ssh, err := deploy.NewSSH(c.Host, c.SSHOption, os.Stderr)
	if err != nil {
		return &usageError{fmt.Errorf("deploy: %w", err)}
	}
	defer ssh.Close()
	d := deployment{Host: c.Host, Outcome: deploy.Unchanged}
	board, err := c.deploy(ctx, ssh, &d, out)
	if c.JSON && !c.DryRun {
		if err != nil {
			d.Error = err.Error()
		}
		if err := writeJSON(out, d); err != nil {
			return err
		}
	}
	switch {
	case d.Outcome == deploy.RolledBack:
		return &exitError{err, exitRolledBack}
	case d.Outcome == deploy.Broken || d.Outcome == deploy.Unknown:
		return &exitError{err, exitUnsettled}
	case err != nil || !c.Follow || c.DryRun:
		return err
	}
	return deploy.Follow(ctx, ssh, board.Board, board.password, c.progress(out))
}

// reached is a board and what it takes to become root there.
type reached struct {
	deploy.Board
	password string
}

func (c *deployCommand) deploy(ctx context.Context, ssh *deploy.SSH, d *deployment, out *output) (reached, error) {
	job, err := c.job(d)
	if err != nil {
		return reached{}, err
	}
	d.Board, err = deploy.Ask(ctx, ssh, job.At)
	to := reached{Board: d.Board}
	if err != nil {
		return to, err
	}
	if err := d.Board.Check(); err != nil {
		return to, err
	}
	if err := c.choosePackage(&job, d); err != nil {
		return to, err
	}
	c.plan(c.progress(out), job, *d)
	if c.DryRun {
		fmt.Fprintf(out, "\n%s", job.Commands(ssh, d.Board, c.Follow))
		return to, nil
	}
	if err := c.confirm(); err != nil {
		return to, err
	}
	if to.password, err = c.password(d.Board); err != nil {
		return to, err
	}
	d.Outcome, err = c.carry(ctx, ssh, job, to, c.progress(out))
	return to, err
}

// progress is where people read what happens.
func (c *deployCommand) progress(out *output) io.Writer {
	if c.JSON {
		return os.Stderr
	}
	return out
}

// job opens the bundle here first, so that a damaged one never leaves this machine.
func (c *deployCommand) job(d *deployment) (deploy.Job, error) {
	job := deploy.Job{Package: c.Package, Bundle: c.Bundle, BenchSeconds: c.Bench, Health: c.Health, Steady: steady, At: c.at}
	if job.At == (deploy.Paths{}) {
		job.At = deploy.DefaultPaths()
	}
	if c.Bundle == "" {
		return job, nil
	}
	b, err := bundle.Open(c.Bundle)
	if err != nil {
		return job, err
	}
	d.Bundle, d.Digest = b.Manifest.Name, b.Digest
	job.BundleName = plainName(b.Manifest.Name) + "-" + b.Digest[:12]
	return job, nil
}

// plainName keeps letters, digits, dots and dashes.
func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, name)
}

// choosePackage takes the one for the board's architecture, and refuses one for another.
func (c *deployCommand) choosePackage(job *deploy.Job, d *deployment) error {
	if job.Package == "" {
		var err error
		if job.Package, err = deploy.FindPackage(packages, d.Board.Arch); err != nil {
			return err
		}
	}
	if job.Package == "" {
		switch {
		case d.Board.Installed == "":
			return fmt.Errorf("deploy: no package for %s in %s: name one with --package, or run make dist", d.Board.Arch, packages)
		case job.Bundle == "":
			return &usageError{fmt.Errorf("deploy: there is nothing to deploy: no --bundle, and no package for %s in %s", d.Board.Arch, packages)}
		}
		return nil
	}
	version, arch := deploy.ParsePackageName(job.Package)
	if arch != "" && arch != d.Board.Arch {
		return fmt.Errorf("deploy: %s is for %s, the board is %s: nothing was changed", job.Package, arch, d.Board.Arch)
	}
	d.Package, d.Version = job.Package, version
	return nil
}

// plan says what is about to happen.
func (c *deployCommand) plan(w io.Writer, job deploy.Job, d deployment) {
	b := d.Board
	fmt.Fprintf(w, "%s: %s, %s, glibc %s, systemd %d\n", c.Host, b.System, b.Arch, b.Glibc, b.Systemd)
	or := func(value, otherwise string) string {
		if value == "" {
			return otherwise
		}
		return value
	}
	if job.Package == "" {
		fmt.Fprintf(w, "package   %s stays\n", b.Installed)
	} else {
		fmt.Fprintf(w, "package   %s → %s (%s)\n", or(b.Installed, "none"), or(d.Version, "that of the file"), job.Package)
		if b.Installed != "" && !b.PackageKept {
			fmt.Fprintf(w, "          the package of %s is not kept there: it cannot be brought back\n", b.Installed)
		}
	}
	if job.Bundle == "" {
		fmt.Fprintln(w, "bundle    stays")
	} else {
		fmt.Fprintf(w, "bundle    %s → %s\n", or(b.Bundle, "that of the configuration"), job.BundleName)
	}
	fmt.Fprintf(w, "then      fathomd is started again, and has %v to be well\n", job.Health)
}

func (c *deployCommand) confirm() error {
	if c.Yes {
		return nil
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return &usageError{errors.New("deploy: nobody is here to answer: add --yes")}
	}
	fmt.Fprint(os.Stderr, "Go ahead? [y/N] ")
	answer, _ := bufio.NewReader(os.Stdin).ReadString('\n') // at the end of the input, no
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
		return errors.New("deploy: nothing was changed")
	}
	return nil
}

// password asks for that of sudo, where it wants one.
func (c *deployCommand) password(b deploy.Board) (string, error) {
	if b.Root != deploy.RootPassword {
		return "", nil
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return "", fmt.Errorf("deploy: sudo on %s wants a password: run this in a terminal, or log in as root", c.Host)
	}
	fmt.Fprintf(os.Stderr, "Password for sudo on %s: ", c.Host)
	password, err := term.ReadPassword(int(os.Stdin.Fd()))
	fmt.Fprintln(os.Stderr)
	return string(password), err
}

// carry copies, tries and installs.
func (c *deployCommand) carry(ctx context.Context, ssh *deploy.SSH, job deploy.Job, to reached, out io.Writer) (deploy.Outcome, error) {
	size, err := job.Size()
	if err != nil {
		return deploy.Unchanged, fmt.Errorf("deploy: %w", err)
	}
	bar := progress(int(size), "copying")
	err = job.Upload(ctx, ssh, func(bytes int) { _ = bar.Add(bytes) }) // the archive is a little longer than the bar
	_ = bar.Finish()
	if err != nil {
		return deploy.Unchanged, err
	}
	outcome := deploy.Unchanged
	if err = job.Check(ctx, ssh, out); err == nil {
		outcome, err = job.Apply(ctx, ssh, to.Board, to.password, out)
	}
	if !errors.Is(err, deploy.ErrConnection) {
		if cleanErr := job.Clean(context.WithoutCancel(ctx), ssh); cleanErr != nil {
			fmt.Fprintln(os.Stderr, "fathom: deploy: what was copied is left in ~/.cache/fathom-deploy:", cleanErr)
		}
	}
	return outcome, err
}
