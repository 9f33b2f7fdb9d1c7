// Command sheet draws a contact sheet of samples, to look at:
//
//	go run ./glyphs/sheet -split test -o sheet.png
package main

import (
	"flag"
	"fmt"
	"image"
	"image/png"
	"os"

	"github.com/fathom-edge/fathom/glyphs"
)

func main() {
	split := flag.String("split", "train", "train, validation or test")
	out := flag.String("o", "sheet.png", "PNG file to write")
	rows := flag.Int("rows", 12, "rows of samples")
	columns := flag.Int("columns", 17, "samples in a row")
	first := flag.Uint64("first", 0, "index of the first sample")
	zoom := flag.Int("zoom", 3, "pixels of the sheet for one of a sample")
	flag.Parse()
	if err := run(*split, *out, *rows, *columns, *first, *zoom); err != nil {
		fmt.Fprintln(os.Stderr, "sheet:", err)
		os.Exit(1)
	}
}

func run(splitName, out string, rows, columns int, first uint64, zoom int) error {
	split, err := glyphs.ParseSplit(splitName)
	if err != nil {
		return err
	}
	g, err := glyphs.New()
	if err != nil {
		return err
	}
	const gap = 4
	cell := glyphs.Size*zoom + gap
	sheet := image.NewRGBA(image.Rect(0, 0, columns*cell, rows*cell))
	sample := make([]byte, glyphs.SampleBytes)
	for i := range rows * columns {
		label := g.Sample(split, first+uint64(i), sample)
		if i%columns == 0 {
			fmt.Println()
		}
		fmt.Printf("%-4s", glyphs.Labels[label])
		x0, y0 := i%columns*cell, i/columns*cell
		for y := range glyphs.Size * zoom {
			for x := range glyphs.Size * zoom {
				src := sample[(y/zoom*glyphs.Size+x/zoom)*3:]
				dst := sheet.Pix[sheet.PixOffset(x0+x, y0+y):]
				dst[0], dst[1], dst[2], dst[3] = src[0], src[1], src[2], 255
			}
		}
	}
	fmt.Println()
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	if err := png.Encode(f, sheet); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
