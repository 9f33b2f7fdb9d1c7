package camera

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fathom-edge/fathom/runtime/frame"
)

// The test binary stands in for programs of cameras: with standIn set, it behaves as
// that says. What it was called with goes to the file that calledWith names, and the
// numbers of its processes to that of processes.
const (
	standIn    = "FATHOM_CAMERA_STANDIN"
	calledWith = "FATHOM_CAMERA_CALLED"
	processes  = "FATHOM_CAMERA_PROCESSES"
)

func TestMain(m *testing.M) {
	if kind := os.Getenv(standIn); kind != "" {
		os.Exit(act(kind))
	}
	os.Exit(m.Run())
}

func act(kind string) int {
	if file := os.Getenv(calledWith); file != "" {
		os.WriteFile(file, []byte(strings.Join(append([]string{filepath.Base(os.Args[0])}, os.Args[1:]...), "\n")), 0o600)
	}
	note(os.Getpid())
	switch kind {
	case "mjpeg":
		return repeat(os.Stdout, picture(16, 8, 90))
	case "raw": // of the size that it is asked for
		size := map[string]int{}
		for i, a := range os.Args[:len(os.Args)-1] {
			size[a], _ = strconv.Atoi(os.Args[i+1])
		}
		return repeat(os.Stdout, grayI420(size["--width"], size["--height"], 90))
	case "jetson":
		fmt.Println("GST_ARGUS: Creating output stream")
		return repeat(os.NewFile(3, "pictures"), grayI420(512, 288, 90))
	case "y4m":
		fmt.Print("YUV4MPEG2 W6 H4 F30:1 Ip A1:1 C420jpeg XCOLORRANGE=FULL\n")
		return repeat(os.Stdout, append([]byte("FRAME\n"), grayI420(6, 4, 90)...))
	case "fail":
		fmt.Fprint(os.Stderr, "starting\nERROR: *** no cameras available ***\n\n")
		return 3
	case "end":
		os.Stdout.Write(picture(16, 8, 90))
		return 0
	case "mute":
		os.Stdout.Close()
		time.Sleep(time.Hour)
	case "stall":
		os.Stdout.Write(picture(16, 8, 90))
		time.Sleep(time.Hour)
	case "text":
		return repeat(os.Stdout, bytes.Repeat([]byte("no pictures here, only words\n"), 10000))
	case "stubborn": // and so is its child
		signal.Ignore(syscall.SIGTERM, syscall.SIGPIPE, syscall.SIGHUP)
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), standIn+"=stubborn child")
		child.Start()
		for {
			os.Stdout.Write(picture(16, 8, 90))
			time.Sleep(10 * time.Millisecond)
		}
	case "stubborn child":
		signal.Ignore(syscall.SIGTERM, syscall.SIGPIPE, syscall.SIGHUP)
		time.Sleep(time.Hour)
	case "owner": // a daemon with a camera, which will be killed
		os.Setenv(standIn, "stubborn")
		if _, err := Open("command:"+os.Args[0], Options{}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		time.Sleep(time.Hour)
	}
	return 0
}

func note(pid int) {
	if file := os.Getenv(processes); file != "" {
		f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err == nil {
			fmt.Fprintln(f, pid)
			f.Close()
		}
	}
}

// repeat writes until nobody reads.
func repeat(w io.Writer, data []byte) int {
	for {
		if _, err := w.Write(data); err != nil {
			return 0
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func picture(width, height int, shade uint8) []byte {
	img := image.NewGray(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = shade
	}
	var b bytes.Buffer
	jpeg.Encode(&b, img, nil)
	return b.Bytes()
}

func grayI420(width, height int, shade uint8) []byte {
	pix := slices.Repeat([]byte{128}, frame.I420.Size(width, height, 0))
	for i := range pix[:width*height] {
		pix[i] = shade
	}
	return pix
}

// install puts stand-ins of one kind where programs are looked for, with nothing beside them.
func install(t *testing.T, kind string, names ...string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range names {
		if err := os.Symlink(self, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	t.Setenv(standIn, kind)
}

// openAt opens an address for a test that does not want to wait.
func openAt(t *testing.T, address string, o Options) *Stream {
	t.Helper()
	if o.Stream == (StreamOptions{}) {
		o.Stream = quick
	}
	s, err := Open(address, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.(*Stream)
}
