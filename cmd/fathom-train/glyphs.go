package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"time"

	"github.com/fathom-edge/fathom/glyphs"
	"github.com/fathom-edge/fathom/internal/atomicfile"
)

const progressInterval = time.Second

type glyphsCmd struct {
	Split  string `enum:"train,validation,test" default:"test" help:"Split to draw from (train, validation, test)."`
	Count  int    `default:"3400" help:"Number of samples, from the first of the split on."`
	Output string `short:"o" required:"" placeholder:"DIR" help:"Folder to write CLASS/INDEX.png to."`
}

func (c *glyphsCmd) Help() string {
	return "Example:\n\n  fathom-train glyphs --split test --count 3400 -o glyphs-test"
}

func (c *glyphsCmd) Run(ctx context.Context) error {
	if c.Count < 1 {
		return fmt.Errorf("--count is %d, must be at least 1", c.Count)
	}
	split, err := glyphs.ParseSplit(c.Split)
	if err != nil {
		return err
	}
	generator, err := glyphs.New()
	if err != nil {
		return err
	}
	for _, label := range glyphs.Labels {
		if err := os.MkdirAll(filepath.Join(c.Output, label), 0o755); err != nil {
			return err
		}
	}
	rgb := make([]byte, glyphs.SampleBytes)
	img := image.NewRGBA(image.Rect(0, 0, glyphs.Size, glyphs.Size))
	var encoded bytes.Buffer
	for i := range c.Count {
		if err := ctx.Err(); err != nil {
			return err
		}
		label := generator.Sample(split, uint64(i), rgb)
		for p := range glyphs.Size * glyphs.Size {
			img.SetRGBA(p%glyphs.Size, p/glyphs.Size, color.RGBA{rgb[3*p], rgb[3*p+1], rgb[3*p+2], 255})
		}
		encoded.Reset()
		if err := png.Encode(&encoded, img); err != nil {
			return err
		}
		path := filepath.Join(c.Output, glyphs.Labels[label], fmt.Sprintf("%06d.png", i))
		if err := atomicfile.Write(path, encoded.Bytes()); err != nil {
			return err
		}
	}
	fmt.Printf("%d images of %d classes in %s\n", c.Count, len(glyphs.Labels), c.Output)
	return nil
}
