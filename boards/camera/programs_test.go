package camera

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Each release's program is called as its manual says, and its pictures are read.
func TestPrograms(t *testing.T) {
	for _, tt := range []struct {
		name      string
		kind      string
		programs  []string
		address   string
		options   Options
		called    string
		width     int
		shade     uint8
		wantLabel string
	}{
		{"Bookworm", "raw", []string{"rpicam-vid", "libcamera-vid", "raspivid"}, "rpicam:", Options{},
			"rpicam-vid --camera 0 -t 0 -n --codec yuv420 --width 320 --height 240 --framerate 15 -o -", 320, 90, "rpicam:0"},
		{"Bullseye", "raw", []string{"libcamera-vid", "raspivid"}, "rpicam:1", Options{Width: 300, Height: 300, FPS: 4.5},
			"libcamera-vid --camera 1 -t 0 -n --codec yuv420 --width 640 --height 480 --framerate 5 -o -", 640, 90, "rpicam:1"},
		{"Bullseye, legacy camera", "mjpeg", []string{"raspivid"}, "rpicam:0", Options{},
			"raspivid -cs 0 -t 0 -n -cd MJPEG -w 320 -h 240 -fps 15 -o -", 16, 90, "rpicam:0"},
		// Luma 90 of limited range is (90-16)·255/219 = 86.2.
		{"Jetson", "jetson", []string{"gst-launch-1.0"}, "csi:0", Options{},
			"gst-launch-1.0 -q nvarguscamerasrc sensor-id=0 ! video/x-raw(memory:NVMM),width=1280,height=720,format=NV12,framerate=30/1 ! " +
				"nvvidconv ! video/x-raw,width=512,height=288,format=I420 ! queue leaky=downstream max-size-buffers=1 ! fdsink fd=3 sync=false", 512, 86, "csi:0"},
		{"a command", "mjpeg", []string{"my camera"}, `command:'my camera' --quality="5 5" \--x`, Options{},
			`my camera --quality=5 5 --x`, 16, 90, "command my camera"},
		{"YUV4MPEG2", "y4m", []string{"cam"}, "command:cam", Options{}, "cam", 6, 90, "command cam"},
		{"bare frames", "raw", []string{"cam"}, "raw:I420:10x6:cam --width 10 --height 6 x", Options{}, "cam --width 10 --height 6 x", 10, 86, "command cam"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			called := filepath.Join(t.TempDir(), "called")
			t.Setenv(calledWith, called)
			install(t, tt.kind, tt.programs...)
			s := openAt(t, tt.address, tt.options)
			frame := nextFrame(t, s)
			if got := shadeOf(frame.Image); got != tt.shade || frame.Image.Bounds().Dx() != tt.width {
				t.Errorf("shade %d, %v; want %d, width %d", got, frame.Image.Bounds(), tt.shade, tt.width)
			}
			line, err := os.ReadFile(called)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.called, strings.ReplaceAll(string(line), "\n", " ")); diff != "" {
				t.Errorf("called (-want +got):\n%s", diff)
			}
			if s.Name() != tt.wantLabel {
				t.Errorf("name %q, want %q", s.Name(), tt.wantLabel)
			}
		})
	}
}

