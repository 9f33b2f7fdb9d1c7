//go:build cgo

package main

import (
	"bytes"
	"image"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/fathom-edge/fathom/convert/family"
	"github.com/fathom-edge/fathom/convert/familytest"
	"github.com/fathom-edge/fathom/convert/onnx"
	"github.com/fathom-edge/fathom/convert/onnx/pb"
)

// TestConvertRefusesBadInput gives what people bring by mistake, or on purpose:
// one line that names the trouble, exit code 1, and nothing written.
func TestConvertRefusesBadInput(t *testing.T) {
	const deep = "net-A-2-1"
	model := func(change func(g *onnx.GraphProto)) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			path := filepath.Join(dir, deep+".onnx")
			m := new(pb.ModelProto)
			if err := proto.Unmarshal(content(t, path), m); err != nil {
				t.Fatal(err)
			}
			change(m.Graph)
			data, err := proto.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			put(t, path, data)
		}
	}
	bytesOf := func(file string, change func(data []byte) []byte) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			path := filepath.Join(dir, file)
			put(t, path, change(content(t, path)))
		}
	}
	located := func(location string) func(t *testing.T, dir string) {
		return model(func(g *onnx.GraphProto) { g.Initializer[0].ExternalData[0].Value = location })
	}
	weights := func(value float32) func(t *testing.T, dir string) {
		return model(func(g *onnx.GraphProto) {
			w := g.Initializer[0]
			n, _ := onnx.Elements(w.Dims)
			data := make([]float32, n)
			data[n/2] = value
			g.Initializer[0] = onnx.FloatTensor(w.Name, w.Dims, data)
		})
	}
	for name, c := range map[string]struct {
		spoil func(t *testing.T, dir string)
		want  []string
	}{
		"empty model":           {bytesOf(deep+".onnx", func([]byte) []byte { return nil }), []string{deep, "no graph in it"}},
		"model cut short":       {bytesOf(deep+".onnx", func(d []byte) []byte { return d[:len(d)/2] }), []string{deep, "not an ONNX model"}},
		"another file":          {bytesOf(deep+".onnx", func([]byte) []byte { return []byte("<html>Not found</html>") }), []string{deep, "not an ONNX model"}},
		"external data missing": {func(t *testing.T, dir string) { remove(t, filepath.Join(dir, "weights.bin")) }, []string{"weights.bin", "copy the file beside the model"}},
		"external data cut":     {bytesOf("weights.bin", func(d []byte) []byte { return d[:len(d)/2] }), []string{"weights.bin", "cut short?"}},
		"external data above":   {located("../weights.bin"), []string{"outside the model's folder"}},
		"external data at root": {located("/etc/passwd"), []string{"outside the model's folder"}},
		"external data linked": {func(t *testing.T, dir string) {
			path := filepath.Join(dir, "weights.bin")
			outside := filepath.Join(t.TempDir(), "weights.bin")
			put(t, outside, content(t, path))
			remove(t, path)
			if err := os.Symlink(outside, path); err != nil {
				t.Fatal(err)
			}
		}, []string{"weights.bin", "escapes"}},
		"circle": {model(func(g *onnx.GraphProto) { g.Node[0].Input[0] = g.Node[3].Output[0] }), []string{deep, "wait for one another in a circle"}},
		"wrong shape": {model(func(g *onnx.GraphProto) {
			g.Initializer[0].Dims[0]++
			g.Initializer[0].ExternalData = g.Initializer[0].ExternalData[:2]
		}),
			[]string{deep}},
		"weights of another input": {model(func(g *onnx.GraphProto) { g.Input[0] = onnx.FloatValue("image", 1, 4, 8, 8) }), []string{deep, "input has 4 channels, weights want 3"}},
		"weights not a number":     {weights(float32(math.NaN())), []string{deep, "not finite"}},
		"weights infinite":         {weights(float32(math.Inf(-1))), []string{deep, "not finite"}},
		"operator unknown":         {model(func(g *onnx.GraphProto) { g.Node[0].OpType = "NonMaxSuppression" }), []string{deep, "NonMaxSuppression"}},
		"no family.json":           {func(t *testing.T, dir string) { remove(t, filepath.Join(dir, family.FileName)) }, []string{family.FileName, "no such file"}},
		"family.json cut short":    {bytesOf(family.FileName, func(d []byte) []byte { return d[:len(d)-20] }), []string{family.FileName}},
		"model missing":            {func(t *testing.T, dir string) { remove(t, filepath.Join(dir, deep+".onnx")) }, []string{deep, "copy the whole folder"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir, parent := t.TempDir(), t.TempDir()
			t.Setenv("TMPDIR", parent)
			if _, err := familytest.Write(dir, tinyFamily()); err != nil {
				t.Fatal(err)
			}
			c.spoil(t, dir)
			refuses(t, c.want, "convert", dir, "-o", filepath.Join(parent, "b"))
			if left, _ := os.ReadDir(parent); len(left) > 0 {
				t.Errorf("%v is left behind", left)
			}
		})
	}
}

