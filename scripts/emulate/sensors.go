package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// sensorChecks: the kernel's interfaces, and what the depth does by them.
func sensorChecks() []check {
	return slices.Concat(kernelChecks(), starting, []check{
		{what: "the fuel gauge and the current monitor are read", exercises: "I2C (I2C_RDWR)", try: (*guest).readsBoard},
		{what: "heat makes it shallower, cooling deeper", exercises: "thermal zone and trip point", fault: true, try: depthFollows("temperature", 90000, 40000)},
		{what: "an empty fuel gauge makes it shallow, a full one deeper", exercises: "I2C (I2C_RDWR)", fault: true, try: depthFollows("gauge_percent", 8, 90)},
		{what: "an empty kernel battery makes it shallow, a full one deeper", exercises: "power supply", fault: true, try: depthFollows("battery_percent", 8, 90)},
	})
}

// faultChecks: what breaks is told, frames go on, and it comes back.
func faultChecks() []check {
	checks := append(slices.Clone(starting),
		check{what: "state and availability reach the broker", exercises: "MQTT broker (Mosquitto)", try: (*guest).publishes},
		check{what: "a thermal zone that fails is told, and comes back", exercises: "thermal zone and trip point", fault: true, try: (*guest).zoneFails},
	)
	for _, f := range []struct {
		what, parameter string
		value           int
	}{
		{"a fuel gauge that does not acknowledge", "i2c_errno", int(syscall.ENXIO)},
		{"a bus that hangs", "i2c_errno", int(syscall.ETIMEDOUT)},
		{"a bus that fails", "i2c_errno", int(syscall.EIO)},
		{"a transfer that is cut short", "i2c_short", 1},
	} {
		checks = append(checks, check{what: f.what + " is told, frames go on, and it comes back", exercises: "I2C (I2C_RDWR)", fault: true,
			try: func(g *guest) error { return g.busFails(f.parameter, f.value) }})
	}
	return append(checks,
		check{what: "a broker that starts anew is told everything again", exercises: "MQTT broker (Mosquitto)", fault: true, try: (*guest).brokerRestarts},
		check{what: "a camera that is pulled out and plugged in again is found", exercises: "video capture (V4L2)", fault: true, try: (*guest).cameraPulled},
		check{what: "a killed daemon is started again", exercises: "service manager's restart", fault: true, try: signalled(syscall.SIGKILL)},
		check{what: "a frozen daemon is found by the watchdog and started again", exercises: "service manager's watchdog", fault: true, try: signalled(syscall.SIGSTOP)},
	)
}

// kernelChecks runs the test binaries that want a booted kernel.
func kernelChecks() []check {
	const camera = "video capture (V4L2)"
	exercised := map[string]string{
		"TestEmulatedProbesDoNotFail": "sysfs and procfs", "TestEmulatedThermalZone": "thermal zone and trip point", "TestEmulatedBattery": "power supply",
		"TestEmulatedCoreUnplugged": "processor hotplug", "TestEmulatedControlGroup": "control groups (version 2)", "TestVivid": camera,
	}
	var checks []check
	for _, c := range []struct {
		binary string
		tests  []string
	}{
		{"boards.test", []string{"TestEmulatedProbesDoNotFail", "TestEmulatedThermalZone", "TestEmulatedBattery", "TestEmulatedCoreUnplugged", "TestEmulatedControlGroup"}},
		{"v4l2.test", []string{"TestVivid"}},
	} {
		for _, test := range c.tests {
			checks = append(checks, check{what: c.binary + " " + test, exercises: exercised[test], try: func(*guest) error { return kernelTest(c.binary, test) }})
		}
	}
	return checks
}

func kernelTest(binary, test string) error {
	if err := os.WriteFile("/sys/fs/cgroup/cgroup.subtree_control", []byte("+cpu +memory"), 0); err != nil {
		return err
	}
	has := []string{
		"FATHOM_THERMAL_ZONE=cpu-thermal", "FATHOM_THERMAL_SET=/sys/module/fathom_board/parameters/temperature",
		"FATHOM_BATTERY=board_battery", "FATHOM_BATTERY_SET=/sys/module/fathom_board/parameters/battery_percent",
		"FATHOM_UNPLUG=1", "FATHOM_CGROUP=/sys/fs/cgroup/emulated", "FATHOM_VIDEO=/dev/video0",
	}
	defer func() { _ = errors.Join(set("temperature", 40000), set("battery_percent", 90)) }()
	out, err := commandWith(has, share+"/"+binary, "-test.v", "-test.run", "^"+test+"$")
	if err == nil && !strings.Contains(out, "--- PASS: "+test) {
		err = fmt.Errorf("%s did not run: %s", test, out)
	}
	return err
}

