package daemon

import (
	"math"
	"time"

	"github.com/fathom-edge/fathom/boards/camera"
	"github.com/fathom-edge/fathom/boards/camera/synthetic"
	"github.com/fathom-edge/fathom/daemon/scene"
	"github.com/fathom-edge/fathom/runtime/bundle"
)

// newSource opens the frame source of a configuration.
func newSource(c Config, m *bundle.Manifest) (camera.Source, error) {
	s := c.Source
	address := s.Address
	switch s.Kind {
	case SourceFolder:
		period := time.Duration(0)
		if s.FPS > 0 {
			period = time.Duration(float64(time.Second) / s.FPS)
		}
		return camera.NewFolder(s.Path, period, s.Loop, m.Labels...)
	case SourceSynthetic:
		return synthetic.New(synthetic.Options{
			Width: s.Width, Height: s.Height, FPS: s.FPS, Hold: time.Duration(s.Hold), Seed: s.Seed,
		})
	case SourceMJPEG:
		address = s.URL
	}
	width, height := leastPicture(m.Preprocess.Width, m.Preprocess.Height, c.Regions)
	return camera.Open(address, camera.Options{Width: width, Height: height, FPS: s.FPS, Loop: s.Loop, Labels: m.Labels})
}

// The least sides of a picture: the motion gate and the smoother look at so many points. And the greatest that are asked for.
const (
	leastSide    = 64
	greatestSide = 4096
)

// leastPicture is how many pixels a picture needs so that each region has those of the network's input.
func leastPicture(width, height int, regions []scene.Region) (int, int) {
	w, h := float64(max(width, leastSide)), float64(max(height, leastSide))
	for _, r := range regions {
		w, h = max(w, float64(width)/r.Width), max(h, float64(height)/r.Height)
	}
	return int(math.Ceil(min(w, greatestSide))), int(math.Ceil(min(h, greatestSide)))
}
