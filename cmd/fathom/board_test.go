package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fathom-edge/fathom/boards/battery"
	"github.com/fathom-edge/fathom/boards/battery/batterytest"
	"github.com/fathom-edge/fathom/boards/boardtest"
	"github.com/fathom-edge/fathom/boards/telemetry"
	"github.com/fathom-edge/fathom/boards/telemetry/recording"
)

func pi4Tree(t *testing.T) string {
	return boardtest.Mount(t, filepath.Join("..", "..", "testdata", "boards", "pi4.txtar"))
}

func TestBoardText(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run([]string{"board", "--root", pi4Tree(t), "--every", "100ms"}, &stdout, &stderr); code != 0 || stderr.Len() > 0 {
		t.Fatalf("exit %d: %s", code, &stderr)
	}
	text := strings.Join(strings.Fields(stdout.String()), " ")
	for _, want := range []string{
		"Raspberry Pi 4 Model B Rev 1.4",
		"* hottest 61.8 °C * limit 80.0 °C (raspberrypi/documentation",
		"margin 18.2 K zone cpu-thermal 61.8 °C (thermal_zone0)",
		"charge unknown: no battery found",
		"under-voltage no * throttled yes requested clock 1500 MHz firmware flags 0x50002",
		"thermal zones loaded → heat.hottest_celsius, heat.margin_kelvin hardware monitors skipped: not needed",
		"idle 2.9 W (2.7 to 3.1 W: pidramble.com",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("output does not hold %q:\n%s", want, &stdout)
		}
	}
}

func TestBoardJSON(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run([]string{"board", "--root", pi4Tree(t), "--every", "100ms", "--json"}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, &stderr)
	}
	var snapshot telemetry.Snapshot
	if err := json.Unmarshal(stdout.Bytes(), &snapshot); err != nil {
		t.Fatal(err)
	}
	if hottest, _ := snapshot.Heat.HottestCelsius.Get(); hottest != 61.835 || strings.Count(stdout.String(), "\n") != 1 {
		t.Errorf("hottest %g °C in:\n%s", hottest, &stdout)
	}
}

func TestBoardRefuses(t *testing.T) {
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"board", "--root", "nowhere"}, exitFailure, "fathom: boards: root nowhere: not a folder"},
		{[]string{"board", "--every", "1ms"}, exitUsage, "fathom: --every 1ms is too short"},
		{[]string{"board", "--battery", "{device: max17048}"}, exitUsage, "device max17048: bus"},
		{[]string{"board", "--battery", "{device: max17048, buss: 1}"}, exitUsage, `unknown field "buss"`},
		{[]string{"board", "--battery", "{device: ["}, exitUsage, `--battery "{device: [": `},
		{[]string{"board", "--i2c-bus", "1"}, exitUsage, "--i2c-bus belongs to --probe-i2c"},
		{[]string{"board", "--for", "1m"}, exitUsage, "--for ends --watch or --record"},
		{[]string{"board", "--probe-i2c", "--i2c-bus", "x"}, exitUsage, `--i2c-bus "x": not a number`},
		{[]string{"board", "--probe-i2c", "--root", "/tmp"}, exitUsage, "leave --root out"},
		{[]string{"board", "--probe-i2c", "--i2c-bus", "65000"}, exitFailure, "/dev/i2c-65000"},
		{[]string{"board", "--record", "/"}, exitFailure, "--record: open /: "},
	} {
		var stdout, stderr bytes.Buffer
		code := run(tt.args, &stdout, &stderr)
		if code != tt.code || !strings.Contains(stderr.String(), tt.want) || strings.Count(stderr.String(), "\n") != 1 {
			t.Errorf("%v: exit %d, %q; want %d, one line with %q", tt.args, code, &stderr, tt.code, tt.want)
		}
	}
}

// TestBoardRecord: a recording that is ended in the middle of its time can be read.
func TestBoardRecord(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.jsonl")
	args := []string{"board", "--root", pi4Tree(t), "--record", file, "--every", "100ms", "--for", "1500ms"}
	var stdout, stderr bytes.Buffer
	if code := run(args, &stdout, &stderr); code != 0 || !strings.Contains(stdout.String(), " snapshots in "+file) {
		t.Fatalf("exit %d: %s%s", code, &stdout, &stderr)
	}
	text, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	got, err := recording.Read(text)
	if err != nil || len(got.Snapshots) == 0 || got.Header.BoardID != "raspberry-pi-4b" {
		t.Fatalf("%d snapshots, %v: %+v", len(got.Snapshots), err, got.Header)
	}
	if hottest, _ := got.Snapshots[0].Heat.HottestCelsius.Get(); hottest != 61.835 {
		t.Errorf("hottest %g °C", hottest)
	}
	if code := run(args, &stdout, &stderr); code != exitFailure || !strings.Contains(stderr.String(), "file exists") {
		t.Errorf("over an older recording: exit %d, %s", code, &stderr)
	}
}

// TestBoardProbe: what is found, by a bus with a gauge and a chip of the kernel's.
func TestBoardProbe(t *testing.T) {
	pack := &batterytest.Pack{Chemistry: battery.LiIon, Cells: 1, CapacityAh: 1, Percent: 60}
	bus := batterytest.NewBus(0x36, &batterytest.MAX1704x{Pack: pack, Version: 0x0012})
	root := t.TempDir()
	device := filepath.Join(root, "sys/bus/i2c/devices/1-0040")
	if err := os.MkdirAll(device, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../drivers/ina3221", filepath.Join(device, "driver")); err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	c := boardCommand{Root: "/", I2CBus: "1"}
	if err := c.probe(&output{&text}, bus.Host(1, root)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"0x36  max17048 or max17049 (version 0x0012)\n", "0x40  served by the kernel's ina3221, left alone\n",
		"  fathom board --battery '{device: max17048, bus: 1}'\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in:\n%s", want, &text)
		}
	}
	for _, op := range bus.Ops() {
		if op.Addr == 0x40 {
			t.Errorf("the kernel's device was asked: %+v", op)
		}
	}
	text.Reset()
	c.JSON = true
	if err := c.probe(&output{&text}, bus.Host(1, root)); err != nil {
		t.Fatal(err)
	}
	var found []foundJSON
	if err := json.Unmarshal(text.Bytes(), &found); err != nil || len(found) != 2 {
		t.Fatalf("%v: %s", err, &text)
	}
}

// TestBoardWatchEnds after its time, with a snapshot a line.
func TestBoardWatchEnds(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run([]string{"board", "--root", pi4Tree(t), "--watch", "--json", "--every", "100ms", "--for", "2s"}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, &stderr)
	}
	for line := range strings.Lines(stdout.String()) {
		var s telemetry.Snapshot
		if err := json.Unmarshal([]byte(line), &s); err != nil || s.BoardID != "raspberry-pi-4b" {
			t.Errorf("%v: %s", err, line)
		}
	}
	if stdout.Len() == 0 {
		t.Error("no snapshot in 2 s")
	}
}