func TestConvertRefusesBadOutput(t *testing.T) {
	dir, parent := t.TempDir(), t.TempDir()
	if _, err := familytest.Write(dir, tinyFamily()); err != nil {
		t.Fatal(err)
	}
	file, foreign := filepath.Join(parent, "file"), filepath.Join(parent, "foreign")
	put(t, file, []byte("keep"))
	if err := os.Mkdir(foreign, 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(foreign, "thesis.tex"), []byte("keep"))
	for out, want := range map[string]string{
		file:                      "not a directory",
		filepath.Join(file, "b"):  "not a directory",
		"/proc/self/fathom/b":     "/proc/self/fathom",
		foreign:                   "not empty and not a bundle",
		filepath.Join(parent, ""): "not empty and not a bundle",
	} {
		refuses(t, []string{want}, "convert", dir, "-o", out)
	}
	for _, kept := range []string{file, filepath.Join(foreign, "thesis.tex")} {
		if string(content(t, kept)) != "keep" {
			t.Errorf("%s was overwritten", kept)
		}
	}
}

// refuses wants exit code 1 and one line on standard error.
func refuses(t *testing.T, want []string, args ...string) {
	t.Helper()
	code, stdout, stderr := fathom(args...)
	if code != exitFailure || stdout != "" || strings.Count(stderr, "\n") != 1 {
		t.Errorf("%v: exit %d, stdout %q, stderr %q", args, code, stdout, stderr)
	}
	for _, w := range want {
		if !strings.Contains(stderr, w) {
			t.Errorf("%v: stderr is %q, want %q in it", args, stderr, w)
		}
	}
}

func content(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func put(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// FuzzReadImage reads damaged images as calibration and eval do.
func FuzzReadImage(f *testing.F) {
	var p, j bytes.Buffer
	if err := png.Encode(&p, noise(1)); err != nil {
		f.Fatal(err)
	}
	if err := jpeg.Encode(&j, noise(2), nil); err != nil {
		f.Fatal(err)
	}
	f.Add(p.Bytes())
	f.Add(j.Bytes())
	path := filepath.Join(f.TempDir(), "image.png")
	f.Fuzz(func(t *testing.T, data []byte) {
		put(t, path, data)
		img, err := readImage(path)
		if (err == nil) != (img != nil) {
			t.Fatalf("image %v with error %v", img, err)
		}
		if err != nil {
			return
		}
		if b := img.Bounds(); b.Empty() || b.Dx()*b.Dy() > maxImagePixels {
			t.Fatalf("an image of %v was read", b)
		}
		if config, _, err := image.DecodeConfig(bytes.NewReader(data)); err != nil || config.Width != img.Bounds().Dx() {
			t.Fatalf("%v, %v: not the image of %v", config, err, img.Bounds())
		}
	})
}
