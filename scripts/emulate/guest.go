package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// share is where the guest finds the folder of the host.
const share = "/mnt/emulate"

// patience is how long the guest waits for what must come. An emulator on a busy
// machine is slow; nothing is measured by it.
const patience = 5 * time.Minute

// guest is the test on the board. It belongs to one goroutine.
type guest struct {
	report *os.File
	daemon daemon
}

func runGuest() error {
	report, err := os.OpenFile(filepath.Join(share, reportFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer report.Close()
	g := &guest{report: report, daemon: newDaemon()}
	switch mode := readWord(filepath.Join(share, modeFile)); mode {
	case modeSensors:
		return g.all(sensorChecks())
	case modeFaults:
		return g.all(faultChecks())
	case modePower:
		return g.power()
	case modeShell:
		return g.shell()
	default:
		return fmt.Errorf("no mode %q", mode)
	}
}

// tell appends one line to the report.
func (g *guest) tell(l line) error {
	l.Uptime = uptime()
	data, err := json.Marshal(l)
	if err != nil {
		return err
	}
	_, err = g.report.Write(append(data, '\n'))
	return err
}

// check is one thing that is tried, and what it exercises.
type check struct {
	what      string
	exercises string
	fault     bool
	try       func(*guest) error
}

// check tries one thing and tells how it went; a failure does not keep the others from being tried.
func (g *guest) check(c check) {
	l := line{Check: c.what, Interface: c.exercises, Fault: c.fault}
	if err := c.try(g); err != nil {
		l.Failure = err.Error()
	}
	if err := g.tell(l); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
	}
}

// all tries one after the other.
func (g *guest) all(checks []check) error {
	for _, c := range checks {
		g.check(c)
	}
	return g.tell(line{Done: true})
}

// starting is how every test of the daemon begins.
var starting = []check{
	{what: "dpkg installs the package, and systemd starts the daemon", exercises: "service notification", try: (*guest).install},
	{what: "frames of the camera are classified", exercises: "video capture (V4L2)", try: (*guest).configure},
}

// uptime in seconds.
func uptime() float64 {
	first, _, _ := strings.Cut(readWord("/proc/uptime"), " ")
	seconds, _ := strconv.ParseFloat(first, 64)
	return seconds
}

// command runs a program of the board and returns what it printed.
func command(name string, args ...string) (string, error) { return commandWith(nil, name, args...) }

// commandWith is command with more variables, NAME=VALUE.
func commandWith(variables []string, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = append(append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"), variables...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return strings.TrimSpace(string(out)), nil
}

// eventually tries until there is no error, for as long as patience lasts.
func eventually(try func() error) error {
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if err = try(); err == nil {
			return nil
		}
	}
	return err
}

// set writes a parameter of the module that is the board.
func set(parameter string, value int) error {
	return os.WriteFile("/sys/module/fathom_board/parameters/"+parameter, []byte(strconv.Itoa(value)), 0o644)
}

// install installs the package as a user would, and configures it for what the board has.
func (g *guest) install() error {
	// The unit's own watchdog waits for a minute, and so does its start; nothing else of it is changed.
	dropIn := "/etc/systemd/system/fathomd.service.d/test.conf"
	if err := os.MkdirAll(filepath.Dir(dropIn), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(dropIn, []byte("[Service]\nWatchdogSec=20\nTimeoutStartSec=300\n"), 0o644); err != nil {
		return err
	}
	if _, err := command("dpkg", "-i", share+"/fathom.deb"); err != nil {
		return err
	}
	if active, err := command("systemctl", "is-active", "fathomd"); err != nil {
		return fmt.Errorf("after its installation the daemon is %s: %w", active, err)
	}
	if member, err := command("id", "-nG", "fathom"); err != nil || !strings.Contains(member, "i2c") || !strings.Contains(member, "video") {
		return fmt.Errorf("user fathom is in %q: %w", member, err)
	}
	return nil
}

// configure writes configuration and starts the daemon with it.
func (g *guest) configure() error {
	if err := os.WriteFile(configurationFile, []byte(configuration), 0o640); err != nil {
		return err
	}
	if _, err := command("fathomd", "check-config", configurationFile); err != nil {
		return err
	}
	if _, err := command("systemctl", "restart", "fathomd"); err != nil {
		return err
	}
	return g.daemon.classifies(2)
}

func (g *guest) installed() bool {
	_, err := os.Stat("/usr/bin/fathomd")
	return err == nil
}

// shell leaves a board with the package installed to whoever sits at its console.
func (g *guest) shell() error {
	if !g.installed() {
		if err := errors.Join(g.install(), g.configure()); err != nil {
			return err
		}
	}
	fmt.Println("The board is up. Its knobs: /sys/module/fathom_board/parameters; poweroff ends it.")
	return nil
}
