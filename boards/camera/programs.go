package camera

import (
	"bufio"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/fathom-edge/fathom/runtime/frame"
)

// sizes are what cameras with any size are asked for, small to large: multiples of 64
// wide, since some programs fill up rows of raw frames to that.
var (
	sizes43  = [][2]int{{320, 240}, {640, 480}, {1024, 768}, {1280, 960}, {1600, 1200}}
	sizes169 = [][2]int{{512, 288}, {640, 360}, {1024, 576}, {1280, 720}, {1920, 1080}}
)

// covering is the smallest size that is as large as the network's input, or the largest.
func covering(sizes [][2]int, o Options) (width, height int) {
	for _, s := range sizes {
		if width, height = s[0], s[1]; width >= o.Width && height >= o.Height {
			break
		}
	}
	return width, height
}

// rate is the whole number of frames a second that programs are asked for.
func (o Options) rate() string { return strconv.Itoa(int(math.Ceil(o.FPS))) }

// open shows what the program writes.
func (p program) open(name string, reason func(error) string, o Options) (Source, error) {
	if _, err := exec.LookPath(p.argv[0]); err != nil {
		return nil, fmt.Errorf("camera: %s: there is no program %s (install it, or check the PATH)", name, p.argv[0])
	}
	return newStream(link{name, p.start, reason}, o.Stream)
}

// openRaspberry takes whichever program the release of Pi OS has.
func openRaspberry(index, _ string, o Options) (Source, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if index == "" {
		index = "0"
	}
	if _, err := strconv.ParseUint(index, 10, 8); err != nil {
		return nil, fmt.Errorf("camera: rpicam:%s: the number of the camera is missing (e.g. rpicam:0)", index)
	}
	w, h := covering(sizes43, o)
	width, height := strconv.Itoa(w), strconv.Itoa(h)
	for _, name := range []string{"rpicam-vid", "libcamera-vid"} {
		if _, err := exec.LookPath(name); err == nil {
			// Raw frames, in the colours of JPEG: nothing is encoded and decoded again.
			return program{pictures: 1, decoder: rawFrames(frame.I420, frame.BT601Full, w, h), argv: []string{
				name, "--camera", index, "-t", "0", "-n", "--codec", "yuv420", "--width", width, "--height", height,
				"--framerate", o.rate(), "-o", "-"}}.open("rpicam:"+index, error.Error, o)
		}
	}
	if _, err := exec.LookPath("raspivid"); err == nil {
		return program{pictures: 1, decoder: recognize, argv: []string{
			"raspivid", "-cs", index, "-t", "0", "-n", "-cd", "MJPEG", "-w", width, "-h", height,
			"-fps", o.rate(), "-o", "-"}}.open("rpicam:"+index, error.Error, o)
	}
	return nil, errors.New("camera: rpicam: none of rpicam-vid, libcamera-vid and raspivid is there (sudo apt install rpicam-apps)")
}

// openJetson lets the board's own hardware scale. libargus writes messages to the
// standard output, so pictures come from another descriptor.
func openJetson(index, _ string, o Options) (Source, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if _, err := strconv.ParseUint(index, 10, 8); err != nil {
		return nil, fmt.Errorf("camera: csi:%s: the number of the camera is missing (e.g. csi:0)", index)
	}
	w, h := covering(sizes169, o)
	return program{pictures: 3, decoder: rawFrames(frame.I420, frame.BT601Limited, w, h), argv: []string{
		"gst-launch-1.0", "-q", "nvarguscamerasrc", "sensor-id=" + index, "!",
		"video/x-raw(memory:NVMM),width=1280,height=720,format=NV12,framerate=30/1", "!",
		"nvvidconv", "!", fmt.Sprintf("video/x-raw,width=%d,height=%d,format=I420", w, h), "!",
		"queue", "leaky=downstream", "max-size-buffers=1", "!", "fdsink", "fd=3", "sync=false",
	}}.open("csi:"+index, error.Error, o)
}

// ffmpeg is a program that decodes anything and scales it down to what is needed, never up.
func ffmpeg(o Options, ends bool, input ...string) program {
	w, h := covering(sizes43, o)
	scale := fmt.Sprintf("fps=%s,scale=w='min(iw,%d)':h='min(ih,%d)':force_original_aspect_ratio=increase:force_divisible_by=2:out_color_matrix=bt601:out_range=tv,format=yuv420p",
		o.rate(), w, h)
	argv := append([]string{"ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error"}, input...)
	return program{pictures: 1, decoder: recognize, ends: ends,
		argv: append(argv, "-an", "-sn", "-vf", scale, "-f", "yuv4mpegpipe", "-")}
}

func openFFmpegStream(_, address string, o Options) (Source, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	a, err := parseAddress(address, "rtsp", "rtsps")
	if err != nil {
		return nil, err
	}
	return ffmpeg(o, false, "-rtsp_transport", "tcp", "-i", address).open(a.shown, a.reason, o)
}

// openVideo plays a file at its own speed, to its end.
func openVideo(path string, o Options) (Source, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	path = filepath.Clean(path)
	input := []string{"-re"}
	if o.Loop {
		input = append(input, "-stream_loop", "-1")
	}
	return ffmpeg(o, true, append(input, "-i", "file:"+path)...).open("file "+path, error.Error, o)
}

func openCommand(line, _ string, o Options) (Source, error) {
	return runs(line, recognize, o)
}

// openRaw takes LAYOUT:WxH:PROGRAM ARGUMENTS.
func openRaw(text, _ string, o Options) (Source, error) {
	wrong := fmt.Errorf("camera: raw:%s: expected is raw:LAYOUT:WIDTHxHEIGHT:PROGRAM with one of the layouts YUYV, UYVY, NV12, NV21, I420", text)
	parts := strings.SplitN(text, ":", 3)
	if len(parts) < 3 {
		return nil, wrong
	}
	ws, hs, _ := strings.Cut(parts[1], "x")
	width, errW := strconv.Atoi(ws)
	height, errH := strconv.Atoi(hs)
	if errW != nil || errH != nil || min(width, height) < 1 || max(width, height) > maxSide {
		return nil, wrong
	}
	for _, layout := range []frame.Layout{frame.YUYV, frame.UYVY, frame.NV12, frame.NV21, frame.I420} {
		if layout.String() == parts[0] {
			return runs(parts[2], rawFrames(layout, frame.BT601Limited, width, height), o)
		}
	}
	return nil, wrong
}

func runs(line string, d func(*bufio.Reader) (decoder, error), o Options) (Source, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	argv, err := split(line)
	if err != nil {
		return nil, err
	}
	// Arguments may hold passwords: the name is the program alone.
	return program{argv: argv, pictures: 1, decoder: d}.open("command "+argv[0], error.Error, o)
}

// split cuts a command line into words at spaces; ' and " keep words together, and \
// takes away the meaning of what follows, but not between '. No shell is involved.
func split(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	inside, quote, escaped := false, rune(0), false
	for _, r := range line {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, inside = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inside = r, true
		case r == ' ' || r == '\t':
			if inside {
				words = append(words, word.String())
			}
			word.Reset()
			inside = false
		default:
			word.WriteRune(r)
			inside = true
		}
	}
	if quote != 0 || escaped {
		return nil, errors.New("camera: command: a quote is not closed")
	}
	if inside {
		words = append(words, word.String())
	}
	if len(words) == 0 || words[0] == "" {
		return nil, errors.New("camera: command: the program is missing (e.g. command:my-camera --mjpeg)")
	}
	return words, nil
}
