package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// picture draws smooth colours with some rectangles on them; every number gives another one.
func picture(number, size int) *image.NRGBA {
	random := rand.New(rand.NewPCG(uint64(number), 0))
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	type wave struct{ x, y, phase, height float64 }
	var waves [3][6]wave
	var level [3]float64
	for c := range 3 {
		level[c] = 255 * random.Float64()
		for i := range waves[c] {
			waves[c][i] = wave{random.NormFloat64() * 12, random.NormFloat64() * 12, 7 * random.Float64(), 60 * random.NormFloat64()}
		}
	}
	boxes := make([]struct {
		at image.Rectangle
		of [3]float64
	}, random.IntN(6))
	for i := range boxes {
		x, y := random.IntN(size), random.IntN(size)
		boxes[i].at = image.Rect(x, y, x+random.IntN(size/2)+4, y+random.IntN(size/2)+4)
		boxes[i].of = [3]float64{255 * random.Float64(), 255 * random.Float64(), 255 * random.Float64()}
	}
	for y := range size {
		for x := range size {
			var rgb [3]uint8
			for c := range 3 {
				v := level[c]
				for _, w := range waves[c] {
					v += w.height * math.Cos((w.x*float64(x)+w.y*float64(y))/float64(size)+w.phase)
				}
				for _, b := range boxes {
					if image.Pt(x, y).In(b.at) {
						v = b.of[c]
					}
				}
				rgb[c] = uint8(min(max(v, 0), 255))
			}
			img.SetNRGBA(x, y, color.NRGBA{rgb[0], rgb[1], rgb[2], 255})
		}
	}
	return img
}

// writePictures writes pictures as PNG, one file each.
func writePictures(dir string, first, count, size int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for i := range count {
		var data bytes.Buffer
		if err := png.Encode(&data, picture(first+i, size)); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%03d.png", i)), data.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// values are pictures as [count, size, size, 3]: (p/255 - mean) / std.
func values(first, count, size int, mean, std [3]float32) []float32 {
	all := make([]float32, 0, count*size*size*3)
	for i := range count {
		for p, v := range picture(first+i, size).Pix {
			if c := p % 4; c < 3 {
				all = append(all, (float32(v)/255-mean[c])/std[c])
			}
		}
	}
	return all
}

// writeNPY writes an array in NumPy's format, version 1.0.
func writeNPY(file string, shape []int, data []float32) error {
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%s,), }", strings.Trim(strings.ReplaceAll(fmt.Sprint(shape), " ", ", "), "[]"))
	header += strings.Repeat(" ", 63-(10+len(header))%64) + "\n"
	out := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), byte(len(header)>>8))
	out = append(out, header...)
	out, err := binary.Append(out, binary.LittleEndian, data)
	if err != nil {
		return err
	}
	return os.WriteFile(file, out, 0o644)
}
