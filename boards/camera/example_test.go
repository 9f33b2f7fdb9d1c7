package camera_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/fathom-edge/fathom/boards/camera"
)

// Any camera is read alike; here it is a folder with one picture.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "pictures")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	f, err := os.Create(filepath.Join(dir, "bird.png"))
	if err != nil {
		log.Fatal(err)
	}
	if err := errors.Join(png.Encode(f, image.NewGray(image.Rect(0, 0, 32, 24))), f.Close()); err != nil {
		log.Fatal(err)
	}

	source, err := camera.Open(dir, camera.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer source.Close()
	for {
		frame, err := source.Next(context.Background())
		switch {
		case errors.Is(err, camera.ErrTemporary):
			log.Print(err) // it goes on trying
		case err == io.EOF:
			return
		case err != nil:
			log.Fatal(err)
		default:
			fmt.Println(frame.Sequence, frame.Image.Bounds())
		}
	}
	// Output: 1 (0,0)-(32,24)
}
