package main

import (
	"os"
	"reflect"
	"testing"

	"github.com/fathom-edge/fathom/glyphs/internal/outlines"
)

func TestTheEmbeddedOutlinesAreThoseOfTheFonts(t *testing.T) {
	file, err := os.ReadFile("../outlines.gz")
	if err != nil {
		t.Fatal(err)
	}
	embedded, err := outlines.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	fonts, err := extract(fontTable())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(embedded, fonts) {
		t.Error("the fonts or their table have changed: run  go generate ./glyphs")
	}
}

func TestReadFaceRefusesWhatIsNoFont(t *testing.T) {
	if f, err := readFace(fontFile{"Regular", []byte("not a font")}); err == nil || f.Glyphs != nil {
		t.Errorf("readFace = %v, %v", f, err)
	}
}
