package glyphs

import (
	"github.com/go-fonts/dejavu/dejavusans"
	"github.com/go-fonts/dejavu/dejavusansbold"
	"github.com/go-fonts/dejavu/dejavusanscondensed"
	"github.com/go-fonts/dejavu/dejavusansmono"
	"github.com/go-fonts/dejavu/dejavusansoblique"
	"github.com/go-fonts/dejavu/dejavuserif"
	"github.com/go-fonts/dejavu/dejavuserifbold"
	"github.com/go-fonts/latin-modern/lmmono10italic"
	"github.com/go-fonts/latin-modern/lmmono10regular"
	"github.com/go-fonts/latin-modern/lmmonolt10bold"
	"github.com/go-fonts/latin-modern/lmroman10bold"
	"github.com/go-fonts/latin-modern/lmroman10italic"
	"github.com/go-fonts/latin-modern/lmroman10regular"
	"github.com/go-fonts/latin-modern/lmsans10bold"
	"github.com/go-fonts/latin-modern/lmsans10oblique"
	"github.com/go-fonts/latin-modern/lmsans10regular"
	"github.com/go-fonts/liberation/liberationmonobold"
	"github.com/go-fonts/liberation/liberationmonoitalic"
	"github.com/go-fonts/liberation/liberationmonoregular"
	"github.com/go-fonts/liberation/liberationsansbold"
	"github.com/go-fonts/liberation/liberationsansitalic"
	"github.com/go-fonts/liberation/liberationsansregular"
	"github.com/go-fonts/liberation/liberationserifbold"
	"github.com/go-fonts/liberation/liberationserifitalic"
	"github.com/go-fonts/liberation/liberationserifregular"
	"github.com/go-fonts/stix/stix2textbold"
	"github.com/go-fonts/stix/stix2textitalic"
	"github.com/go-fonts/stix/stix2textregular"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goitalic"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/gomonobold"
	"golang.org/x/image/font/gofont/goregular"
)

// fontFile is one face as its module embeds it.
type fontFile struct {
	name string
	data []byte
}

// fontFamily is one design family.
type fontFamily struct {
	name    string
	split   Split
	module  string
	licence string
	faces   []fontFile
}

// fonts lists every family.
func fonts() []fontFamily {
	return []fontFamily{
		{"Liberation Sans", Train, "github.com/go-fonts/liberation", "OFL-1.1", []fontFile{
			{"Regular", liberationsansregular.TTF}, {"Bold", liberationsansbold.TTF}, {"Italic", liberationsansitalic.TTF}}},
		{"Liberation Serif", Train, "github.com/go-fonts/liberation", "OFL-1.1", []fontFile{
			{"Regular", liberationserifregular.TTF}, {"Bold", liberationserifbold.TTF}, {"Italic", liberationserifitalic.TTF}}},
		{"Liberation Mono", Train, "github.com/go-fonts/liberation", "OFL-1.1", []fontFile{
			{"Regular", liberationmonoregular.TTF}, {"Bold", liberationmonobold.TTF}, {"Italic", liberationmonoitalic.TTF}}},
		{"Latin Modern Roman", Train, "github.com/go-fonts/latin-modern", "GUST-Font-License", []fontFile{
			{"Regular", lmroman10regular.TTF}, {"Bold", lmroman10bold.TTF}, {"Italic", lmroman10italic.TTF}}},
		{"Latin Modern Sans", Train, "github.com/go-fonts/latin-modern", "GUST-Font-License", []fontFile{
			{"Regular", lmsans10regular.TTF}, {"Bold", lmsans10bold.TTF}, {"Oblique", lmsans10oblique.TTF}}},
		{"Latin Modern Mono", Train, "github.com/go-fonts/latin-modern", "GUST-Font-License", []fontFile{
			{"Regular", lmmono10regular.TTF}, {"Bold", lmmonolt10bold.TTF}, {"Italic", lmmono10italic.TTF}}},
		{"STIX Two", Train, "github.com/go-fonts/stix", "OFL-1.1", []fontFile{
			{"Regular", stix2textregular.TTF}, {"Bold", stix2textbold.TTF}, {"Italic", stix2textitalic.TTF}}},
		{"DejaVu", Validation, "github.com/go-fonts/dejavu", "Bitstream-Vera", []fontFile{
			{"Sans", dejavusans.TTF}, {"SansBold", dejavusansbold.TTF}, {"SansOblique", dejavusansoblique.TTF},
			{"SansCondensed", dejavusanscondensed.TTF}, {"SansMono", dejavusansmono.TTF},
			{"Serif", dejavuserif.TTF}, {"SerifBold", dejavuserifbold.TTF}}},
		{"Go", Test, "golang.org/x/image", "BSD-3-Clause", []fontFile{
			{"Regular", goregular.TTF}, {"Bold", gobold.TTF}, {"Italic", goitalic.TTF},
			{"Mono", gomono.TTF}, {"MonoBold", gomonobold.TTF}}},
	}
}
