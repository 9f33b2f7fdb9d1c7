package main

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/fathom-edge/fathom/internal/results"
)

const demoFamily = "testdata/families/demo"

// fewerCuts are the thresholds, in KiB of weights that a cut must save, that the
// depthwise network is also converted with; 64 is the converter's own.
var fewerCuts = []int{512, 1536}

// families makes all bundles. It has no rows of its own.
func families() ([]results.Row, error) {
	if err := os.RemoveAll(cache); err != nil {
		return nil, err
	}
	images := cache + "calibration"
	if err := writeImages(images); err != nil {
		return nil, err
	}
	for _, n := range networks {
		if err := n.write(cache + n.name); err != nil {
			return nil, err
		}
		if err := convertTo(cache+n.name, n.name+"-float32", "--layout both"); err != nil {
			return nil, err
		}
		if err := convertTo(cache+n.name, n.name+"-int8", "--layout both --precision int8 --calibration "+images); err != nil {
			return nil, err
		}
	}
	for _, kib := range fewerCuts {
		if err := convertTo(cache+"mobilenetv2", fewer(kib), fmt.Sprintf("--min-saving %d", kib)); err != nil {
			return nil, err
		}
	}
	if err := convertTo(demoFamily, "demo-float32", "--layout both"); err != nil {
		return nil, err
	}
	return nil, convertTo(demoFamily, "demo-cut", "--min-saving 1")
}

func fewer(kib int) string { return fmt.Sprintf("mobilenetv2-cut-%d", kib) }

func convertTo(family, bundle, flags string) error {
	_, err := results.Run(fmt.Sprintf("bin/fathom convert %s -o %s%s %s", family, cache, bundle, flags))
	return err
}

// writeImages writes noise: int8 needs ranges, and what they are changes no latency.
func writeImages(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(1, 0))
	for i := range 2 {
		img := image.NewRGBA(image.Rect(0, 0, 224, 224))
		for y := range 224 {
			for x := range 224 {
				img.SetRGBA(x, y, color.RGBA{byte(random.Uint32()), byte(random.Uint32()), byte(random.Uint32()), 255})
			}
		}
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%d.png", i)))
		if err != nil {
			return err
		}
		if err := png.Encode(f, img); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}
