package camera

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// ffmpegOrSkip makes a video with ffmpeg itself: 1 s of a test picture, 640x360 at 10 frames a second.
func ffmpegOrSkip(t *testing.T) (video string) {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("ffmpeg is not there: make deps")
		}
		t.Skip("ffmpeg is not there: make deps")
	}
	video = filepath.Join(t.TempDir(), "birds: 50% off.mp4") // of characters that mean something to ffmpeg
	cmd := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=640x360:rate=10:duration=1", "-c:v", "mpeg4", "file:"+video)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return video
}

// A file plays at its own speed, scaled to cover the input, and ends.
func TestVideoFile(t *testing.T) {
	video := ffmpegOrSkip(t)
	s := openAt(t, video, Options{Width: 200, Height: 100, FPS: 10})
	seen, last := 0, uint64(0)
	for {
		frame, err := s.Next(within(t))
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		// 640x360 with 240 lines is 426.7 pixels wide; ffmpeg rounds to an even number.
		if b := frame.Image.Bounds(); b.Dy() != 240 || b.Dx() < 426 || b.Dx() > 428 {
			t.Fatalf("picture of %v", b)
		}
		seen++
		last = frame.Sequence
	}
	if last != 10 || seen < 3 {
		t.Errorf("%d pictures of %d, want 10", seen, last)
	}
	if _, err := s.Next(context.Background()); err != io.EOF {
		t.Errorf("after the end: %v", err)
	}
}

func TestVideoLoop(t *testing.T) {
	video := ffmpegOrSkip(t)
	s := openAt(t, "file:"+video, Options{FPS: 10, Loop: true})
	for {
		if frame := nextFrame(t, s); frame.Sequence > 12 {
			return
		}
	}
}

// A file that is no video is an error that names it.
func TestNoVideo(t *testing.T) {
	ffmpegOrSkip(t)
	broken := filepath.Join(t.TempDir(), "broken.mp4")
	if err := os.WriteFile(broken, []byte("no video"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := nextFailure(t, openAt(t, broken, Options{}), "Invalid data found when processing input")
	if !errors.Is(err, ErrTemporary) {
		t.Error(err)
	}
}

// Nobody answers: the address is told without its password.
func TestRTSPAway(t *testing.T) {
	ffmpegOrSkip(t)
	err := nextFailure(t, openAt(t, "rtsp://admin:S3cret@127.0.0.1:1/stream?key=t0ken", Options{}), "Connection refused")
	for _, secret := range []string{"S3cret", "t0ken"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("error %q shows %q", err, secret)
		}
	}
}

// A command of one's own, as docs/cameras.md has it, with pictures that another encoder than Go's wrote.
func TestCommandOfJPEGs(t *testing.T) {
	video := ffmpegOrSkip(t)
	s := openAt(t, "command:ffmpeg -v error -stream_loop -1 -re -i 'file:"+video+"' -f mjpeg -", Options{})
	for range 3 {
		if b := nextFrame(t, s).Image.Bounds(); b.Dx() != 640 || b.Dy() != 360 {
			t.Fatalf("picture of %v", b)
		}
	}
}
