package camera

import (
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Options say what frames are for. Zero values mean the defaults.
type Options struct {
	// Width and Height are the network's input in pixels, by which cameras that have
	// a choice of sizes are set, and which JPEGs may be decoded down to; default 224x224.
	Width, Height int
	// FPS is how many frames are wanted in a second; default 15. Of a folder it is the
	// rate at which pictures are shown, and 0 shows each when it is asked for.
	FPS float64
	// Loop begins a folder or a video file again at its end.
	Loop bool
	// Labels are what the folders of an image folder may be named after.
	Labels []string
	Stream StreamOptions
}

func (o Options) withDefaults() (Options, error) {
	if o.Width == 0 && o.Height == 0 {
		o.Width, o.Height = 224, 224
	}
	if o.FPS == 0 {
		o.FPS = 15
	}
	if o.Stream.Least == (image.Point{}) {
		o.Stream.Least = image.Pt(o.Width, o.Height)
	}
	switch {
	case min(o.Width, o.Height) < 1 || max(o.Width, o.Height) > maxSide:
		return o, fmt.Errorf("camera: frames for an input of %dx%d pixels: each side must be 1 to %d", o.Width, o.Height, maxSide)
	case !(o.FPS > 0 && o.FPS <= 1000):
		return o, fmt.Errorf("camera: %v frames a second: must be more than 0, at most 1000", o.FPS)
	}
	return o, nil
}

// kinds are the beginnings of addresses, in the order in which they are explained.
var kinds = []struct {
	scheme, example string
	open            func(rest, address string, o Options) (Source, error)
}{
	{"v4l2", "v4l2:/dev/video0", openKernel},
	{"rpicam", "rpicam:", openRaspberry},
	{"csi", "csi:0", openJetson},
	{"http", "http://camera.local:8081/stream", openWeb},
	{"https", "https://camera.local/snapshot.jpg", openWeb},
	{"rtsp", "rtsp://camera.local/stream", openFFmpegStream},
	{"rtsps", "rtsps://camera.local/stream", openFFmpegStream},
	{"command", "command:my-camera --mjpeg", openCommand},
	{"raw", "raw:I420:640x480:my-camera --raw", openRaw},
	{"file", "file:birds.mp4", openPath},
}

// Open starts the camera at an address:
//
//	v4l2:/dev/video0                   a camera of the kernel; v4l2: alone takes the first
//	rpicam:1                           a Raspberry Pi camera by its number; rpicam: alone is number 0
//	csi:0                              a camera at a Jetson's connector
//	http://HOST/PATH                   a stream of JPEGs, or a single JPEG that is asked for again and again
//	rtsp://HOST/PATH                   through ffmpeg
//	command:PROGRAM ARGUMENTS          writes JPEGs or YUV4MPEG2 to its standard output
//	raw:LAYOUT:WxH:PROGRAM ARGUMENTS   writes bare frames: YUYV, UYVY, NV12, NV21 or I420
//	PATH or file:PATH                  a folder of images, or a video file through ffmpeg
//
// Errors are one line, without credentials. Once it is open, a camera that is away
// is a temporary error of Next.
func Open(address string, o Options) (Source, error) {
	for _, k := range kinds {
		if rest, ok := strings.CutPrefix(address, k.scheme+":"); ok {
			return opened(k.open(rest, address, o))
		}
	}
	if scheme, _, ok := strings.Cut(address, ":"); ok && !strings.ContainsAny(scheme, "/.") {
		if _, err := os.Stat(address); err != nil {
			return nil, fmt.Errorf("camera: there is no kind of camera %q: give a path or one of %s", scheme, strings.Join(schemes(), ", "))
		}
	}
	if strings.HasPrefix(address, "/dev/video") {
		return opened(openKernel(address, address, o))
	}
	return opened(openPath(address, address, o))
}

// opened makes a nil source of a nil *Stream.
func opened(s Source, err error) (Source, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// IsAddress reports whether Open takes a text for more than a path.
func IsAddress(text string) bool {
	scheme, _, ok := strings.Cut(text, ":")
	return ok && slices.Contains(schemes(), scheme+":")
}

func schemes() []string {
	var all []string
	for _, k := range kinds {
		all = append(all, k.scheme+":")
	}
	return all
}

func openWeb(_, address string, o Options) (Source, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return newHTTP(address, o.FPS, o.Stream)
}

func openPath(path, _ string, o Options) (Source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("camera: %w", err)
	}
	if !info.IsDir() {
		return openVideo(path, o)
	}
	period := time.Duration(0)
	if o.FPS > 0 {
		period = time.Duration(float64(time.Second) / o.FPS)
	}
	return NewFolder(filepath.Clean(path), period, o.Loop, o.Labels...)
}
