package recording

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/boards/telemetry"
)

var (
	start = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	// readings lets go-cmp look into telemetry.Reading.
	readings = cmp.Exporter(func(t reflect.Type) bool { return strings.HasPrefix(t.Name(), "Reading[") })
)

func snapshots() []telemetry.Snapshot {
	var all []telemetry.Snapshot
	for i := range 3 {
		at := start.Add(time.Duration(i) * time.Second)
		all = append(all, telemetry.Snapshot{Time: at, Board: "a board",
			Heat: telemetry.Heat{HottestCelsius: telemetry.Known(50+float64(i), at), LimitCelsius: telemetry.Lost[float64]("gone", start)}})
	}
	return all
}

func write(t *testing.T, scrub func([]byte) []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, Header{Started: start, Period: time.Second, Board: "a board", Kernel: "6.6"}, scrub)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]File{"proc/loadavg": {Text: "1 2 3"}, "sys/zone/temp": {Offline: true}}
	for i, s := range snapshots() {
		if i == 2 {
			delete(files, "sys/zone/temp")
		}
		if err := w.Files(files); err != nil {
			t.Fatal(err)
		}
		if err := w.Snapshot(s); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func TestWrittenIsRead(t *testing.T) {
	text := write(t, nil)
	if lines := bytes.Count(text, []byte("\n")); lines != 6 { // header, files, two snapshots, files, snapshot
		t.Errorf("%d lines:\n%s", lines, text)
	}
	got, err := Read(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	want := Recording{
		Header:    Header{Version: 1, Started: start, Period: time.Second, Board: "a board", Kernel: "6.6"},
		Snapshots: snapshots(),
		Files:     map[string]File{"proc/loadavg": {Text: "1 2 3"}, "sys/zone/temp": {Offline: true}},
	}
	// A reading without a reason is read back with the words "not read".
	if diff := cmp.Diff(want.Header, got.Header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	for i := range want.Snapshots {
		if diff := cmp.Diff(want.Snapshots[i].Heat.HottestCelsius, got.Snapshots[i].Heat.HottestCelsius, readings); diff != "" {
			t.Errorf("snapshot %d (-want +got):\n%s", i, diff)
		}
		if diff := cmp.Diff(want.Snapshots[i].Heat.LimitCelsius, got.Snapshots[i].Heat.LimitCelsius, readings); diff != "" {
			t.Errorf("snapshot %d (-want +got):\n%s", i, diff)
		}
	}
	if diff := cmp.Diff(want.Files, got.Files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestReplay(t *testing.T) {
	r := NewReplay(Recording{Snapshots: snapshots()})
	var got []float64
	for range 5 {
		if done := len(got) >= 3; r.Done() != done {
			t.Errorf("done %t after %d", r.Done(), len(got))
		}
		s := r.Read(context.Background())
		if !r.Now().Equal(s.Time) {
			t.Errorf("clock %s, snapshot %s", r.Now(), s.Time)
		}
		v, _ := s.Heat.HottestCelsius.Get()
		got = append(got, v)
	}
	if diff := cmp.Diff([]float64{50, 51, 52, 52, 52}, got); diff != "" {
		t.Errorf("temperatures (-want +got):\n%s", diff)
	}
	empty := NewReplay(Recording{})
	if s := empty.Read(context.Background()); !empty.Done() || !empty.Now().IsZero() || s.Heat.HottestCelsius.Reason() != "not read" {
		t.Errorf("empty recording: %+v", s.Heat)
	}
}

func TestReadRefuses(t *testing.T) {
	good := string(write(t, nil))
	header, rest, _ := strings.Cut(good, "\n")
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", "recording: header: empty"},
		{"another file", "hello\n", "recording: line 1: no header"},
		{"other JSON", "{}\n", "recording: line 1: no header"},
		{"newer", strings.Replace(good, `"fathom_recording":1`, `"fathom_recording":2`, 1), "version 2, this program knows 1"},
		{"garbage inside", header + "\n{]\n" + rest, "recording: line 2: "},
		{"unknown entry", header + "\n{\"other\":1}\n", "recording: line 2: neither a snapshot nor files"},
		{"endless line", header + "\n" + strings.Repeat("x", maxLine+1), "recording: line 2: longer than 8 MiB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Read(strings.NewReader(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if len(got.Snapshots) > 0 {
				t.Errorf("%d snapshots with the error", len(got.Snapshots))
			}
		})
	}
}

// TestCutShort: whatever was written before the power went is read.
func TestCutShort(t *testing.T) {
	good := write(t, nil)
	header := bytes.IndexByte(good, '\n') + 1
	for end := header; end < len(good); end += 41 {
		got, err := Read(bytes.NewReader(good[:end]))
		whole := good[end-1] == '\n'
		if whole != (err == nil) || !whole && !errors.Is(err, ErrCutShort) {
			t.Fatalf("cut at %d: %v", end, err)
		}
		if want := bytes.Count(good[:end], []byte(`}}`+"\n")); err != nil && len(got.Snapshots) > want {
			t.Fatalf("cut at %d: %d snapshots of %d lines", end, len(got.Snapshots), want)
		}
	}
}

func TestScrub(t *testing.T) {
	text := write(t, func(line []byte) []byte { return bytes.ReplaceAll(line, []byte("a board"), []byte("x")) })
	if got, err := Read(bytes.NewReader(text)); err != nil || got.Header.Board != "x" || got.Snapshots[0].Board != "x" {
		t.Errorf("%v: %+v", err, got)
	}
}

// brokenDisk fails after some bytes.
type brokenDisk struct{ left int }

func (d *brokenDisk) Write(p []byte) (int, error) {
	if d.left -= len(p); d.left < 0 {
		return 0, errors.New("no space left on device")
	}
	return len(p), nil
}

func TestFullDisk(t *testing.T) {
	w, err := NewWriter(&brokenDisk{300}, Header{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Snapshot(snapshots()[0]); err == nil || err.Error() != "recording: no space left on device" {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"fathom_recording":1}` + "\n" + `{"snapshot":{"heat":{"hottest_celsius":{"value":50}}}}` + "\n"))
	f.Add([]byte(`{"fathom_recording":1}` + "\n" + `{"files":{"a":{"text":"b"}}}` + "\n{"))
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := Read(bytes.NewReader(text))
		if err != nil && !errors.Is(err, ErrCutShort) && (got.Snapshots != nil || got.Files != nil) {
			t.Fatalf("%v with %+v", err, got)
		}
		for r := NewReplay(got); !r.Done(); {
			r.Read(context.Background())
		}
	})
}