// readsBoard: what the daemon says is what the chips, the zone and the battery say.
func (g *guest) readsBoard() error {
	err := g.daemon.becomes(func(s state) error {
		b := s.Board
		if !b.Heat.Hottest.is(40, 0.1) || !b.Heat.Limit.is(80, 0.1) || !b.Power.Charge.is(90, 0.5) || !b.Power.Watts.is(3, 0.05) {
			return fmt.Errorf("%s °C of %s °C, %s %%, %s W; wants 40, 80, 90, 3", b.Heat.Hottest, b.Heat.Limit, b.Power.Charge, b.Power.Watts)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if transfers, err := strconv.Atoi(readWord("/sys/module/fathom_board/parameters/i2c_transfers")); err != nil || transfers == 0 {
		return fmt.Errorf("%d transfers on the bus: %w", transfers, err)
	}
	return nil
}

// depthFollows is a try: at one value of a parameter the shallowest depth runs, at another a deeper one, before and after.
func depthFollows(parameter string, bad, good int) func(*guest) error {
	return func(g *guest) error {
		deeper := func(index int) bool { return index > 0 }
		if _, err := g.daemon.depth(deeper); err != nil {
			return fmt.Errorf("before: %w", err)
		}
		if err := set(parameter, bad); err != nil {
			return err
		}
		_, err := g.daemon.depth(func(index int) bool { return index == 0 })
		if err := errors.Join(err, set(parameter, good)); err != nil {
			return err
		}
		if _, err := g.daemon.depth(deeper); err != nil {
			return fmt.Errorf("afterwards: %w", err)
		}
		return nil
	}
}

func (g *guest) zoneFails() error {
	if err := set("temperature_errno", int(syscall.EIO)); err != nil {
		return err
	}
	err := g.daemon.becomes(func(s state) error {
		if s.Board.Heat.Hottest.Value != nil || s.Health.Status != "degraded" {
			return fmt.Errorf("%s, %s °C", s.Health.Status, s.Board.Heat.Hottest)
		}
		return nil
	})
	if err := errors.Join(err, g.daemon.classifies(2), set("temperature_errno", 0)); err != nil {
		return err
	}
	return g.healthy()
}

// healthy waits until everything works.
func (g *guest) healthy() error {
	return g.daemon.becomes(func(s state) error {
		if s.Health.Status != "ok" {
			return fmt.Errorf("%s: %s", s.Health.Status, strings.Join(s.Health.Reasons, "; "))
		}
		return nil
	})
}

func (g *guest) busFails(parameter string, value int) error {
	if err := set(parameter, value); err != nil {
		return err
	}
	const probe = "batteries on I2C"
	err := g.daemon.probe(probe, "failed", "max17048")
	if err := errors.Join(err, g.daemon.classifies(2), set(parameter, 0)); err != nil {
		return err
	}
	return errors.Join(g.daemon.probe(probe, "loaded", "max17048"), g.readsBoard())
}

// hears waits for messages of the daemon at the broker.
func hears() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "mosquitto_sub", "-h", "127.0.0.1", "-V", "mqttv5", "-t", "fathom/board/#", "-t", "homeassistant/#", "-F", "%t %p")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	if err := cmd.Start(); err != nil {
		return err
	}
	wait := sync.OnceFunc(func() { cancel(); _ = cmd.Wait() })
	defer wait()
	online, announced, known := false, false, false
	for lines := bufio.NewReader(out); !online || !announced || !known; {
		text, err := lines.ReadString('\n')
		if err != nil {
			wait()
			return fmt.Errorf("the broker told too little: online %t, announced %t, state %t; %s", online, announced, known, &complaint)
		}
		topic, payload, _ := strings.Cut(strings.TrimSpace(text), " ")
		var s struct {
			Class       *string  `json:"class"`
			Temperature *float64 `json:"temperature"`
			Battery     *float64 `json:"battery"`
		}
		switch {
		case topic == "fathom/board/status":
			online = payload == "online"
		case topic == "fathom/board/state" && json.Unmarshal([]byte(payload), &s) == nil:
			known = s.Class != nil && s.Temperature != nil && s.Battery != nil
		case regexp.MustCompile(`^homeassistant/.*/config$`).MatchString(topic):
			announced = true
		}
	}
	return nil
}

func (g *guest) publishes() error { return hears() }

func (g *guest) brokerRestarts() error {
	if _, err := command("systemctl", "restart", "mosquitto"); err != nil {
		return err
	}
	return errors.Join(hears(), g.daemon.classifies(2))
}

// cameraPulled takes the camera away while the daemon reads it, as a pulled plug does, and gives it back once the daemon has
// let go of it: until then its number is taken.
func (g *guest) cameraPulled() error {
	const (
		driver = "/sys/bus/platform/drivers/vivid/"
		camera = "vivid.0"
	)
	if err := os.WriteFile(driver+"unbind", []byte(camera), 0o200); err != nil {
		return err
	}
	err := errors.Join(g.daemon.becomes(func(s state) error {
		if !strings.Contains(strings.Join(s.Health.Reasons, "; "), "camera: ") {
			return fmt.Errorf("nothing is said of the camera: %q", s.Health.Reasons)
		}
		return nil
	}), eventually(letsGo))
	return errors.Join(err, os.WriteFile(driver+"bind", []byte(camera), 0o200), g.daemon.classifies(2), g.healthy())
}

// letsGo fails while the daemon has a camera open.
func letsGo() error {
	pid, err := mainPID()
	if err != nil {
		return err
	}
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		return err
	}
	for _, f := range files {
		if to, err := os.Readlink(f); err == nil && strings.HasPrefix(to, "/dev/video") {
			return fmt.Errorf("the daemon holds %s", to)
		}
	}
	return nil
}

// signalled is a try: the daemon gets a signal, and systemd starts another one.
func signalled(signal syscall.Signal) func(*guest) error {
	return func(g *guest) error {
		before, err := restarts()
		if err != nil {
			return err
		}
		pid, err := mainPID()
		if err != nil {
			return err
		}
		if err := syscall.Kill(pid, signal); err != nil {
			return err
		}
		return errors.Join(eventually(func() error {
			after, err := restarts()
			if err == nil && after == before {
				err = fmt.Errorf("systemd did not start it again")
			}
			return err
		}), g.daemon.classifies(2))
	}
}
