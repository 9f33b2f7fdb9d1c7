package main

import (
	"eliasnaur.com/font/roboto/robotoblack"
	"eliasnaur.com/font/roboto/robotobold"
	"eliasnaur.com/font/roboto/robotobolditalic"
	"eliasnaur.com/font/roboto/robotocondensedbold"
	"eliasnaur.com/font/roboto/robotocondenseditalic"
	"eliasnaur.com/font/roboto/robotocondensedregular"
	"eliasnaur.com/font/roboto/robotoitalic"
	"eliasnaur.com/font/roboto/robotolight"
	"eliasnaur.com/font/roboto/robotomedium"
	"eliasnaur.com/font/roboto/robotoregular"
	"github.com/charmbracelet/freeze/font"
	"github.com/go-fonts/dejavu/dejavusans"
	"github.com/go-fonts/dejavu/dejavusansbold"
	"github.com/go-fonts/dejavu/dejavusansboldoblique"
	"github.com/go-fonts/dejavu/dejavusanscondensed"
	"github.com/go-fonts/dejavu/dejavusanscondensedbold"
	"github.com/go-fonts/dejavu/dejavusansmono"
	"github.com/go-fonts/dejavu/dejavusansmonobold"
	"github.com/go-fonts/dejavu/dejavusansmonoboldoblique"
	"github.com/go-fonts/dejavu/dejavusansmonooblique"
	"github.com/go-fonts/dejavu/dejavusansoblique"
	"github.com/go-fonts/dejavu/dejavuserif"
	"github.com/go-fonts/dejavu/dejavuserifbold"
	"github.com/go-fonts/dejavu/dejavuserifbolditalic"
	"github.com/go-fonts/dejavu/dejavuserifcondensed"
	"github.com/go-fonts/dejavu/dejavuserifitalic"
	"github.com/go-fonts/latin-modern/lmmono10italic"
	"github.com/go-fonts/latin-modern/lmmono10regular"
	"github.com/go-fonts/latin-modern/lmmonolt10bold"
	"github.com/go-fonts/latin-modern/lmmonolt10oblique"
	"github.com/go-fonts/latin-modern/lmmonoltcond10regular"
	"github.com/go-fonts/latin-modern/lmmonoprop10regular"
	"github.com/go-fonts/latin-modern/lmroman10bold"
	"github.com/go-fonts/latin-modern/lmroman10bolditalic"
	"github.com/go-fonts/latin-modern/lmroman10italic"
	"github.com/go-fonts/latin-modern/lmroman10regular"
	"github.com/go-fonts/latin-modern/lmroman7regular"
	"github.com/go-fonts/latin-modern/lmromandemi10oblique"
	"github.com/go-fonts/latin-modern/lmromandunh10oblique"
	"github.com/go-fonts/latin-modern/lmsans10bold"
	"github.com/go-fonts/latin-modern/lmsans10boldoblique"
	"github.com/go-fonts/latin-modern/lmsans10oblique"
	"github.com/go-fonts/latin-modern/lmsans10regular"
	"github.com/go-fonts/latin-modern/lmsansdemicond10oblique"
	"github.com/go-fonts/latin-modern/lmsansquot8bold"
	"github.com/go-fonts/latin-modern/lmsansquot8regular"
	"github.com/go-fonts/liberation/liberationmonobold"
	"github.com/go-fonts/liberation/liberationmonobolditalic"
	"github.com/go-fonts/liberation/liberationmonoitalic"
	"github.com/go-fonts/liberation/liberationmonoregular"
	"github.com/go-fonts/liberation/liberationsansbold"
	"github.com/go-fonts/liberation/liberationsansbolditalic"
	"github.com/go-fonts/liberation/liberationsansitalic"
	"github.com/go-fonts/liberation/liberationsansregular"
	"github.com/go-fonts/liberation/liberationserifbold"
	"github.com/go-fonts/liberation/liberationserifbolditalic"
	"github.com/go-fonts/liberation/liberationserifitalic"
	"github.com/go-fonts/liberation/liberationserifregular"
	"github.com/go-fonts/stix/stix2textbold"
	"github.com/go-fonts/stix/stix2textbolditalic"
	"github.com/go-fonts/stix/stix2textitalic"
	"github.com/go-fonts/stix/stix2textmedium"
	"github.com/go-fonts/stix/stix2textregular"
	"github.com/go-fonts/stix/stix2textsemibold"
	"github.com/hajimehoshi/ebiten/v2/examples/resources/fonts"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gobolditalic"
	"golang.org/x/image/font/gofont/goitalic"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/gomonobold"
	"golang.org/x/image/font/gofont/gomonobolditalic"
	"golang.org/x/image/font/gofont/gomonoitalic"
	"golang.org/x/image/font/gofont/goregular"
	"oss.terrastruct.com/d2/d2renderers/d2fonts"

	"github.com/fathom-edge/fathom/glyphs"
)

