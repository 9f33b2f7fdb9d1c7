package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"net"
	"net/http"
	"time"
)

// camera streams pictures again and again over HTTP.
type camera struct {
	net.Listener
	url     string
	picture []byte // the first
}

// newCamera streams 640x480 pixels with gradients, edges and noise.
func newCamera(rate int) (*camera, error) {
	rng := rand.New(rand.NewPCG(1, 2))
	img := image.NewRGBA(image.Rect(0, 0, 640, 480))
	for y := range 480 {
		for x := range 640 {
			v := 40 + (x+y)/8 + rng.IntN(24)
			if (x/80+y/80)%2 == 0 {
				v += 60
			}
			img.SetRGBA(x, y, color.RGBA{uint8(v), uint8(255 - v), uint8(v / 2), 255})
		}
	}
	picture, err := encoded(img)
	if err != nil {
		return nil, err
	}
	return stream(rate, [][]byte{picture}, func(int) {})
}

func encoded(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 85})
	return b.Bytes(), err
}

// stream sends pictures in turn, and tells the number of each, from 1 on, when all of it was sent.
func stream(rate int, pictures [][]byte, sent func(number int)) (*camera, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &camera{l, "http://" + l.Addr().String() + "/stream", pictures[0]}
	go func() {
		_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=frame")
			tick := time.NewTicker(time.Second / time.Duration(rate))
			defer tick.Stop()
			for number := 1; r.Context().Err() == nil; number++ {
				<-tick.C
				picture := pictures[number%len(pictures)]
				if _, err := fmt.Fprintf(w, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n", len(picture), picture); err != nil {
					return
				}
				if err := http.NewResponseController(w).Flush(); err != nil {
					return
				}
				sent(number)
			}
		}))
	}()
	return c, nil
}
