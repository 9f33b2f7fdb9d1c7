package main

import (
	"fmt"
	"image"
	"image/draw"
	_ "image/jpeg" // decodes DATA/CLASS/*.jpg
	_ "image/png"  // decodes DATA/CLASS/*.png
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/fathom-edge/fathom/glyphs"
)

const (
	// defaultGlyphs is a hundred of each class.
	defaultGlyphs = 3400
	// More than any camera of a board gives: a file of some kilobytes may claim any
	// size, and each pixel takes four bytes.
	maxImageSide   = 16384
	maxImagePixels = 1 << 27
)

// dataset is a list of labelled images. One goroutine may use it.
type dataset struct {
	count int
	// at returns sample i, which is valid until the next call.
	at func(i int) (img image.Image, label int, err error)
}

// openData opens what the command line names; labels are those of the bundle.
func openData(name string, labels []string) (*dataset, error) {
	if spec, ok := strings.CutPrefix(name, "glyphs:"); ok {
		return openGlyphs(spec, labels)
	}
	return openFolder(name, labels)
}

// openGlyphs takes SPLIT or SPLIT:COUNT.
func openGlyphs(spec string, labels []string) (*dataset, error) {
	if !slices.Equal(labels, glyphs.Labels) {
		return nil, fmt.Errorf("eval: the bundle's labels are not those of glyphs: give a folder of images of its own classes")
	}
	name, number, counted := strings.Cut(spec, ":")
	split, err := glyphs.ParseSplit(name)
	if err != nil {
		return nil, &usageError{err}
	}
	count := defaultGlyphs
	if counted {
		count, err = strconv.Atoi(number)
		if err != nil || count < 1 {
			return nil, &usageError{fmt.Errorf("glyphs:%s: the count must be a whole number above 0", spec)}
		}
	}
	generator, err := glyphs.New()
	if err != nil {
		return nil, err
	}
	rgb := make([]byte, glyphs.SampleBytes)
	img := image.NewRGBA(image.Rect(0, 0, glyphs.Size, glyphs.Size))
	return &dataset{count: count, at: func(i int) (image.Image, int, error) {
		label := generator.Sample(split, uint64(i), rgb)
		for p := range glyphs.Size * glyphs.Size {
			copy(img.Pix[4*p:], rgb[3*p:3*p+3])
			img.Pix[4*p+3] = 255
		}
		return img, label, nil
	}}, nil
}

// openFolder lists DATA/CLASS/*.{png,jpg,jpeg}. Classes take turns, so that the
// first samples are of all classes.
func openFolder(dir string, labels []string) (*dataset, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("eval: %w (DATA is a folder of images or glyphs:test)", err)
	}
	type file struct {
		path        string
		label, turn int
	}
	var files []file
	for _, class := range entries {
		if !class.IsDir() || strings.HasPrefix(class.Name(), ".") {
			continue
		}
		label := slices.Index(labels, class.Name())
		if label < 0 {
			return nil, fmt.Errorf("eval: folder %s is no label of the bundle: closest are %s",
				filepath.Join(dir, class.Name()), strings.Join(closest(class.Name(), labels), ", "))
		}
		images, err := os.ReadDir(filepath.Join(dir, class.Name()))
		if err != nil {
			return nil, fmt.Errorf("eval: %w", err)
		}
		turn := 0
		for _, img := range images {
			if isImage(img.Name()) {
				files = append(files, file{filepath.Join(dir, class.Name(), img.Name()), label, turn})
				turn++
			}
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("eval: %s holds no images: they belong in %s", dir, filepath.Join(dir, "CLASS", "*.png"))
	}
	slices.SortStableFunc(files, func(a, b file) int { return a.turn - b.turn })
	return &dataset{count: len(files), at: func(i int) (image.Image, int, error) {
		img, err := readImage(files[i].path)
		return img, files[i].label, err
	}}, nil
}

func isImage(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".png", ".jpg", ".jpeg":
		return !strings.HasPrefix(name, ".")
	}
	return false
}

// readImage decodes a file to a type that preprocessing takes.
func readImage(path string) (image.Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("eval: %w", err)
	}
	defer f.Close()
	config, _, err := image.DecodeConfig(f)
	if err == nil && (config.Width > maxImageSide || config.Height > maxImageSide) {
		err = fmt.Errorf("%dx%d pixels, more than %d a side", config.Width, config.Height, maxImageSide)
	}
	if err == nil && config.Width*config.Height > maxImagePixels {
		err = fmt.Errorf("%dx%d pixels, more than %d in all", config.Width, config.Height, maxImagePixels)
	}
	if err == nil {
		_, err = f.Seek(0, 0)
	}
	var img image.Image
	if err == nil {
		img, _, err = image.Decode(f)
	}
	if err != nil {
		return nil, fmt.Errorf("eval: %s: %w (damaged? remove or replace it)", path, err)
	}
	switch img.(type) {
	case *image.RGBA, *image.NRGBA, *image.Gray, *image.YCbCr:
		return img, nil
	}
	rgba := image.NewRGBA(img.Bounds())
	draw.Draw(rgba, rgba.Rect, img, img.Bounds().Min, draw.Src)
	return rgba, nil
}

// closest are the up to three labels that take the fewest edits to name.
func closest(name string, labels []string) []string {
	sorted := slices.Clone(labels)
	slices.SortStableFunc(sorted, func(a, b string) int { return edits(name, a) - edits(name, b) })
	return sorted[:min(3, len(sorted))]
}

// edits is the Levenshtein distance, ignoring case.
func edits(a, b string) int {
	from, to := []rune(strings.ToLower(a)), []rune(strings.ToLower(b))
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i := range from {
		diagonal := row[0]
		row[0] = i + 1
		for j := range to {
			change := diagonal
			if from[i] != to[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, diagonal+1, row[j]+1)
		}
	}
	return row[len(to)]
}
