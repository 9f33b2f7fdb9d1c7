package daemon

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fathom-edge/fathom/boards/camera/synthetic"
)

// The synthetic camera moves, flickers and is noisy; only a new glyph is a new scene.
func TestSceneChangesOfTheSyntheticCamera(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := synthetic.New(synthetic.Options{Hold: 2 * time.Second, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		s := NewSmoother(time.Second)
		var changes, seen, within, falsely, scene int
		for at := 0; at < 600; at++ { // two minutes at 5 frames/s
			f, err := c.Next(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			now := int(f.Sequence) / 30
			changed := s.sceneChanged(f.Image)
			if now != scene {
				changes++
				if changed {
					seen++
				}
			} else {
				within++
				if changed {
					falsely++
				}
			}
			scene = now
			time.Sleep(190 * time.Millisecond)
		}
		t.Logf("%d of %d changes seen, %d of %d frames falsely", seen, changes, falsely, within)
		if changes < 50 || seen*10 < changes*8 || falsely*50 > within {
			t.Errorf("%d of %d changes seen, %d of %d frames falsely taken for one", seen, changes, falsely, within)
		}
	})
}
