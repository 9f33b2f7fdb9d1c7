package snapshots

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func name(n int) string { return fmt.Sprintf("20260501T12%02d00.000Z-%d-cat.jpg", n, n) }

// names lists a folder.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func folder(t *testing.T, change func(*Config)) (*Folder, string) {
	t.Helper()
	c := DefaultConfig()
	c.Folder = filepath.Join(t.TempDir(), "pictures")
	if change != nil {
		change(&c)
	}
	f, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return f, c.Folder
}

func TestNames(t *testing.T) {
	for class, want := range map[string]string{
		"great tit": "X-great_tit.jpg", "../../etc/passwd": "X-______etc_passwd.jpg", "Kohlmeise-♂": "X-Kohlmeise-_.jpg",
		"": "X-.jpg", strings.Repeat("é", 300): "X-" + strings.Repeat("_", 40) + ".jpg",
	} {
		if got := Name("X", class); got != want {
			t.Errorf("%q: %q, want %q", class, got, want)
		}
		if !ours.MatchString(Name("20260501T120000.000Z-7", class)) {
			t.Errorf("%q is not recognized", class)
		}
	}
}

// A clock that was years ahead once leaves names that sort behind all others: they are no reason to delete the newest.
func TestPicturesOfTheFutureGoFirst(t *testing.T) {
	f, dir := folder(t, nil)
	future := []string{"20991231T235959.000Z-1-cat.jpg", "20991231T235959.500Z-2-cat.jpg"}
	for _, n := range append(future, name(1), name(2)) {
		if err := f.Save(n, []byte("picture")); err != nil {
			t.Fatal(err)
		}
	}
	again, err := Open(Config{Folder: dir, Files: 4, Bytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{name(3), name(4)} {
		if err := again.Save(n, []byte("picture")); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{name(1), name(2), name(3), name(4)}, names(t, dir)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestTheOldestGo(t *testing.T) {
	f, dir := folder(t, func(c *Config) { c.Files, c.Bytes = 3, 1<<20 })
	foreign := []string{"holiday.jpg", "notes.txt"}
	for _, n := range foreign {
		if err := os.WriteFile(filepath.Join(dir, n), make([]byte, 2<<20), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 5 {
		if err := f.Save(name(n), make([]byte, 100<<10)); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(append([]string{name(2), name(3), name(4)}, foreign...), names(t, dir)); diff != "" {
		t.Errorf("by count (-want +got):\n%s", diff)
	}
	if err := f.Save(name(5), make([]byte, 900<<10)); err != nil { // needs the room of two
		t.Fatal(err)
	}
	if diff := cmp.Diff(append([]string{name(4), name(5)}, foreign...), names(t, dir)); diff != "" {
		t.Errorf("by bytes (-want +got):\n%s", diff)
	}
	again, err := Open(f.config)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f.Stats(), again.Stats()); diff != "" {
		t.Errorf("after a restart: %s", diff)
	}
	if err := f.Save(name(6), make([]byte, 2<<20)); err == nil || len(names(t, dir)) != 4 {
		t.Errorf("a picture beyond all bounds: %v, %v", err, names(t, dir))
	}
}

func TestInterruptedWritesAreTakenAway(t *testing.T) {
	_, dir := folder(t, nil)
	for _, n := range []string{"." + name(1) + ".tmp-123", ".somebody.tmp-1"} {
		if err := os.WriteFile(filepath.Join(dir, n), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := DefaultConfig()
	c.Folder = dir
	if _, err := Open(c); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{".somebody.tmp-1"}, names(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestAnHourHasItsBound(t *testing.T) {
	f, _ := folder(t, func(c *Config) { c.PerHour = 2 })
	var got []bool
	for _, minute := range []int{0, 10, 20, 59, 60, 65, 70} {
		got = append(got, f.Reserve(noon.Add(time.Duration(minute)*time.Minute)))
	}
	if diff := cmp.Diff([]bool{true, true, false, false, true, false, true}, got); diff != "" {
		t.Error(diff)
	}
}

// What is there stays when nothing more can be written, and it goes on when it can.
func TestDiskThatComesBack(t *testing.T) {
	f, dir := folder(t, nil)
	if err := f.Save(name(1), []byte("jpeg")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // so that it cannot be made again
		t.Fatal(err)
	}
	for n := range 3 {
		if err := f.Save(name(2+n), []byte("jpeg")); err == nil {
			t.Error("saved to nowhere")
		}
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir+".away", dir); err != nil {
		t.Fatal(err)
	}
	if err := f.Save(name(7), []byte("jpeg")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{name(1), name(7)}, names(t, dir)); diff != "" {
		t.Error(diff)
	}
	if f.Save("../x.jpg", nil) == nil {
		t.Error("a name from elsewhere")
	}
}

func TestCopyIsItsOwn(t *testing.T) {
	red := color.RGBA{200, 10, 10, 255}
	r := image.Rect(10, 20, 74, 68)
	whole := image.NewRGBA(r.Inset(-4))
	yuv := image.NewYCbCr(r, image.YCbCrSubsampleRatio420)
	for i := range yuv.Y {
		yuv.Y[i] = 90
	}
	for i := range whole.Pix {
		whole.Pix[i] = []byte{red.R, red.G, red.B, red.A}[i%4]
	}
	for _, m := range []image.Image{whole.SubImage(r), yuv, yuv.SubImage(r.Inset(3))} {
		for _, width := range []int{1000, 32} {
			c := Copy(m, width)
			if got, want := c.Bounds().Dx(), min(width, m.Bounds().Dx()); got != want {
				t.Errorf("%T: %d pixels wide, want %d", m, got, want)
			}
			before, err := Encode(c, 85)
			if err != nil {
				t.Fatal(err)
			}
			clear(whole.Pix)
			clear(yuv.Y)
			if after, _ := Encode(c, 85); !bytes.Equal(before, after) {
				t.Errorf("%T changes with its source", m)
			}
			if _, err := jpeg.Decode(bytes.NewReader(before)); err != nil {
				t.Error(err)
			}
			for i := range yuv.Y {
				yuv.Y[i] = 90
			}
			for i := range whole.Pix {
				whole.Pix[i] = []byte{red.R, red.G, red.B, red.A}[i%4]
			}
		}
	}
}

func TestConfigRefused(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"files: 0": func(c *Config) { c.Files = 0 }, "bytes: 7": func(c *Config) { c.Bytes = 7 }, "width: 1": func(c *Config) { c.Width = 1 },
		"quality: 101": func(c *Config) { c.Quality = 101 }, "per_hour: 0": func(c *Config) { c.PerHour = 0 },
		`on: "born" is none of appeared, gone`: func(c *Config) { c.On = []string{"born"} },
	} {
		c := DefaultConfig()
		change(&c)
		if err := c.Validate("appeared", "gone"); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
