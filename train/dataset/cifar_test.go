package dataset

import (
	"bytes"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// small is a layout with files of n records.
func small(l cifarLayout, n int) cifarLayout {
	shrink := func(files []cifarFile) []cifarFile {
		files = slices.Clone(files)
		for i := range files {
			files[i].records = n
		}
		return files
	}
	l.train, l.test = shrink(l.train), shrink(l.test)
	return l
}

// cifarByte is what the files of writeCIFAR hold at a place of a picture.
func cifarByte(file, record, place int) byte {
	return byte(file*31 + record*7 + place*3 + place/cifarPlane*50)
}

// writeCIFAR makes a folder; record r of each file is of class r % classes.
func writeCIFAR(t testing.TB, l cifarLayout) string {
	t.Helper()
	dir := t.TempDir()
	for number, f := range append(slices.Clone(l.train), l.test...) {
		var data bytes.Buffer
		for r := range f.records {
			for _, limit := range l.labels {
				data.WriteByte(byte(r % limit))
			}
			for i := range 3 * cifarPlane {
				data.WriteByte(cifarByte(number, r, i))
			}
		}
		write(t, filepath.Join(dir, f.name), data.Bytes())
	}
	var names []string
	for i := range l.classes() {
		names = append(names, fmt.Sprintf("class_%d", i))
	}
	write(t, filepath.Join(dir, l.names), []byte(strings.Join(names, "\n")+"\n\n"))
	return dir
}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestCIFAR(t *testing.T) {
	for _, tt := range []struct {
		layout                  cifarLayout
		train, validation, test int
		// what the first sample of validation is: of which file and record
		file, record int
	}{
		// Ten files' worth of each class make 50 images: the last five, which the last file holds, are held out.
		{small(cifar10, 100), 450, 50, 100, 4, 50},
		{small(cifar100, 1000), 900, 100, 1000, 0, 900},
	} {
		t.Run(tt.layout.name, func(t *testing.T) {
			dir := writeCIFAR(t, tt.layout)
			spec := Config{Kind: tt.layout.name}.spec()
			s, err := openCIFAR(dir, tt.layout, spec)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := [3]int{s.Len(Train), s.Len(Validation), s.Len(Test)}, [3]int{tt.train, tt.validation, tt.test}; got != want {
				t.Errorf("lengths %v, want %v", got, want)
			}
			if s.Name() != tt.layout.name || s.Spec() != spec || len(s.Labels()) != tt.layout.classes() || s.Labels()[1] != "class_1" {
				t.Errorf("%s, %v, %v", s.Name(), s.Spec(), s.Labels())
			}
			perClass := make([]int, tt.layout.classes())
			var img image.RGBA
			for i := range s.Len(Validation) {
				label, err := s.Sample(Validation, i, &img)
				if err != nil {
					t.Fatal(err)
				}
				perClass[label]++
			}
			if slices.Min(perClass) != slices.Max(perClass) {
				t.Errorf("validation holds unequal numbers of the classes: %v", perClass)
			}
			label, err := s.Sample(Validation, 0, &img)
			if err != nil || label != tt.record%tt.layout.classes() || img.Rect != image.Rect(0, 0, 32, 32) {
				t.Fatalf("label %d, %v, %v", label, img.Rect, err)
			}
			for i := range cifarPlane {
				want := [4]byte{cifarByte(tt.file, tt.record, i), cifarByte(tt.file, tt.record, cifarPlane+i),
					cifarByte(tt.file, tt.record, 2*cifarPlane+i), 255}
				if got := [4]byte(img.Pix[4*i:]); got != want {
					t.Fatalf("pixel %d is %v, want %v", i, got, want)
				}
			}
		})
	}
}

// The sizes of the published files, in bytes.
func TestCIFARFileSizes(t *testing.T) {
	for _, tt := range []struct {
		layout      cifarLayout
		train, test []int
	}{
		{cifar10, []int{30730000, 30730000, 30730000, 30730000, 30730000}, []int{30730000}},
		{cifar100, []int{153700000}, []int{30740000}},
	} {
		sizes := func(files []cifarFile) (bytes []int) {
			for _, f := range files {
				bytes = append(bytes, f.records*tt.layout.recordBytes())
			}
			return bytes
		}
		if train, test := sizes(tt.layout.train), sizes(tt.layout.test); !slices.Equal(train, tt.train) || !slices.Equal(test, tt.test) {
			t.Errorf("%s: %v and %v, want %v and %v", tt.layout.name, train, test, tt.train, tt.test)
		}
	}
	// What Open asks for is the published layout.
	if _, err := Open(Config{Kind: KindCIFAR100, Path: writeCIFAR(t, small(cifar100, 1))}); err == nil || !strings.Contains(err.Error(), "want 153700000") {
		t.Error(err)
	}
}

func TestCIFARRefuses(t *testing.T) {
	l := small(cifar100, 4)
	record := l.recordBytes()
	change := func(name string, f func([]byte) []byte) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			path := filepath.Join(dir, name)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			write(t, path, f(data))
		}
	}
	for _, tt := range []struct {
		name  string
		spoil func(t *testing.T, dir string)
		want  string // DIR is the folder
	}{
		{"cut short", change("train.bin", func(b []byte) []byte { return b[:len(b)-1] }),
			"dataset: DIR/train.bin: 12295 bytes, want 12296 (4 records of 3074): cut short? Unpack the archive again"},
		{"a record too many", change("test.bin", func(b []byte) []byte { return append(b, b[:record]...) }),
			"dataset: DIR/test.bin: 15370 bytes, want 12296 (4 records of 3074): cut short? Unpack the archive again"},
		{"empty", change("test.bin", func(b []byte) []byte { return nil }),
			"dataset: DIR/test.bin: 0 bytes, want 12296 (4 records of 3074): cut short? Unpack the archive again"},
		{"class out of range", change("train.bin", func(b []byte) []byte { b[2*record+1] = 100; return b }),
			"dataset: DIR/train.bin: record 2 (from 0): label byte 1 is 100, must be below 100 (damaged? Unpack the archive again)"},
		{"superclass out of range", change("test.bin", func(b []byte) []byte { b[3*record] = 20; return b }),
			"dataset: DIR/test.bin: record 3 (from 0): label byte 0 is 20, must be below 20 (damaged? Unpack the archive again)"},
		{"missing", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, "test.bin")) },
			"dataset: cifar100: stat DIR/test.bin: no such file or directory (path is the folder with the files of the binary version)"},
		{"no names", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, "fine_label_names.txt")) },
			"dataset: class names: open DIR/fine_label_names.txt: no such file or directory"},
		{"few names", change("fine_label_names.txt", func([]byte) []byte { return []byte("apple\nbaby\n") }),
			"dataset: DIR/fine_label_names.txt: 2 class names, want 100, one a line (unpack the archive again)"},
		{"a name twice", change("fine_label_names.txt", func(b []byte) []byte { return bytes.Replace(b, []byte("class_7\n"), []byte("class_8\n"), 1) }),
			`dataset: DIR/fine_label_names.txt: class name "class_8" is there twice`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := writeCIFAR(t, l)
			tt.spoil(t, dir)
			s, err := openCIFAR(dir, l, Config{Kind: KindCIFAR100}.spec())
			if got := strings.ReplaceAll(fmt.Sprint(err), dir, "DIR"); s != nil || got != tt.want {
				t.Errorf("got:  %s\nwant: %s", got, tt.want)
			}
		})
	}
}

func FuzzCIFAR(f *testing.F) {
	for _, l := range []cifarLayout{cifar10, cifar100} {
		record := make([]byte, l.recordBytes())
		f.Add(record, l.name == "cifar100")
		f.Add(record[1:], l.name == "cifar100")
		f.Add(append(slices.Clone(record), bytes.Repeat([]byte{255}, l.recordBytes())...), l.name == "cifar100")
	}
	f.Fuzz(func(t *testing.T, data []byte, hundred bool) {
		l := cifar10
		if hundred {
			l = cifar100
		}
		records, err := l.parse(data)
		if (err == nil) != (records != nil) {
			t.Fatalf("%d records, %v", len(records), err)
		}
		if err == nil && len(records)*l.recordBytes() != len(data) {
			t.Fatalf("%d records in %d bytes", len(records), len(data))
		}
		for i, r := range records {
			first := i * l.recordBytes()
			if r.label < 0 || r.label >= l.classes() || !bytes.Equal(r.planes, data[first+len(l.labels):first+l.recordBytes()]) {
				t.Fatalf("record %d: label %d, %d bytes", i, r.label, len(r.planes))
			}
		}
	})
}
