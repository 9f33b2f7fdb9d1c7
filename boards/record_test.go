package boards

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/boards/boardtest"
	"github.com/fathom-edge/fathom/boards/telemetry/recording"
)

// TestRecordingReadsTheSame: a tree made of a recording's files gives the same
// snapshot as the board that was recorded, on every fixture.
func TestRecordingReadsTheSame(t *testing.T) {
	archives, err := filepath.Glob(archive("*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(a), ".txtar"), func(t *testing.T) {
			b := newTestBoard(t, boardtest.Mount(t, a), Options{})
			var text bytes.Buffer
			recorder, err := NewRecorder(&text, b, time.Second)
			if err != nil {
				t.Fatal(err)
			}
			s := read(b)
			if err := recorder.Record(context.Background(), s); err != nil {
				t.Fatal(err)
			}
			got, err := recording.Read(&text)
			if err != nil || len(got.Snapshots) != 1 {
				t.Fatalf("%d snapshots, %v", len(got.Snapshots), err)
			}
			if diff := cmp.Diff(flatten(t, s), flatten(t, got.Snapshots[0])); diff != "" {
				t.Errorf("snapshot (-want +got):\n%s", diff)
			}
			root := t.TempDir()
			for name, f := range got.Files {
				if f.Offline {
					boardtest.TakeOffline(t, root, name)
				} else if f.Error == "" {
					boardtest.Write(t, root, name, f.Text)
				}
			}
			again := flatten(t, read(newTestBoard(t, root, Options{})))
			if diff := cmp.Diff(withoutGroups(flatten(t, s)), withoutGroups(again)); diff != "" {
				t.Errorf("read again from the recorded files (-want +got):\n%s", diff)
			}
		})
	}
}

// withoutGroups leaves out the limits of control groups, whose files are not recorded.
func withoutGroups(flat string) string {
	var kept []string
	for line := range strings.Lines(flat) {
		if !strings.HasPrefix(line, ".load.limits") && !strings.HasPrefix(line, ".probes[16]") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// TestRecordingHoldsNoSerialNumbers, hardware addresses or host names.
func TestRecordingHoldsNoSerialNumbers(t *testing.T) {
	root := mount(t, "pi4")
	secrets := map[string]string{
		"sys/firmware/devicetree/base/serial-number": "10000000c0ffee11\x00",
		"etc/machine-id":           "0123456789abcdef0123456789abcdef\n",
		"proc/sys/kernel/hostname": "birdbox-7\n",
		"sys/class/power_supply/hidpp_battery_0/serial_number":   "1b-2c-3d-4e\n",
		"sys/class/dmi/id/product_serial":                        "3884376123\n", // digits only
		"sys/class/power_supply/hid-AA:bb:0c:11:22:33-bat/type":  "Battery\n",
		"sys/class/power_supply/hid-AA:bb:0c:11:22:33-bat/scope": "Device\n",
		"proc/sys/kernel/osrelease":                              "6.6.31+rpt-rpi-v8 on birdbox-7\n",
		"sys/class/thermal/thermal_zone0/temp":                   "broken 10000000c0ffee11 3884376123",
	}
	for name, text := range secrets {
		boardtest.Write(t, root, name, text)
	}
	b := newTestBoard(t, root, Options{})
	var text bytes.Buffer
	recorder, err := NewRecorder(&text, b, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if err := recorder.Record(context.Background(), read(b)); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"c0ffee11", "0123456789abcdef", "birdbox-7", "1b-2c-3d-4e", "3884376123", "AA:bb:0c:11:22:33"} {
		if i := strings.Index(text.String(), secret); i >= 0 {
			t.Errorf("%s is in the recording: …%.120s…", secret, text.String()[max(0, i-60):])
		}
	}
	got, err := recording.Read(&text)
	if err != nil || got.Header.BoardID != "raspberry-pi-4b" || got.Header.Kernel != "6.6.31+rpt-rpi-v8 on (scrubbed)" {
		t.Errorf("%v: %+v", err, got.Header)
	}
	if total, _ := got.Snapshots[0].Load.MemoryTotalBytes.Get(); total != 3977601024 {
		t.Errorf("memory %d bytes", total)
	}
}

func FuzzScrub(f *testing.F) {
	f.Add("10000000c0ffee11", `{"a":"x 10000000c0ffee11 y","b":10000000}`)
	f.Add("123456789", `{"a":123456789,"b":"\"123456789\\"}`)
	f.Fuzz(func(t *testing.T, secret, text string) {
		got := newScrubber([]string{secret}).scrub([]byte(text))
		if json.Valid([]byte(text)) && !json.Valid(got) {
			t.Fatalf("%q made of %q is no JSON", got, text)
		}
	})
}
