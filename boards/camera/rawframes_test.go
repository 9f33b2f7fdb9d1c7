package camera

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/fathom-edge/fathom/runtime/frame"
)

func TestY4M(t *testing.T) {
	pix := string(grayI420(5, 3, 77))
	for _, tt := range []struct {
		name, stream string
		frames       int
		colour       frame.Colour
		err          string
	}{
		{"plain", "YUV4MPEG2 W5 H3 F25:1\nFRAME\n" + pix + "FRAME Ixyz\n" + pix, 2, frame.BT601Limited, "EOF"},
		{"full range", "YUV4MPEG2 H3 W5 C420paldv XYSCSS=420 XCOLORRANGE=FULL\nFRAME\n" + pix, 1, frame.BT601Full, "EOF"},
		{"breaks off", "YUV4MPEG2 W5 H3\nFRAME\n" + pix[1:], 0, 0, "unexpected EOF"},
		{"no frame line", "YUV4MPEG2 W5 H3\n" + pix + "\n" + pix, 0, 0, "does not begin with FRAME"},
		{"4:2:2", "YUV4MPEG2 W5 H3 C422\n", 0, 0, `colour space "422": must be 420`},
		{"10 bits", "YUV4MPEG2 W5 H3 C420p10\n", 0, 0, `colour space "420p10"`},
		{"no size", "YUV4MPEG2 F25:1\n", 0, 0, "0x0 pixels"},
		{"absurd size", "YUV4MPEG2 W100000 H3\n", 0, 0, "100000x3 pixels"},
		{"no number", "YUV4MPEG2 W5x H3\n", 0, 0, `"5x" is no number`},
		{"endless line", "YUV4MPEG2 " + strings.Repeat("x", 2*lineBuffer), 0, 0, "line is too long"},
		{"nothing", "", 0, 0, "EOF"},
		{"neither", "YUV4MP", 0, 0, "EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := recognize(bufio.NewReaderSize(strings.NewReader(tt.stream), lineBuffer))
			frames := 0
			for err == nil {
				var data []byte
				if data, err = d.next(nil); err == nil {
					frames++
					img, err := d.picture(data, whole, nil)
					if err != nil {
						t.Fatal(err)
					}
					if yuv := img.(*frame.YUV); yuv.Colour != tt.colour || yuv.Y[0] != 77 || yuv.Bounds().Dx() != 5 {
						t.Errorf("%v of %v, luma %d", yuv.Colour, yuv.Bounds(), yuv.Y[0])
					}
				}
			}
			if frames != tt.frames || !strings.Contains(err.Error(), tt.err) || tt.err == "EOF" && err != io.EOF {
				t.Errorf("%d frames, %v; want %d, %q", frames, err, tt.frames, tt.err)
			}
		})
	}
}

func FuzzRecognize(f *testing.F) {
	f.Add([]byte("YUV4MPEG2 W5 H3 F25:1\nFRAME\n" + string(grayI420(5, 3, 77))))
	f.Add([]byte("YUV4MPEG2 W4 H C420\nFRAME"))
	f.Add(picture(16, 8, 10))
	f.Fuzz(func(t *testing.T, stream []byte) {
		d, err := recognize(bufio.NewReader(bytes.NewReader(stream)))
		if (err == nil) != (d != nil) {
			t.Fatalf("%v with error %v", d, err)
		}
		if raw, ok := d.(*rawReader); ok && raw.width*raw.height > 1<<16 {
			return
		}
		var data []byte
		for err == nil {
			if data, err = d.next(data); err == nil {
				d.picture(data, whole, nil)
			}
		}
	})
}
