package report

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/fathom-edge/fathom/train"
)

func written(t *testing.T, metrics string, cfg *train.Config) string {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "metrics.jsonl"), filepath.Join(dir, "report.html")
	if err := os.WriteFile(in, []byte(metrics), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Write(in, out, cfg); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

const metrics = `{"kind":"step","step":20,"images":160,"images_per_second":40,"learning_rate":0.1,"losses":{"ce":2,"from_mate":0.5}}
{"kind":"eval","step":20,"split":"validation","samples":10,"top1":{"a-1":0.5,"<b>-1":0.25}}
{"kind":"step","step":40,"images":320,"images_per_second":80,"learning_rate":0.05,"losses":{"ce":1,"from_mate":0.25}}
`

const finals = `{"kind":"final","step":60,"split":"validation","samples":10,"top1":{"a-1":0.875,"<b>-1":0.5},"note":"kept & told"}
{"kind":"final","step":60,"split":"test","samples":20,"top1":{"a-1":0.75,"<b>-1":0.5},"note":"kept & told"}
`

func TestPage(t *testing.T) {
	cfg := &train.Config{Name: "<script>alert(1)</script>", Steps: 60, Batch: 8}
	for name, c := range map[string]struct {
		metrics  string
		has, not []string
	}{
		"at the beginning": {"", []string{"Begun: 60 steps of 8 images", "refresh"}, []string{"<svg", "<table"}},
		"half a last line": {metrics + `{"kind":"step","step":60,"los`,
			[]string{"Step 40 of 60, 320 images, 80 images/s; 2s of training left", "refresh", "from_mate", "&lt;b&gt;-1"}, []string{"<table", "<b>"}},
		"at the end": {metrics + finals, []string{"Finished: 60 steps", "validation (10 images)", "87.50 %", "75.00 %", "kept &amp; told"}, []string{"refresh", "<b>"}},
	} {
		t.Run(name, func(t *testing.T) {
			page := written(t, c.metrics, cfg)
			for _, want := range append(c.has, "Training of &lt;script&gt;") {
				if !strings.Contains(page, want) {
					t.Errorf("the page has no %q", want)
				}
			}
			for _, not := range append(c.not, "<script", "http://", "https://") {
				if strings.Contains(strings.ReplaceAll(page, "http://www.w3.org/", ""), not) {
					t.Errorf("the page has %q", not)
				}
			}
		})
	}
}

func TestChartsAreWellFormed(t *testing.T) {
	page := written(t, metrics, &train.Config{Name: "n", Steps: 60, Batch: 8})
	drawings := regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(page, -1)
	if len(drawings) != 4 {
		t.Fatalf("%d charts, want losses, accuracy, rate and speed", len(drawings))
	}
	for _, svg := range drawings {
		for d := xml.NewDecoder(strings.NewReader(svg)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := strings.Count(page, "<i style"); n != 4 {
		t.Errorf("%d names in legends, want two terms and two variants", n)
	}
}

func TestBadMetricsNameTheLine(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "metrics.jsonl"), filepath.Join(dir, "report.html")
	if err := os.WriteFile(in, []byte("{}\nno metric\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Write(in, out, &train.Config{}); err == nil || !strings.Contains(err.Error(), in+": line 2") {
		t.Errorf("got %v, want a complaint of line 2", err)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a page was written")
	}
}
