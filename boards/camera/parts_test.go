package camera

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pseudo is a JPEG as far as partReader looks at it.
func pseudo(inside string) string { return "\xff\xd8" + inside + "\xff\xd9" }

func TestKindOf(t *testing.T) {
	for _, tt := range []struct {
		in, want string
		still    bool
		wantErr  string
	}{
		{"multipart/x-mixed-replace; boundary=frame", "frame", false, ""},
		{"multipart/x-mixed-replace;boundary=--frame", "frame", false, ""},
		{`multipart/x-mixed-replace; boundary="--my boundary"`, "my boundary", false, ""},
		{"Multipart/X-Mixed-Replace; Boundary=Frame", "Frame", false, ""},
		{"multipart/x-mixed-replace; boundary=--BoundaryString:1; charset=x", "BoundaryString:1", false, ""},
		{"multipart/x-mixed-replace; boundary=a b", "a b", false, ""},
		{"multipart/mixed", "", false, ""},
		{"image/jpeg", "", true, ""},
		{"Image/JPEG; charset=x", "", true, ""},
		{"text/html; charset=utf-8", "", false, `answers with "text/html"`},
		{"", "", false, `answers with ""`},
		{"text/\x1b[31mred", "", false, `\x1b`},
	} {
		got, still, err := kindOf(tt.in)
		if tt.wantErr == "" && err != nil || tt.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tt.wantErr)) {
			t.Errorf("%q: error %v, want one with %q", tt.in, err, tt.wantErr)
		}
		if got != tt.want || still != tt.still {
			t.Errorf("%q: boundary %q, still %v; want %q, %v", tt.in, got, still, tt.want, tt.still)
		}
	}
}

func TestPartReader(t *testing.T) {
	// The middle holds what could be taken for a delimiter.
	tricky := pseudo("a--framework\r\n--fram\r\n-frame\r\nx--frame")
	one, two := pseudo("one"), pseudo("two")
	tests := []struct {
		name     string
		boundary string
		stream   string
		want     []string
		wantErr  string // "" means io.EOF
	}{
		{"with lengths", "frame",
			"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 7\r\n\r\n" + one + "\r\n--frame\r\nContent-Length: 7\r\n\r\n" + two + "\r\n--frame--\r\n",
			[]string{one, two}, ""},
		{"without lengths", "frame",
			"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + one + "\r\n--frame\r\n\r\n" + tricky + "\r\n--frame--",
			[]string{one, tricky}, ""},
		{"no line end before the boundary", "frame",
			"--frame\r\n\r\n" + one + "--frame\r\n\r\n" + two + "--frame--\r\n",
			[]string{one, two}, ""},
		{"no line end before the boundary, with lengths", "frame",
			"--frame\r\nContent-Length: 7\r\n\r\n" + one + "--frame\r\nContent-Length: 7\r\n\r\n" + two + "--frame--\r\n",
			[]string{one, two}, ""},
		{"LF only", "frame",
			"--frame\ncontent-length:7\n\n" + one + "\n--frame\n\n" + two + "\n--frame--\n",
			[]string{one, two}, ""},
		{"more dashes in the stream than declared", "frame",
			"----frame\r\n\r\n" + one + "\r\n----frame\r\n\r\n" + two + "\r\n----frame--\r\n",
			[]string{one, two}, ""},
		{"boundary not declared", "",
			"\r\nhello\r\n--whatever\r\n\r\n" + one + "\r\n--whatever\r\n\r\n" + two + "\r\n--whatever--\r\n",
			[]string{one, two}, ""},
		{"garbage between parts", "frame",
			"preamble\r\n--frame\r\nContent-Length: 7\r\n\r\n" + one + "garbage \x00\xff\r\nmore\r\n--frame\r\nContent-Length: 7\r\n\r\n" + two + "\r\n--frame--\r\n",
			[]string{one, two}, ""},
		{"a part that is no JPEG", "frame",
			"--frame\r\nContent-Type: text/plain\r\n\r\nhello\r\n--frame\r\n\r\n" + two + "\r\n--frame--\r\n",
			[]string{two}, ""},
		{"empty parts", "frame",
			"--frame\r\nContent-Length: 0\r\n\r\n\r\n--frame\r\n\r\n\r\n--frame\r\n\r\n" + two + "\r\n--frame--\r\n",
			[]string{two}, ""},
		{"length too short: the rest is garbage", "frame",
			"--frame\r\nContent-Length: 5\r\n\r\n" + one + "\r\n--frame\r\n\r\n" + two + "\r\n--frame--\r\n",
			[]string{one[:5], two}, ""},
		{"length is nonsense", "frame",
			"--frame\r\nContent-Length: -3\r\n\r\n" + one + "\r\n--frame\r\nContent-Length: many\r\n\r\n" + two + "\r\n--frame--\r\n",
			[]string{one, two}, ""},
		{"no empty line before the picture", "frame",
			"--frame\r\nContent-Length: 7\r\n" + one + "\r\n--frame--\r\n",
			[]string{one}, ""},
		{"breaks off in a picture", "frame",
			"--frame\r\nContent-Length: 7\r\n\r\n" + one + "\r\n--frame\r\nContent-Length: 7\r\n\r\n\xff\xd8t",
			[]string{one}, "unexpected EOF"},
		{"breaks off without a closing boundary", "frame",
			"--frame\r\nContent-Length: 7\r\n\r\n" + one + "\r\n",
			[]string{one}, "unexpected EOF"},
		{"too long by its length", "frame",
			"--frame\r\nContent-Length: 8388609\r\n\r\n" + one, nil, "larger than 8 MiB"},
		{"too long without a length", "frame",
			"--frame\r\n\r\n\xff\xd8" + strings.Repeat("-frame", maxPart/6+1) + "\r\n--frame\r\n", nil, "larger than 8 MiB"},
		{"another boundary than declared", "frame",
			strings.Repeat("--other\r\n\r\n"+one+"\r\n", maxGarbage/16), nil, `no boundary "frame" in 1 MiB`},
		{"never a boundary", "",
			strings.Repeat("x\n", maxGarbage), nil, "none in the first 1 MiB"},
		{"endless header", "frame",
			"--frame\r\n" + strings.Repeat("A: b\r\n", 100), nil, "more than 64 header lines"},
		{"endless header line", "frame",
			"--frame\r\n" + strings.Repeat("A", 2*lineBuffer), nil, "header line of a part is too long"},
		{"empty", "frame", "", nil, "unexpected EOF"},
	}
	for _, tt := range tests {
		chunks := []string{"whole", "byte by byte"}
		if len(tt.stream) > 3*lineBuffer {
			chunks = chunks[:1]
		}
		for _, chunk := range chunks {
			t.Run(tt.name+", "+chunk, func(t *testing.T) {
				var r io.Reader = strings.NewReader(tt.stream)
				if chunk != "whole" {
					r = oneByte{r}
				}
				parts := newPartReader(r, tt.boundary)
				var got []string
				var err error
				for {
					var part []byte
					if part, err = parts.next(nil); err != nil {
						break
					}
					got = append(got, string(part))
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("parts (-want +got):\n%s", diff)
				}
				if tt.wantErr == "" && err != io.EOF || tt.wantErr != "" && !strings.Contains(err.Error(), tt.wantErr) {
					t.Errorf("error %v, want %q", err, tt.wantErr)
				}
			})
		}
	}
}

