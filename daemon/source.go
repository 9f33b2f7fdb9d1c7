package daemon

import (
	"time"

	"github.com/fathom-edge/fathom/boards/camera"
	"github.com/fathom-edge/fathom/boards/camera/synthetic"
	"github.com/fathom-edge/fathom/runtime/bundle"
)

// newSource opens the frame source of a configuration.
func newSource(c Source, m *bundle.Manifest) (camera.Source, error) {
	switch c.Kind {
	case SourceCamera:
		return camera.Open(c.Address, camera.Options{Width: m.Preprocess.Width, Height: m.Preprocess.Height, FPS: c.FPS, Loop: c.Loop, Labels: m.Labels})
	case SourceFolder:
		period := time.Duration(0)
		if c.FPS > 0 {
			period = time.Duration(float64(time.Second) / c.FPS)
		}
		return camera.NewFolder(c.Path, period, c.Loop, m.Labels...)
	case SourceMJPEG:
		return camera.Open(c.URL, camera.Options{FPS: c.FPS})
	}
	return synthetic.New(synthetic.Options{
		Width: c.Width, Height: c.Height, FPS: c.FPS, Hold: time.Duration(c.Hold), Seed: c.Seed,
	})
}
