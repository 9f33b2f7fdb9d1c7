package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fathom-edge/fathom/boards/boardtest"
	"github.com/fathom-edge/fathom/boards/telemetry"
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
		"hottest 61.8 °C limit 80.0 °C zone cpu-thermal 61.8 °C",
		"charge unknown: no battery found",
		"under-voltage no throttled yes requested clock 1500 MHz",
		"thermal zones loaded hardware monitors skipped: not needed",
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
		{[]string{"board", "--fuel-gauge", "max17048"}, exitFailure, `bus`},
	} {
		var stdout, stderr bytes.Buffer
		code := run(tt.args, &stdout, &stderr)
		if code != tt.code || !strings.Contains(stderr.String(), tt.want) || strings.Count(stderr.String(), "\n") != 1 {
			t.Errorf("%v: exit %d, %q; want %d, one line with %q", tt.args, code, &stderr, tt.code, tt.want)
		}
	}
}
