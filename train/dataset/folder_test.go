package dataset

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// classColours are the pictures of writeFolder.
var classColours = map[string]color.RGBA{"cat": {200, 40, 40, 255}, "dog": {40, 200, 40, 255}, "owl": {40, 40, 200, 255}}

func plainPicture(width, height int, c color.RGBA) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := 0; i < len(img.Pix); i += 4 {
		copy(img.Pix[i:], []byte{c.R, c.G, c.B, c.A})
	}
	return img
}

// writeFolder makes three classes of pictures of one colour each: four of a class in train, two in val and test. Sizes and
// formats differ.
func writeFolder(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "animals")
	for split, count := range map[string]int{"train": 4, "val": 2, "test": 2} {
		for class, c := range classColours {
			for i := range count {
				img := plainPicture(24+8*i, 40-8*i, c)
				path := filepath.Join(dir, split, class, fmt.Sprintf("%d", i))
				if i%2 == 0 {
					write(t, path+".jpg", encodeJPEG(t, img))
				} else {
					write(t, path+".PNG", encodePNG(t, img))
				}
			}
		}
	}
	return dir
}

func openAnimals(dir string) (Dataset, error) {
	return Open(Config{Kind: KindFolder, Path: dir, Size: 16})
}

func TestFolder(t *testing.T) {
	dir := writeFolder(t)
	for _, left := range []string{"train/.DS_Store", "train/cat/Thumbs.db", "val/dog/.hidden.jpg", "README.md"} {
		write(t, filepath.Join(dir, left), []byte("left behind"))
	}
	d, err := openAnimals(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := [3]int{d.Len(Train), d.Len(Validation), d.Len(Test)}, [3]int{12, 6, 6}; got != want {
		t.Errorf("lengths %v, want %v", got, want)
	}
	if diff := cmp.Diff([]string{"cat", "dog", "owl"}, d.Labels()); diff != "" || d.Name() != "animals" {
		t.Errorf("%s: %s", d.Name(), diff)
	}
	var img image.RGBA
	var order []int
	for i := range d.Len(Train) {
		label, err := d.Sample(Train, i, &img)
		if err != nil {
			t.Fatal(err)
		}
		order = append(order, label)
		turn := i / 3
		if size := image.Pt(24+8*turn, 40-8*turn); img.Rect.Size() != size {
			t.Errorf("sample %d is of %v, want %v", i, img.Rect.Size(), size)
		}
		want, got := classColours[d.Labels()[label]], img.RGBAAt(5, 5)
		for _, delta := range []int{int(want.R) - int(got.R), int(want.G) - int(got.G), int(want.B) - int(got.B)} {
			if delta < -3 || delta > 3 {
				t.Errorf("sample %d of class %d is %v, want %v", i, label, got, want)
			}
		}
	}
	if diff := cmp.Diff([]int{0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2}, order); diff != "" {
		t.Errorf("classes do not take turns: %s", diff)
	}
}

func TestFolderWithoutTest(t *testing.T) {
	dir := writeFolder(t)
	if err := os.RemoveAll(filepath.Join(dir, "test")); err != nil {
		t.Fatal(err)
	}
	d, err := openAnimals(dir)
	if err != nil {
		t.Fatal(err)
	}
	if d.Len(Test) != Absent {
		t.Errorf("test has %d samples", d.Len(Test))
	}
}

func TestFolderRefuses(t *testing.T) {
	remove := func(names ...string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			for _, name := range names {
				if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	put := func(name string, data []byte) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) { write(t, filepath.Join(dir, name), data) }
	}
	for _, tt := range []struct {
		name  string
		spoil func(t *testing.T, dir string)
		want  string // DIR is the folder
	}{
		{"no val", remove("val"),
			"dataset: open DIR/val: no such file or directory (pictures belong in train/CLASS/, val/CLASS/ and, if there are any to test with, test/CLASS/)"},
		{"no folder", remove(""),
			"dataset: open DIR/train: no such file or directory (pictures belong in train/CLASS/, val/CLASS/ and, if there are any to test with, test/CLASS/)"},
		{"classes missing from val", remove("val/cat", "val/owl"), "dataset: DIR/val: lacks classes of train: cat, owl"},
		{"class missing from test", remove("test/owl"), "dataset: DIR/test: lacks classes of train: owl"},
		{"class only in val", put("val/dgo/1.png", encodePNG(t, smooth(8, 8))), "dataset: DIR/val: has classes that train has not: dgo (misspelt?)"},
		{"empty class", remove("train/cat/0.jpg", "train/cat/1.PNG", "train/cat/2.jpg", "train/cat/3.PNG"),
			"dataset: DIR/train/cat: holds no picture: add some, or remove the class from every split"},
		{"one class", remove("train/cat", "train/dog"), "dataset: DIR/train: must have at least 2 classes, has 1"},
		{"picture beside the classes", put("train/stray.jpg", encodeJPEG(t, smooth(8, 8))),
			"dataset: DIR/train/stray.jpg: is no folder: pictures belong in the folder of their class"},
		{"other file in a class", put("train/cat/notes.txt", []byte("notes")),
			"dataset: DIR/train/cat/notes.txt: is no .jpg, .jpeg, .png or .webp file: convert or remove it"},
		{"folder in a class", put("train/cat/more/1.png", encodePNG(t, smooth(8, 8))),
			"dataset: DIR/train/cat/more: is no .jpg, .jpeg, .png or .webp file: convert or remove it"},
		{"folder like a picture", put("train/cat/more.png/1.png", encodePNG(t, smooth(8, 8))),
			"dataset: DIR/train/cat/more.png: is no file of at most 64 MiB"},
		{"files that are no pictures", func(t *testing.T, dir string) {
			put("train/cat/0.jpg", []byte("<html>not found</html>"))(t, dir)
			put("val/dog/0.jpg", nil)(t, dir)
		}, "dataset: DIR/train/cat/0.jpg: is neither JPEG, PNG nor WebP inside\ndataset: DIR/val/dog/0.jpg: is neither JPEG, PNG nor WebP inside"},
		{"huge picture", put("test/owl/1.PNG", pngHeader(60000, 60000)),
			"dataset: DIR/test/owl/1.PNG: 60000x60000 pixels: must be 1 to 16384 a side and 33554432 in all: make it smaller"},
		{"unprintable class", put("train/a\nb/1.png", encodePNG(t, smooth(8, 8))),
			`dataset: DIR/train: class name "a\nb": must be 1 to 200 bytes of printable text`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := writeFolder(t)
			tt.spoil(t, dir)
			d, err := openAnimals(dir)
			if got := strings.ReplaceAll(fmt.Sprint(err), dir, "DIR"); d != nil || got != tt.want {
				t.Errorf("got:  %s\nwant: %s", got, tt.want)
			}
		})
	}
}

