package deploy

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// leastSystemd is that of JetPack 4, for which the unit is written.
const leastSystemd = 237

// Board is what a board says of itself.
type Board struct {
	Machine string `json:"machine"` // uname -m
	System  string `json:"system"`
	Arch    string `json:"arch"` // dpkg's
	Glibc   string `json:"glibc"`
	Systemd int    `json:"systemd"`
	// Installed is the version of Fathom there; empty without one.
	Installed string `json:"installed,omitempty"`
	// PackageKept tells that the package of that version is kept there and can be installed again.
	PackageKept bool `json:"package_kept"`
	// Bundle is the one deployed last; empty without one.
	Bundle string `json:"bundle,omitempty"`
	// Root is how to become root.
	Root Root `json:"root"`
}

// Root is how to become root on a board.
type Root string

// The ways to become root.
const (
	RootLogin    Root = "yes"      // the user is root
	RootSudo     Root = "sudo"     // sudo asks for nothing
	RootPassword Root = "password" // sudo wants a password
	RootNever    Root = "no"
)

//go:embed probe.sh
var probe string

// askTime bounds Ask, which may have to wait for a password of the user.
const askTime = 2 * time.Minute

// Ask asks the board what it is; it changes nothing there.
func Ask(ctx context.Context, s *SSH, at Paths) (Board, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	var out bytes.Buffer
	if err := s.Run(ctx, "sh -s", strings.NewReader("kept="+quote(at.Kept)+"\n"+probe), &out); err != nil {
		return Board{}, fmt.Errorf("deploy: asking the board: %w", err)
	}
	b, err := parseBoard(&out)
	if err != nil {
		return Board{}, fmt.Errorf("deploy: asking the board: %w", err)
	}
	return b, nil
}

// parseBoard reads the lines of probe.sh among those that a login may print.
func parseBoard(r io.Reader) (Board, error) {
	text, err := io.ReadAll(io.LimitReader(r, 1<<20))
	if err != nil {
		return Board{}, err
	}
	values := map[string]string{}
	for line := range strings.Lines(string(text)) {
		rest, ours := strings.CutPrefix(line, "fathom-deploy ")
		if name, value, ok := strings.Cut(strings.TrimSpace(rest), "="); ours && ok {
			values[name] = value
		}
	}
	b := Board{
		Machine: values["machine"], System: values["system"], Arch: values["arch"], Glibc: values["glibc"],
		Installed: values["installed"], PackageKept: values["package_kept"] == "yes", Bundle: values["bundle"], Root: Root(values["root"]),
	}
	if b.Machine == "" || b.Root == "" {
		return Board{}, fmt.Errorf("it does not answer as a Linux board does: %.200q", text)
	}
	b.Systemd, _ = strconv.Atoi(values["systemd"]) // 0 without systemd
	return b, nil
}

// kernels are the machines of uname -m by dpkg's architectures that Fathom has packages for.
var kernels = map[string]string{"arm64": "aarch64", "amd64": "x86_64"}

// Check refuses boards that the package does not run on, and users who may not install it.
func (b Board) Check() error {
	machine, shipped := kernels[b.Arch]
	switch {
	case b.Arch == "":
		return fmt.Errorf("deploy: %s has no dpkg: unpack the .tar.gz there by hand", b.name())
	case b.Arch == "armhf" && b.Machine == "aarch64":
		return fmt.Errorf("deploy: %s is a 32-bit system on a 64-bit processor: install the 64-bit one, there is no package for armhf", b.name())
	case !shipped:
		return fmt.Errorf("deploy: %s is %s: there are packages for arm64 and amd64 only", b.name(), b.Arch)
	case b.Machine != machine:
		return fmt.Errorf("deploy: %s is %s by dpkg and %s by its kernel: the two must agree", b.name(), b.Arch, b.Machine)
	case b.Systemd == 0:
		return fmt.Errorf("deploy: %s has no systemd, which runs fathomd: install the package there by hand", b.name())
	case b.Systemd < leastSystemd:
		return fmt.Errorf("deploy: %s has systemd %d, the unit needs %d: it takes a newer system", b.name(), b.Systemd, leastSystemd)
	case b.Root == RootNever:
		return fmt.Errorf("deploy: this user is not root there, and %s has no sudo: log in as root, or install sudo", b.name())
	}
	return nil
}

func (b Board) name() string {
	if b.System == "" {
		return "the board"
	}
	return b.System
}
