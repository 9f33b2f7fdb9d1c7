package camera

import (
	"errors"
	"image"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

// A picture is within bounds and of a type that a Frame may hold, or there is an error.
func FuzzPicture(f *testing.F) {
	f.Add(picture(16, 8, 10))
	f.Add(noisy(f))
	f.Add([]byte("\xff\xd8\xff\xc0\x00\x0b\x08\xff\xff\xff\xff\x01\x01\x11\x00\xff\xd9"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if config, err := jpegFormat.config(data); err == nil && config.Width*config.Height > 1<<20 {
			return // takes its time, in bounds that are tested elsewhere
		}
		m, err := jpegFormat.picture(data, image.Point{}, nil)
		if (m == nil) == (err == nil) {
			t.Fatalf("%v with error %v", m, err)
		}
		if m != nil && (m.Bounds().Empty() || m.Bounds().Dx() > maxSide || m.Bounds().Dy() > maxSide) {
			t.Fatalf("a picture of %v", m.Bounds())
		}
	})
}

func FuzzContentType(f *testing.F) {
	for _, s := range []string{"multipart/x-mixed-replace; boundary=--x", "image/jpeg", `multipart/mixed; boundary="a b`, ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		boundary, still, err := kindOf(header)
		if err != nil && (boundary != "" || still) || strings.HasPrefix(boundary, "-") {
			t.Fatalf("%q, %v with error %v", boundary, still, err)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\r\n\x1b") {
			t.Errorf("an error that no log should have: %q", err)
		}
	})
}

// No password of an address is ever shown.
func FuzzAddress(f *testing.F) {
	f.Add("user", "secret-word", "camera.local:81", "/stream?token=other-secret")
	f.Add("", "x", "[::1]", "/a/password/b")
	f.Fuzz(func(t *testing.T, user, password, host, path string) {
		if strings.ContainsAny(host, "@/?#") {
			return // another address than it seems to be
		}
		raw := "http://" + url.UserPassword(user, password).String() + "@" + host + path
		a, err := parseAddress(raw, "http", "https")
		if err != nil {
			if len(password) > 6 && strings.Contains(err.Error(), password) {
				t.Errorf("%q shows the password", err)
			}
			return
		}
		if len(password) > 6 && !strings.Contains(host+path, password) {
			for _, text := range []string{a.shown, a.reason(&url.Error{Op: "Get", URL: raw, Err: errors.New("no route to " + password)})} {
				if strings.Contains(text, password) {
					t.Errorf("%q shows the password", text)
				}
			}
		}
	})
}

// What a program says becomes one short line.
func FuzzTail(f *testing.F) {
	f.Add("first\nsecond\r", "third")
	f.Add("\x00\xff", "\n\n")
	f.Fuzz(func(t *testing.T, one, two string) {
		var said tail
		for _, s := range []string{one, two} {
			if n, err := said.Write([]byte(s)); n != len(s) || err != nil {
				t.Fatal(n, err)
			}
		}
		if last := said.last(); len(last) > 3*maxMessage || strings.ContainsAny(last, "\r\n") || !utf8.ValidString(last) {
			t.Errorf("%q", last)
		}
	})
}
