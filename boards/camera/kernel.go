package camera

import (
	"context"
	"errors"
	"image"

	"github.com/fathom-edge/fathom/boards/camera/v4l2"
	"github.com/fathom-edge/fathom/runtime/frame"
)

// openKernel reads a camera with a /dev/video node.
func openKernel(path, _ string, o Options) (Source, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	wish := v4l2.Wish{Width: o.Width, Height: o.Height, FPS: o.FPS}
	connect := func(context.Context) (feed, error) {
		path := path
		if path == "" {
			found := v4l2.Devices("/dev")
			if len(found) == 0 {
				return nil, errors.New("no camera found among /dev/video* (plugged in? is the user in the group video?)")
			}
			path = found[0].Path
		}
		device, err := v4l2.Open(path, wish)
		if err != nil {
			return nil, err
		}
		return kernelFeed{device}, nil
	}
	return newStream(link{"v4l2:" + path, connect, error.Error}, o.Stream)
}

type kernelFeed struct{ device *v4l2.Device }

func (f kernelFeed) next(ctx context.Context, buf []byte) ([]byte, error) {
	return f.device.Next(ctx, buf)
}

func (f kernelFeed) picture(data []byte, least image.Point, over image.Image) (image.Image, error) {
	d := f.device
	layout, raw := d.Mode.FourCC.Layout()
	if !raw {
		return DecodeJPEG(data, least, over)
	}
	return frame.New(layout, d.Colour, data, d.Mode.Width, d.Mode.Height, d.Stride)
}

func (f kernelFeed) close() { f.device.Close() }