// oneByte reads as slowly as a network can.
type oneByte struct{ r io.Reader }

func (o oneByte) Read(b []byte) (int, error) {
	if len(b) > 1 {
		b = b[:1]
	}
	return o.r.Read(b)
}

// TestPartWithLengthIsImmediate: a part with a length is there before the next
// boundary is, which may come a frame period later.
func TestPartWithLengthIsImmediate(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	go io.WriteString(w, "--frame\r\nContent-Length: 7\r\n\r\n"+pseudo("one"))
	part, err := newPartReader(r, "frame").next(nil)
	if string(part) != pseudo("one") || err != nil {
		t.Errorf("part %q, %v", part, err)
	}
}

func FuzzPartReader(f *testing.F) {
	f.Add("frame", []byte("--frame\r\nContent-Length: 7\r\n\r\n"+pseudo("one")+"\r\n--frame--\r\n"))
	f.Add("", []byte("--x\r\n\r\n"+pseudo("one")+"--x\r\n\r\n"+pseudo("two")+"--x--"))
	f.Add("--frame", []byte("--frame\n\n\xff\xd8\n--frame\n"))
	f.Fuzz(func(t *testing.T, declared string, stream []byte) {
		boundary, _, err := kindOf("multipart/x-mixed-replace; boundary=" + declared)
		if err != nil {
			t.Fatalf("boundary %q: %v", declared, err)
		}
		parts := newPartReader(bytes.NewReader(stream), boundary)
		total := 0
		for {
			part, err := parts.next(nil)
			if (err == nil) != (part != nil) {
				t.Fatalf("part %q with error %v", part, err)
			}
			if err != nil {
				if errors.Is(err, io.ErrNoProgress) {
					t.Fatal(err)
				}
				break
			}
			if !bytes.HasPrefix(part, startOfJPEG) {
				t.Fatalf("part %q is no JPEG", part)
			}
			if total += len(part); total > len(stream) {
				t.Fatalf("%d bytes of parts from %d bytes", total, len(stream))
			}
		}
	})
}
