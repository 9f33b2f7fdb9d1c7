package deploy

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

//go:embed deploy.sh
var script string

// Paths are where things lie on the board.
type Paths struct {
	Kept   string // what deploy keeps
	Config string // the daemon's configuration
	State  string // the daemon's state folder
}

// DefaultPaths are those of the package.
func DefaultPaths() Paths {
	return Paths{Kept: "/srv/fathom", Config: "/etc/fathom/fathomd.yaml", State: "/var/lib/fathom"}
}

// Job is what is to be deployed.
type Job struct {
	// Package is the file of the .deb; empty to leave the installed one.
	Package string
	// Bundle is the folder of a bundle; empty to leave the one there.
	Bundle string
	// BundleName names the bundle on the board: letters, digits, dots and dashes.
	BundleName string
	// BenchSeconds is how long fathom bench measures steady inferences; 0 to measure nothing.
	BenchSeconds float64
	// Health is how long fathomd has to be well, which it must be for Steady in a row.
	Health, Steady time.Duration
	At             Paths
}

// The folder of the upload, below the home folder on the board.
const (
	uploaded  = ".cache/fathom-deploy"
	uploading = uploaded + ".part"
)

// settings are read by deploy.sh.
func (j Job) settings() string {
	var b strings.Builder
	for _, v := range [][2]string{
		{"kept", j.At.Kept}, {"config", j.At.Config}, {"state", j.At.State}, {"bundle", j.BundleName},
		{"bench_seconds", fmt.Sprintf("%g", j.BenchSeconds)},
		{"health_seconds", fmt.Sprintf("%.0f", j.Health.Seconds())}, {"steady_seconds", fmt.Sprintf("%.0f", j.Steady.Seconds())},
	} {
		fmt.Fprintf(&b, "%s=%s\n", v[0], quote(v[1]))
	}
	return b.String()
}

// The commands of a deployment, in their order, for the board's shell.
const (
	uploadCommand = "umask 077 && rm -rf " + uploading + " " + uploaded + " && mkdir -p " + uploading + " && tar -xf - -C " + uploading +
		" && test -f " + uploading + "/deploy.sh && mv " + uploading + " " + uploaded
	checkCommand = "sh " + uploaded + "/deploy.sh check"
	applyCommand = "sh " + uploaded + "/deploy.sh apply"
	cleanCommand = "rm -rf " + uploading + " " + uploaded
)

// asRoot is a command that root runs. With a password, it is the first line of standard input.
func (b Board) asRoot(command string) string {
	switch b.Root {
	case RootSudo:
		return "sudo -n " + command
	case RootPassword:
		return "sudo -k -S -p '' " + command
	}
	return command
}

// FollowCommand shows the log of the daemon, for ever.
func (b Board) FollowCommand() string { return b.asRoot("journalctl -u fathomd -n 20 -f") }

// Check tries on the board what was uploaded; it changes nothing there but the upload.
func (j Job) Check(ctx context.Context, s *SSH, out io.Writer) error {
	if err := s.Run(ctx, checkCommand, nil, out); err != nil {
		return fmt.Errorf("deploy: the board refuses it, and nothing was changed there: %w", err)
	}
	return nil
}

// Outcome is what became of a deployment.
type Outcome string

// The outcomes.
const (
	Deployed   Outcome = "deployed"
	Unchanged  Outcome = "unchanged"   // it failed before anything was changed
	RolledBack Outcome = "rolled-back" // what was there before runs again
	Broken     Outcome = "broken"      // rolled back, and fathomd is not well all the same
	Unknown    Outcome = "unknown"     // the connection was lost; the board goes on by itself
)

// Apply installs what was uploaded. What the board says goes to out.
func (j Job) Apply(ctx context.Context, s *SSH, b Board, password string, out io.Writer) (Outcome, error) {
	var in io.Reader
	if b.Root == RootPassword {
		in = strings.NewReader(password + "\n")
	}
	err := s.Run(ctx, b.asRoot(applyCommand), in, out)
	switch {
	case err == nil:
		return Deployed, nil
	case errors.Is(err, ErrConnection):
		return Unknown, fmt.Errorf("deploy: %w while the board was installing: it goes on by itself, and %s/deploy.log there says how it ends", err, j.At.Kept)
	}
	switch Status(err) {
	case 3:
		return RolledBack, errors.New("deploy: fathomd was not well with it: what was there before was brought back, and runs")
	case 4:
		return Broken, fmt.Errorf("deploy: fathomd was not well with it, nor with what was there before: journalctl -u fathomd and %s/deploy.log there say more", j.At.Kept)
	}
	return Unchanged, fmt.Errorf("deploy: nothing was changed on the board: %w", err)
}

// Clean removes the upload.
func (j Job) Clean(ctx context.Context, s *SSH) error { return s.Run(ctx, cleanCommand, nil, s.stderr) }

// Follow shows the log of the daemon until ctx ends.
func Follow(ctx context.Context, s *SSH, b Board, password string, out io.Writer) error {
	var in io.Reader
	if b.Root == RootPassword {
		in = strings.NewReader(password + "\n")
	}
	err := s.Run(ctx, b.FollowCommand(), in, out)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// Commands lists what a deployment runs, as one would type it.
func (j Job) Commands(s *SSH, b Board, follow bool) string {
	var text strings.Builder
	fmt.Fprintf(&text, "# copy, as one archive on standard input:\n")
	if j.Package != "" {
		fmt.Fprintf(&text, "#   package.deb   %s\n", j.Package)
	}
	if j.Bundle != "" {
		fmt.Fprintf(&text, "#   bundle/       %s\n", j.Bundle)
	}
	fmt.Fprintf(&text, "#   settings.sh, deploy.sh   see below\n%s\n", s.CommandLine(uploadCommand))
	fmt.Fprintf(&text, "# try it there\n%s\n# install, measure, start, and roll back if need be\n%s\n", s.CommandLine(checkCommand), s.CommandLine(b.asRoot(applyCommand)))
	fmt.Fprintf(&text, "# tidy up\n%s\n", s.CommandLine(cleanCommand))
	if follow {
		fmt.Fprintf(&text, "# follow the log\n%s\n", s.CommandLine(b.FollowCommand()))
	}
	fmt.Fprintf(&text, "\n# settings.sh\n%s\n# deploy.sh\n%s", j.settings(), script)
	return text.String()
}