// fontFile is one face as its module embeds it.
type fontFile struct {
	name string
	data []byte
}

// fontFamily is one design family with the split that it is in.
type fontFamily struct {
	name        string
	superfamily string
	split       glyphs.Split
	module      string
	licence     string
	faces       []fontFile
}

// fontTable lists every family. Samples draw a family of their split uniformly,
// then one of its faces. Near relatives are in one split: STIX Two and
// Liberation Serif are both after Times, and both are for training, as are all
// that go with Helvetica (Liberation Sans) and Courier's metrics (Liberation
// Mono). No family of validation or test has a relative in training.
func fontTable() []fontFamily {
	return []fontFamily{
		{"Liberation Sans", "Liberation", glyphs.Train, "github.com/go-fonts/liberation", "OFL-1.1", []fontFile{
			{"Regular", liberationsansregular.TTF},
			{"Bold", liberationsansbold.TTF},
			{"Italic", liberationsansitalic.TTF},
			{"BoldItalic", liberationsansbolditalic.TTF},
		}},
		{"Liberation Serif", "Liberation", glyphs.Train, "github.com/go-fonts/liberation", "OFL-1.1", []fontFile{
			{"Regular", liberationserifregular.TTF},
			{"Bold", liberationserifbold.TTF},
			{"Italic", liberationserifitalic.TTF},
			{"BoldItalic", liberationserifbolditalic.TTF},
		}},
		{"Liberation Mono", "Liberation", glyphs.Train, "github.com/go-fonts/liberation", "OFL-1.1", []fontFile{
			{"Regular", liberationmonoregular.TTF},
			{"Bold", liberationmonobold.TTF},
			{"Italic", liberationmonoitalic.TTF},
			{"BoldItalic", liberationmonobolditalic.TTF},
		}},
		{"Latin Modern Roman", "Latin Modern", glyphs.Train, "github.com/go-fonts/latin-modern", "GUST Font License", []fontFile{
			{"Regular", lmroman10regular.TTF},
			{"Caption", lmroman7regular.TTF},
			{"Bold", lmroman10bold.TTF},
			{"Italic", lmroman10italic.TTF},
			{"BoldItalic", lmroman10bolditalic.TTF},
			{"Demi", lmromandemi10oblique.TTF},
			{"Dunhill", lmromandunh10oblique.TTF},
		}},
		{"Latin Modern Sans", "Latin Modern", glyphs.Train, "github.com/go-fonts/latin-modern", "GUST Font License", []fontFile{
			{"Regular", lmsans10regular.TTF},
			{"Bold", lmsans10bold.TTF},
			{"Oblique", lmsans10oblique.TTF},
			{"BoldOblique", lmsans10boldoblique.TTF},
			{"DemiCondensed", lmsansdemicond10oblique.TTF},
			{"Quotation", lmsansquot8regular.TTF},
			{"QuotationBold", lmsansquot8bold.TTF},
		}},
		{"Latin Modern Mono", "Latin Modern", glyphs.Train, "github.com/go-fonts/latin-modern", "GUST Font License", []fontFile{
			{"Regular", lmmono10regular.TTF},
			{"Italic", lmmono10italic.TTF},
			{"Bold", lmmonolt10bold.TTF},
			{"LightOblique", lmmonolt10oblique.TTF},
			{"LightCondensed", lmmonoltcond10regular.TTF},
			{"Proportional", lmmonoprop10regular.TTF},
		}},
		{"STIX Two Text", "STIX", glyphs.Train, "github.com/go-fonts/stix", "OFL-1.1", []fontFile{
			{"Regular", stix2textregular.TTF},
			{"Medium", stix2textmedium.TTF},
			{"SemiBold", stix2textsemibold.TTF},
			{"Bold", stix2textbold.TTF},
			{"Italic", stix2textitalic.TTF},
			{"BoldItalic", stix2textbolditalic.TTF},
		}},
		{"Source Sans Pro", "Source", glyphs.Train, "oss.terrastruct.com/d2", "OFL-1.1", []fontFile{
			{"Regular", d2face(d2fonts.SourceSansPro, d2fonts.FONT_STYLE_REGULAR)},
			{"Semibold", d2face(d2fonts.SourceSansPro, d2fonts.FONT_STYLE_SEMIBOLD)},
			{"Bold", d2face(d2fonts.SourceSansPro, d2fonts.FONT_STYLE_BOLD)},
			{"Italic", d2face(d2fonts.SourceSansPro, d2fonts.FONT_STYLE_ITALIC)},
		}},
		{"Source Code Pro", "Source", glyphs.Train, "oss.terrastruct.com/d2", "OFL-1.1", []fontFile{
			{"Regular", d2face(d2fonts.SourceCodePro, d2fonts.FONT_STYLE_REGULAR)},
			{"Semibold", d2face(d2fonts.SourceCodePro, d2fonts.FONT_STYLE_SEMIBOLD)},
			{"Bold", d2face(d2fonts.SourceCodePro, d2fonts.FONT_STYLE_BOLD)},
			{"Italic", d2face(d2fonts.SourceCodePro, d2fonts.FONT_STYLE_ITALIC)},
		}},
		{"Fuzzy Bubbles", "Fuzzy Bubbles", glyphs.Train, "oss.terrastruct.com/d2", "OFL-1.1", []fontFile{
			{"Regular", d2face(d2fonts.HandDrawn, d2fonts.FONT_STYLE_REGULAR)},
			{"Bold", d2face(d2fonts.HandDrawn, d2fonts.FONT_STYLE_BOLD)},
		}},
		{"M+ 1p", "M+", glyphs.Train, "github.com/hajimehoshi/ebiten/v2", "M+ FONTS license", []fontFile{
			{"Regular", fonts.MPlus1pRegular_ttf},
		}},
		{"Press Start 2P", "Press Start", glyphs.Train, "github.com/hajimehoshi/ebiten/v2", "OFL-1.1", []fontFile{
			{"Regular", fonts.PressStart2P_ttf},
		}},
		{"DejaVu Sans", "DejaVu", glyphs.Validation, "github.com/go-fonts/dejavu", "Bitstream Vera license", []fontFile{
			{"Regular", dejavusans.TTF},
			{"Bold", dejavusansbold.TTF},
			{"Oblique", dejavusansoblique.TTF},
			{"BoldOblique", dejavusansboldoblique.TTF},
			{"Condensed", dejavusanscondensed.TTF},
			{"CondensedBold", dejavusanscondensedbold.TTF},
		}},
		{"DejaVu Serif", "DejaVu", glyphs.Validation, "github.com/go-fonts/dejavu", "Bitstream Vera license", []fontFile{
			{"Regular", dejavuserif.TTF},
			{"Bold", dejavuserifbold.TTF},
			{"Italic", dejavuserifitalic.TTF},
			{"BoldItalic", dejavuserifbolditalic.TTF},
			{"Condensed", dejavuserifcondensed.TTF},
		}},
		{"DejaVu Sans Mono", "DejaVu", glyphs.Validation, "github.com/go-fonts/dejavu", "Bitstream Vera license", []fontFile{
			{"Regular", dejavusansmono.TTF},
			{"Bold", dejavusansmonobold.TTF},
			{"Oblique", dejavusansmonooblique.TTF},
			{"BoldOblique", dejavusansmonoboldoblique.TTF},
		}},
		{"JetBrains Mono", "JetBrains Mono", glyphs.Validation, "github.com/charmbracelet/freeze", "OFL-1.1", []fontFile{
			{"Regular", font.JetBrainsMonoTTF},
		}},
		{"Go", "Go", glyphs.Test, "golang.org/x/image", "BSD-3-Clause", []fontFile{
			{"Regular", goregular.TTF},
			{"Medium", gomedium.TTF},
			{"Bold", gobold.TTF},
			{"Italic", goitalic.TTF},
			{"BoldItalic", gobolditalic.TTF},
		}},
		{"Go Mono", "Go", glyphs.Test, "golang.org/x/image", "BSD-3-Clause", []fontFile{
			{"Regular", gomono.TTF},
			{"Bold", gomonobold.TTF},
			{"Italic", gomonoitalic.TTF},
			{"BoldItalic", gomonobolditalic.TTF},
		}},
		{"Roboto", "Roboto", glyphs.Test, "eliasnaur.com/font", "Apache-2.0", []fontFile{
			{"Light", robotolight.TTF},
			{"Regular", robotoregular.TTF},
			{"Medium", robotomedium.TTF},
			{"Bold", robotobold.TTF},
			{"Black", robotoblack.TTF},
			{"Italic", robotoitalic.TTF},
			{"BoldItalic", robotobolditalic.TTF},
		}},
		{"Roboto Condensed", "Roboto", glyphs.Test, "eliasnaur.com/font", "Apache-2.0", []fontFile{
			{"Regular", robotocondensedregular.TTF},
			{"Bold", robotocondensedbold.TTF},
			{"Italic", robotocondenseditalic.TTF},
		}},
	}
}

// d2face returns a face that d2 embeds; its table is keyed by family and style.
func d2face(family d2fonts.FontFamily, style d2fonts.FontStyle) []byte {
	return d2fonts.FontFaces.Get(d2fonts.Font{Family: family, Style: style})
}
