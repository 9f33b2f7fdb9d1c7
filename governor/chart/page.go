package chart

import (
	"bytes"
	_ "embed"
	"html/template"
	"io"
)

// Page is a report: tables and figures, one below the other.
type Page struct {
	Title    string
	Intro    []string // paragraphs
	Sections []Section
}

// Section is one part of a page; what is empty is left out.
type Section struct {
	Title  string
	Text   []string
	Table  Table
	Figure *Figure
}

// Table is a head and rows of as many cells. The first Left columns are text.
type Table struct {
	Head []string
	Rows [][]string
	Left int
}

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"svg": func(f *Figure) (template.HTML, error) {
		var drawing bytes.Buffer
		if err := f.WriteSVG(&drawing); err != nil {
			return "", err
		}
		// A document within a document has no prolog.
		text := drawing.Bytes()
		if i := bytes.Index(text, []byte("<svg")); i > 0 {
			text = text[i:]
		}
		return template.HTML(text), nil
	},
	"left": func(t Table, column int) bool { return column < t.Left },
}).Parse(pageText))

// WriteHTML writes a page that needs nothing beside itself.
func (p Page) WriteHTML(w io.Writer) error { return page.Execute(w, p) }
