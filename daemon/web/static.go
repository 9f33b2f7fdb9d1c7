package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed page
var pageFiles embed.FS

// asset is one file of the page, as it is sent.
type asset struct {
	kind, tag    string // media type, entity tag
	plain, small []byte // small is gzip; nil where that gains nothing
}

// kinds are the media types of the page's files: those of the machine may be wrong.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8",
}

// assets are the files of the page by their address, compressed once.
var assets = sync.OnceValue(func() map[string]asset {
	list := map[string]asset{}
	err := fs.WalkDir(pageFiles, "page", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		plain, err := pageFiles.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(plain)
		a := asset{kind: kinds[path.Ext(name)], tag: `"` + hex.EncodeToString(sum[:8]) + `"`, plain: plain}
		if small := compress(plain, gzip.BestCompression); len(small) < len(plain)*9/10 {
			a.small = small
		}
		address := strings.TrimPrefix(name, "page")
		list[address] = a
		if address == "/index.html" {
			list["/"] = a
		}
		return nil
	})
	if err != nil {
		panic(err) // the folder is embedded
	}
	return list
})

func compress(data []byte, level int) []byte {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, level)
	if err != nil {
		panic(err) // the level is a constant
	}
	_, _ = z.Write(data) // a buffer takes everything
	_ = z.Close()
	return b.Bytes()
}

func takesGzip(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept-Encoding"), "gzip")
}

// static answers with a file of the page.
func static(w http.ResponseWriter, r *http.Request) {
	a, ok := assets()[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("Cache-Control", "no-cache") // kept, but asked for again with its tag
	h.Set("ETag", a.tag)
	h.Set("Vary", "Accept-Encoding")
	body := a.plain
	if a.small != nil && takesGzip(r) {
		h.Set("Content-Encoding", "gzip")
		body = a.small
	}
	if strings.Contains(r.Header.Get("If-None-Match"), a.tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = io.Copy(w, bytes.NewReader(body))
}