// What a program can do wrong is a temporary error that says so.
func TestProgramsFail(t *testing.T) {
	for kind, want := range map[string]string{
		"fail":  "camera: command cam: cam: exit status 3: ERROR: *** no cameras available ***; trying again in ",
		"end":   "cam has ended",
		"mute":  "it closed its output",
		"stall": "no complete picture for 200ms",
		"text":  "no JPEG in 1 MiB",
	} {
		t.Run(kind, func(t *testing.T) {
			install(t, kind, "cam")
			options := quick
			if kind == "stall" {
				options.FrameTimeout = 200 * time.Millisecond
			}
			nextFailure(t, openAt(t, "command:cam", Options{Stream: options}), want)
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	install(t, "mjpeg", "cam")
	plain := filepath.Join(t.TempDir(), "birds.mp4")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"":                           "no such file",
		"/no/such/folder":            "no such file",
		"file:/no/such/file":         "no such file",
		plain:                        "there is no program ffmpeg (install it",
		"usb:0":                      `no kind of camera "usb": give a path or one of v4l2:, rpicam:, csi:, http:, https:, rtsp:, rtsps:, command:, raw:, file:`,
		"rpicam:":                    "none of rpicam-vid, libcamera-vid and raspivid is there",
		"rpicam:front":               "the number of the camera is missing",
		"csi:":                       "the number of the camera is missing",
		"csi:0":                      "there is no program gst-launch-1.0",
		"command:":                   "the program is missing",
		"command:no-such-program -x": "there is no program no-such-program",
		"command:cam 'x":             "a quote is not closed",
		"raw:cam":                    "expected is raw:LAYOUT:WIDTHxHEIGHT:PROGRAM",
		"raw:RGB:6x4:cam":            "one of the layouts YUYV, UYVY, NV12, NV21, I420",
		"raw:I420:6x-4:cam":          "expected is raw:LAYOUT:WIDTHxHEIGHT:PROGRAM",
		"raw:I420:99999x4:cam":       "expected is raw:LAYOUT:WIDTHxHEIGHT:PROGRAM",
		"raw:I420:6x4:":              "the program is missing",
		"rtsp://u:p4ss@/x":           "not rtsp://HOST:PORT/PATH",
		"rtsp://u:p4ss@cam/stream":   "rtsp://cam:554/stream: there is no program ffmpeg",
		"http://u:p4ss@:80/stream":   "not http://HOST:PORT/PATH",
	} {
		s, err := Open(address, Options{})
		if s != nil || err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "camera: ") {
			t.Errorf("%q: error %v, want one with %q", address, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "p4ss") || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%q: error %q", address, err)
		}
	}
	for _, o := range []Options{{Width: -1, Height: 4}, {Width: 5000, Height: 5}, {FPS: -1}, {FPS: 2000}, {Stream: StreamOptions{FrameTimeout: -1}}} {
		if s, err := Open("command:cam", o); s != nil || err == nil {
			t.Errorf("%+v: %v, %v", o, s, err)
		}
	}
}

func TestSplit(t *testing.T) {
	for line, want := range map[string][]string{
		"a b  c\t":       {"a", "b", "c"},
		`a 'b c' "d 'e"`: {"a", "b c", "d 'e"},
		`a\ b "c\"d" ''`: {"a b", `c"d`, ""},
		`x 'a\b'`:        {"x", `a\b`},
		"grün größe":     {"grün", "größe"},
	} {
		got, err := split(line)
		if err != nil {
			t.Errorf("%q: %v", line, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", line, diff)
		}
	}
	for _, line := range []string{"", "  ", `a "b`, `a \`, "'' a"} {
		if got, err := split(line); err == nil {
			t.Errorf("%q: %q", line, got)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add(`a 'b c' "d"`)
	f.Add(`\`)
	f.Fuzz(func(t *testing.T, line string) {
		words, err := split(line)
		if (err == nil) != (len(words) > 0) {
			t.Fatalf("%q with error %v", words, err)
		}
		var quoted []string // what it makes of its own words is the same
		for _, w := range words {
			quoted = append(quoted, "'"+strings.ReplaceAll(w, "'", `'\''`)+"'")
		}
		if again, err := split(strings.Join(quoted, " ")); len(words) > 0 && (err != nil || !cmp.Equal(words, again)) {
			t.Fatalf("%q becomes %q, %v", words, again, err)
		}
	})
}

func FuzzOpen(f *testing.F) {
	for _, k := range kinds {
		f.Add(k.example)
	}
	f.Add("raw:NV12:1x1:")
	f.Add("rtsp://u:p@[::1]/x")
	f.Fuzz(func(t *testing.T, address string) {
		t.Setenv("PATH", "/nowhere")
		if strings.HasPrefix(address, "http") || strings.HasPrefix(address, "v4l2") || strings.HasPrefix(address, "/dev") {
			return // would reach out
		}
		s, err := Open(address, Options{})
		if (s == nil) == (err == nil) {
			t.Fatalf("%v with error %v", s, err)
		}
		if s != nil {
			s.Close()
		}
	})
}
