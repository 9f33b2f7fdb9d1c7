package deploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// ErrConnection is wrapped by errors of ssh itself: the board was not reached, or the connection was lost.
var ErrConnection = errors.New("no connection")

// sshFailed is the exit status of ssh where the remote command has none.
const sshFailed = 255

// SSH runs commands on one board, one at a time.
type SSH struct {
	host    string
	options []string
	stderr  io.Writer
	sockets string // folder of the shared connection, or empty
}

// target is [user@]host, where host is a name, an address or an alias of ~/.ssh/config.
var target = regexp.MustCompile(`^([A-Za-z0-9_.][A-Za-z0-9_.-]*@)?[A-Za-z0-9_.:\[][A-Za-z0-9_.:%\[\]-]*$`)

// NewSSH prepares to reach host, [user@]host, with options of ssh_config such as "Port=2222". What ssh and the
// board say on standard error goes to stderr. Nothing is run yet; Close must be called.
func NewSSH(host string, options []string, stderr io.Writer) (*SSH, error) {
	if !target.MatchString(host) {
		return nil, fmt.Errorf("%q is no [user@]host", host)
	}
	for _, o := range options {
		if name, _, ok := strings.Cut(o, "="); !ok || name == "" {
			return nil, fmt.Errorf("ssh option %q: want NAME=VALUE, as in ssh_config", o)
		}
	}
	if _, err := exec.LookPath("ssh"); err != nil {
		return nil, fmt.Errorf("there is no ssh on this machine: install OpenSSH's client (%w)", err)
	}
	s := &SSH{host: host, options: options, stderr: stderr}
	if runtime.GOOS == "windows" { // whose OpenSSH cannot share a connection
		return s, nil
	}
	var err error
	s.sockets, err = os.MkdirTemp("", "fathom-ssh-")
	return s, err
}

// Close ends the connection.
func (s *SSH) Close() {
	if s.sockets == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if left, _ := os.ReadDir(s.sockets); len(left) > 0 {
		end := exec.CommandContext(ctx, "ssh", append(s.flags(), "-O", "exit", "--", s.host)...)
		_ = end.Run() // it ends by itself a while later
	}
	_ = os.RemoveAll(s.sockets)
}

// flags come before the host. The user's own options come first, since ssh takes the first of each.
func (s *SSH) flags() []string {
	var list []string
	for _, o := range s.options {
		list = append(list, "-o", o)
	}
	// A dead connection is noticed within half a minute.
	list = append(list, "-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=3")
	if s.sockets != "" { // one login for all commands
		list = append(list, "-o", "ControlMaster=auto", "-o", "ControlPersist=60", "-o", "ControlPath="+filepath.Join(s.sockets, "%C"))
	}
	return list
}

// CommandLine is what Run runs, as one would type it.
func (s *SSH) CommandLine(command string) string {
	words := []string{"ssh"}
	for _, o := range s.options {
		words = append(words, "-o", quote(o))
	}
	return strings.Join(append(words, quote(s.host), quote(command)), " ")
}

// Run runs a command line of the board's shell, in the home folder of the user there.
func (s *SSH) Run(ctx context.Context, command string, in io.Reader, out io.Writer) error {
	c := exec.CommandContext(ctx, "ssh", append(s.flags(), "--", s.host, command)...)
	c.Stdin, c.Stdout, c.Stderr = in, out, s.stderr
	c.WaitDelay = 2 * time.Second // the shared connection may hold on to standard error
	err := c.Run()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil
	}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%w: interrupted", ErrConnection)
	case errors.As(err, &exit) && (exit.ExitCode() == sshFailed || exit.ExitCode() < 0):
		return fmt.Errorf("%w to %s", ErrConnection, s.host)
	}
	return err
}

// Status is the exit status of a command that Run ran: 0 without an error, -1 where it has none.
func Status(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -1
}

var harmless = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// quote makes one word of a shell.
func quote(word string) string {
	if harmless.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
