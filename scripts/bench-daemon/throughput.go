package main

import (
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"time"

	cameras "github.com/fathom-edge/fathom/boards/camera"
	"github.com/fathom-edge/fathom/internal/results"
	bundles "github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/engine"
)

// The bundle whose network is slower than the camera, which bench-engine makes, and how fast that is, frames/s.
const (
	slowBundle = ".cache/engine/mobilenetv2-float32"
	fastRate   = 100
)

const (
	throughputPairs  = 5
	throughputWindow = 8 * time.Second
)

// throughput is how many frames fathomd classifies as fast as it can, beside the inference of the same variant alone, in turn.
func throughput() ([]results.Row, error) {
	b, err := bundles.Open(slowBundle)
	if err != nil {
		return nil, fmt.Errorf("%w (run  go run ./scripts/bench-engine families)", err)
	}
	state, err := os.MkdirTemp("", "bench-daemon")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(state)
	camera, err := newCamera(fastRate)
	if err != nil {
		return nil, err
	}
	defer camera.Close()
	config := filepath.Join(state, "fathomd.yaml")
	text := fmt.Sprintf("source: {kind: camera, address: %q, fps: %d}\ntarget_rate: %[2]d\nthreads: 1\npolicy: {kind: fixed}\n", camera.url, fastRate)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	var shares, rates, alone, inferring []float64
	for range throughputPairs {
		bare, err := bareRate(b, camera.picture)
		if err != nil {
			return nil, err
		}
		rate, inference, err := rateAtWork(state, config)
		if err != nil {
			return nil, err
		}
		if rate > 0.8*fastRate {
			return nil, fmt.Errorf("%.0f frames/s are hardly fewer than the camera gives", rate)
		}
		shares, rates, alone = append(shares, 100*rate/bare), append(rates, rate), append(alone, bare)
		inferring = append(inferring, 100*inference)
	}
	return []results.Row{
		row("throughput", fmt.Sprintf("Frames that fathomd classifies as fast as it can, as a share of what bare inference does on one thread: MobileNetV2 at 224x224, a camera of %d frames/s of 640x480 MJPEG; median of pairs", fastRate), shares, "%", ">=", 95),
		row("throughput-fathomd", "Frames that fathomd classifies in a second there", rates, "1/s", "", 0),
		row("throughput-bare", "Inferences in a second alone", alone, "1/s", "", 0),
		row("throughput-inference", "Share of its time for which fathomd infers there, wall-clock; the rest is waiting, decoding, tensors and telling", inferring, "%", "", 0),
	}, nil
}

// bareRate is how often the deepest variant runs in a second, by the time that inference alone takes.
func bareRate(b *bundles.Bundle, picture []byte) (float64, error) {
	e, err := engine.Open(b, engine.Options{Threads: 1})
	if err != nil {
		return 0, err
	}
	defer e.Close()
	if err := e.SetActive(b.Manifest.Variants[len(b.Manifest.Variants)-1].Name); err != nil {
		return 0, err
	}
	img, err := cameras.DecodeJPEG(picture, image.Pt(b.Manifest.Preprocess.Width, b.Manifest.Preprocess.Height), nil)
	if err != nil {
		return 0, err
	}
	var busy time.Duration
	n := 0
	for began := time.Now(); time.Since(began) < throughputWindow; n++ {
		r, err := e.Infer(img)
		if err != nil {
			return 0, err
		}
		busy += r.Latency
	}
	return float64(n) / busy.Seconds(), nil
}

// rateAtWork is how many frames fathomd classifies in a second once it runs, and for which share of that it infers.
func rateAtWork(state, config string) (rate, inference float64, err error) {
	p, err := launch(slowBundle, state, "--config", config)
	if err != nil {
		return 0, 0, err
	}
	time.Sleep(3 * time.Second)
	before, err := p.metrics()
	began := time.Now()
	if err != nil {
		return 0, 0, errors.Join(err, p.stop())
	}
	time.Sleep(throughputWindow)
	after, err := p.metrics()
	took := time.Since(began).Seconds()
	if err := errors.Join(err, p.stop()); err != nil {
		return 0, 0, err
	}
	grown := func(name string) float64 { return (sum(after, name) - sum(before, name)) / took }
	return grown("fathom_frames_total"), grown("fathom_inference_seconds_sum"), nil
}