func TestManyBadFilesAreCounted(t *testing.T) {
	dir := writeFolder(t)
	for i := range 14 {
		write(t, filepath.Join(dir, "train/cat", fmt.Sprintf("bad%d.jpg", i)), []byte("bad"))
	}
	_, err := openAnimals(dir)
	if lines := strings.Split(fmt.Sprint(err), "\n"); len(lines) != 11 || lines[10] != "dataset: and 4 files more" {
		t.Errorf("%d lines: %v", len(lines), err)
	}
}

// A file may be whole at its start alone. The loader's error names it.
func TestTruncatedPictureStopsTheLoader(t *testing.T) {
	dir := writeFolder(t)
	bad := filepath.Join(dir, "train/dog/2.jpg")
	picture := encodeJPEG(t, noise(64, 64, 0, 256))
	write(t, bad, picture[:len(picture)/2])
	d, err := openAnimals(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got error
	batches := 0
	for _, err := range newLoader(t, d, Options{Batch: 4, Augment: everything()}).Train(t.Context(), 0) {
		if err != nil {
			got = err
			break
		}
		batches++
	}
	if !strings.HasPrefix(fmt.Sprint(got), fmt.Sprintf("dataset: %s: JPEG: ", bad)) || batches > 2 {
		t.Errorf("after %d batches: %v", batches, got)
	}
}

func TestPictureThatVanishes(t *testing.T) {
	dir := writeFolder(t)
	d, err := openAnimals(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "val/cat/0.jpg")); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Sample(Validation, 0, new(image.RGBA)); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "val/cat/0.jpg") {
		t.Error(err)
	}
}
