package camera

import (
	"bufio"
	"bytes"
	"image"
	"image/jpeg"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// thumbnail is a JPEG with another one inside, as cameras put it into APP1.
func thumbnail(t testing.TB, shade uint8) []byte {
	inner, outer := picture(8, 8, 1), picture(16, 8, shade)
	app := append([]byte{0xFF, 0xE1, byte((len(inner) + 2) >> 8), byte(len(inner) + 2)}, inner...)
	return bytes.Join([][]byte{outer[:2], app, outer[2:]}, nil)
}

// noisy is a JPEG with bytes of 0xFF among its samples.
func noisy(t testing.TB) []byte {
	img := image.NewGray(image.Rect(0, 0, 64, 64))
	for i := range img.Pix {
		img.Pix[i] = byte(i * i * 7919 >> 3)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(b.Bytes(), []byte{0xFF, 0}) {
		t.Fatal("no byte of 0xFF")
	}
	return b.Bytes()
}

func TestJPEGReader(t *testing.T) {
	one, two, thumb, noise := picture(16, 8, 10), picture(8, 8, 20), thumbnail(t, 30), noisy(t)
	withRestart := bytes.Join([][]byte{one[:len(one)-2], {0xFF, 0xD3}, one[len(one)-2:]}, nil)
	filled := bytes.Join([][]byte{one[:2], {0xFF, 0xFF}, one[2 : len(one)-2], {0xFF}, one[len(one)-2:]}, nil)
	unknown := bytes.Join([][]byte{one[:2], {0xFF, 0xEE, 0, 4, 0xFF, 0xD9}, one[2:]}, nil)
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for _, tt := range []struct {
		name   string
		stream []byte
		want   [][]byte
		err    string
	}{
		{"one after the other", join(one, two, thumb, noise, one), [][]byte{one, two, thumb, noise, one}, "EOF"},
		{"garbage between", join([]byte("hello \xff\xff\x00"), one, []byte("\r\n\xff\xd9\xffx"), two), [][]byte{one, two}, "EOF"},
		{"restart markers", join(withRestart, two), [][]byte{withRestart, two}, "EOF"},
		{"an end within a segment", join(unknown, two), [][]byte{unknown, two}, "EOF"},
		{"fill bytes go", join(filled, two), [][]byte{one, two}, "EOF"},
		{"breaks off in its head, then begins anew", join(one[:2], two), [][]byte{two}, "EOF"},
		{"breaks off in its samples, then begins anew", join(one[:len(one)-2], two), [][]byte{two}, "EOF"},
		{"breaks off", join(one, two[:len(two)-1]), [][]byte{one}, "unexpected EOF"},
		{"nonsense", join(startOfJPEG, []byte("xyz")), nil, "damaged structure"},
		{"a segment too short to be one", join(startOfJPEG, []byte{0xFF, 0xE0, 0, 1}), nil, "damaged structure"},
		{"never a JPEG", bytes.Repeat([]byte("word "), maxGarbage/4), nil, "no JPEG in 1 MiB"},
		{"endless head", join(startOfJPEG, bytes.Repeat(append([]byte{0xFF, 0xE0, 0xF0, 0}, make([]byte, 0xF000-2)...), 200)), nil, "larger than 8 MiB"},
		{"endless samples", join(one[:len(one)-2], make([]byte, maxPart)), nil, "larger than 8 MiB"},
		{"empty", nil, nil, "EOF"},
	} {
		for _, chunk := range []string{"whole", "byte by byte"} {
			if len(tt.stream) > 3*lineBuffer && chunk != "whole" {
				continue
			}
			t.Run(tt.name+", "+chunk, func(t *testing.T) {
				var r io.Reader = bytes.NewReader(tt.stream)
				if chunk != "whole" {
					r = oneByte{r}
				}
				j := jpegReader{bufio.NewReader(r)}
				var got [][]byte
				var err error
				for {
					var p []byte
					if p, err = j.next(nil); err != nil {
						break
					}
					got = append(got, p)
					if _, err := j.picture(p, whole, nil); err != nil && tt.name != "restart markers" {
						t.Errorf("picture %d: %v", len(got), err)
					}
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("pictures (-want +got):\n%.1000s", diff)
				}
				if !strings.Contains(err.Error(), tt.err) || tt.err == "EOF" && err != io.EOF {
					t.Errorf("error %v, want %q", err, tt.err)
				}
			})
		}
	}
}

// Webcams leave out the Huffman tables, which then are the usual ones.
func TestPictureWithoutTables(t *testing.T) {
	colourful := image.NewRGBA(image.Rect(0, 0, 32, 32))
	for i := range colourful.Pix {
		colourful.Pix[i] = byte(i * 13)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, colourful, nil); err != nil {
		t.Fatal(err)
	}
	full := b.Bytes()
	tables := usualTables()
	at := bytes.Index(full, tables)
	if at < 0 {
		t.Fatal("the encoder has other tables")
	}
	bare := bytes.Join([][]byte{full[:at], full[at+len(tables):]}, nil)
	if _, err := jpeg.Decode(bytes.NewReader(bare)); err == nil {
		t.Log("image/jpeg knows the usual tables by now: withTables can go")
	}
	want, err := jpegFormat.picture(full, whole, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := jpegFormat.picture(bare, whole, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("another picture (-with tables +without):\n%.500s", diff)
	}
	if !bytes.Equal(withTables(full), full) {
		t.Error("tables were put in twice")
	}
}

func FuzzJPEGReader(f *testing.F) {
	f.Add(append(picture(16, 8, 10), thumbnail(f, 3)...))
	f.Add(append([]byte("garbage"), noisy(f)...))
	f.Add([]byte("\xff\xd8\xff\xda\x00\x02\x01\xff\x00\xff\xff\xd9\xff\xd8"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		j := jpegReader{bufio.NewReader(bytes.NewReader(stream))}
		total := 0
		for {
			p, err := j.next(nil)
			if (err == nil) != (p != nil) {
				t.Fatalf("picture %q with error %v", p, err)
			}
			if err != nil {
				break
			}
			if !bytes.HasPrefix(p, startOfJPEG) || !bytes.HasSuffix(p, endOfJPEG) {
				t.Fatalf("%q has no start or no end", p)
			}
			if total += len(p); total > len(stream) {
				t.Fatalf("%d bytes of pictures from %d bytes", total, len(stream))
			}
			withTables(p)
		}
	})
}

func FuzzWithTables(f *testing.F) {
	f.Add(picture(16, 8, 10))
	f.Add([]byte("\xff\xd8\xff\xda\x00\x04xx"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if n := len(withTables(data)) - len(data); n != 0 && n != len(usualTables()) {
			t.Fatalf("%d bytes more", n)
		}
	})
}
