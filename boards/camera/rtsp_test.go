package camera

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"net"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	rtsp "github.com/bluenviron/gortsplib/v4/pkg/format"
)

// rtspCamera serves one stream of MJPEG to whoever asks.
type rtspCamera struct{ stream *gortsplib.ServerStream }

func (c *rtspCamera) OnDescribe(*gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return &base.Response{StatusCode: base.StatusOK}, c.stream, nil
}

func (c *rtspCamera) OnSetup(*gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return &base.Response{StatusCode: base.StatusOK}, c.stream, nil
}

func (c *rtspCamera) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// A real RTSP server, a real ffmpeg: pictures come, and come again after the server was away.
func TestRTSP(t *testing.T) {
	ffmpegOrSkip(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := listener.Addr().String()
	listener.Close()
	serve := func(shade uint8) (stop func()) {
		camera := &rtspCamera{}
		server := &gortsplib.Server{Handler: camera, RTSPAddress: at}
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		media := &description.Media{Type: description.MediaTypeVideo, Formats: []rtsp.Format{&rtsp.MJPEG{}}}
		camera.stream = &gortsplib.ServerStream{Server: server, Desc: &description.Session{Medias: []*description.Media{media}}}
		if err := camera.stream.Initialize(); err != nil {
			t.Fatal(err)
		}
		encoder, err := (&rtsp.MJPEG{}).CreateEncoder()
		if err != nil {
			t.Fatal(err)
		}
		img := image.NewRGBA(image.Rect(0, 0, 320, 240))
		for y := range 240 {
			for x := range 320 {
				img.Set(x, y, color.Gray{shade})
			}
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, img, nil); err != nil {
			t.Fatal(err)
		}
		done, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			for stamp := uint32(0); ; stamp += 90000 / 20 {
				packets, err := encoder.Encode(b.Bytes())
				if err != nil {
					t.Error(err)
					return
				}
				for _, p := range packets {
					p.Timestamp = stamp
					if err := camera.stream.WritePacketRTP(media, p); err != nil {
						t.Error(err)
					}
				}
				select {
				case <-done:
					return
				case <-time.After(50 * time.Millisecond):
				}
			}
		}()
		return func() {
			close(done)
			<-ended
			camera.stream.Close()
			server.Close()
		}
	}

	stop := serve(120)
	s := openAt(t, "rtsp://"+at+"/stream", Options{})
	if frame := nextFrame(t, s); shadeOf(frame.Image) < 118 || shadeOf(frame.Image) > 122 || frame.Image.Bounds().Dx() != 320 {
		t.Errorf("shade %d, %v", shadeOf(frame.Image), frame.Image.Bounds())
	}
	stop()
	nextFailure(t, s, "trying again in")
	defer serve(200)()
	for frame := nextFrame(t, s); shadeOf(frame.Image) < 198; frame = nextFrame(t, s) {
	}
}
