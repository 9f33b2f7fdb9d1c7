package engine

import (
	"image"
	"time"
)

// SegmentTimes runs one frame with the active variant, and appends to took how
// long each segment of its path ran, the copy of its input included: what a
// profile's costs of segments are made from. It belongs to the goroutine of Infer.
func (e *Engine) SegmentTimes(img image.Image, took []time.Duration) ([]time.Duration, error) {
	e.frames.Lock()
	defer e.frames.Unlock()
	v, err := e.begin(time.Time{}, time.Time{})
	if err != nil {
		return took, err
	}
	n := e.frame.network
	if err := n.preprocess(img); err != nil {
		return took, err
	}
	for i := range v.path {
		start := time.Now()
		if err := v.invoke(i, n.input); err != nil {
			return took, err
		}
		took = append(took, time.Since(start))
	}
	return took, nil
}
