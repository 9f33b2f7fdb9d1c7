// Command config-reference writes the reference of fathomd's configuration from
// the types that hold it and their doc comments:
//
//	go run ./scripts/config-reference docs/configuration.md
//
// Run it in the root of the repository.
package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/fathom-edge/fathom/daemon"
	"github.com/fathom-edge/fathom/internal/atomicfile"
)

const module = "github.com/fathom-edge/fathom/"

const head = `# Configuration of fathomd

Generated from the code by ` + "`go run ./scripts/config-reference docs/configuration.md`" + `; do not edit.

` + "`fathomd`" + ` reads one YAML file, by default none; the packages use ` + "`/etc/fathom/fathomd.yaml`" + `. Every field may be left out. Unknown and repeated
fields are errors, with line, column and a hint. Durations have a unit (` + "`200ms`, `3s`" + `). Paths are relative to the file.

An environment variable overrides a field of the file: ` + "`FATHOM_`" + ` and the path in capitals, with ` + "`_`" + ` for the dots, so
` + "`FATHOM_SOURCE_ADDRESS`" + ` for ` + "`source.address`" + `. Text stands as it is, anything else is YAML. A flag overrides both.

*Restart* marks what takes effect at the next start only. All else holds as soon as the file is read again: ` + "`systemctl reload fathomd`" + `, SIGHUP, or the
button on the page.
`

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "config-reference: call it with the file to write, docs/configuration.md")
		os.Exit(2)
	}
	text, err := reference()
	if err == nil {
		err = atomicfile.Write(os.Args[1], []byte(text))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "config-reference:", err)
		os.Exit(1)
	}
}

func reference() (string, error) {
	docs := comments{}
	var b strings.Builder
	b.WriteString(head)
	err := tables(&b, docs, "", daemon.Fields())
	return b.String(), err
}

// tables writes one table for each section, and one for the elements of each list of sections. Its error names all fields
// without a comment.
func tables(b *strings.Builder, docs comments, prefix string, fields []daemon.Field) error {
	var missing []error
	var sections []string // in the order of their first fields
	inside := map[string][]daemon.Field{}
	for _, f := range fields {
		at := ""
		if i := strings.LastIndex(f.Path, "."); i >= 0 {
			at = f.Path[:i]
		}
		if inside[at] == nil {
			sections = append(sections, at)
		}
		inside[at] = append(inside[at], f)
	}
	for _, at := range sections {
		if err := heading(b, docs, strings.Trim(prefix+"."+at, "."), inside[at][0].Owner); err != nil {
			return err
		}
		for _, f := range inside[at] {
			missing = append(missing, row(b, docs, f.Path, f))
		}
	}
	for _, f := range fields {
		if inside, ok := daemon.FieldsOf(f.Type); ok {
			suffix := "[]"
			if f.Type.Kind() == reflect.Map {
				suffix = ".NAME"
			}
			missing = append(missing, tables(b, docs, f.Path+suffix, inside))
		}
	}
	return errors.Join(missing...)
}

func heading(b *strings.Builder, docs comments, at string, owner reflect.Type) error {
	if at == "" {
		at = "At the top"
	} else {
		at = "`" + at + "`"
	}
	fmt.Fprintf(b, "\n## %s\n\n", at)
	doc, err := docs.ofType(owner)
	if err != nil {
		return err
	}
	if rest, ok := strings.CutPrefix(doc, owner.Name()+" "); ok {
		doc = strings.ToUpper(rest[:1]) + rest[1:]
	}
	if doc != "" && owner != reflect.TypeFor[daemon.Config]() {
		fmt.Fprintf(b, "%s\n\n", doc)
	}
	b.WriteString("| field | type | default | restart | meaning |\n|---|---|---|---|---|\n")
	return nil
}

func row(b *strings.Builder, docs comments, path string, f daemon.Field) error {
	doc, err := docs.ofField(f.Owner, f.GoName)
	if err != nil {
		return err
	}
	if doc == "" {
		return fmt.Errorf("%s: %s.%s has no doc comment", path, f.Owner, f.GoName)
	}
	restart := ""
	if f.Restart {
		restart = "yes"
	}
	name := path[strings.LastIndex(path, ".")+1:]
	if rest, ok := strings.CutPrefix(doc, f.GoName+" is "); ok {
		doc = strings.ToUpper(rest[:1]) + rest[1:]
	}
	fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s |\n", name, typeName(f.Type), defaultText(f.Default), restart, strings.ReplaceAll(doc, "|", "\\|"))
	return nil
}

// typeName is a type in the words of a user.
func typeName(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[daemon.Duration](), reflect.TypeFor[time.Duration]():
		return "duration"
	}
	switch t.Kind() {
	case reflect.Slice:
		return "list of " + typeName(t.Elem())
	case reflect.Map:
		return "mapping to " + typeName(t.Elem())
	case reflect.Pointer:
		return typeName(t.Elem())
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Float64:
		return "number"
	case reflect.Int, reflect.Uint64, reflect.Uint16:
		if t.Name() == "Clock" {
			return "time of day"
		}
		return "whole number"
	}
	return strings.ToLower(t.Name())
}

func defaultText(v reflect.Value) string {
	if !v.IsValid() || v.IsZero() && v.Kind() != reflect.Bool && v.Kind() != reflect.Int {
		return "–"
	}
	switch x := v.Interface().(type) {
	case daemon.Duration:
		return "`" + time.Duration(x).String() + "`"
	case bool:
		return fmt.Sprintf("`%t`", x)
	}
	return fmt.Sprintf("`%v`", v.Interface())
}

// comments are the doc comments of the types of packages, by import path.
type comments map[string]map[string]*typeComments

type typeComments struct {
	doc    string
	fields map[string]string
}

func (c comments) ofType(t reflect.Type) (string, error) {
	found, err := c.find(t)
	if err != nil {
		return "", err
	}
	return found.doc, nil
}

func (c comments) ofField(t reflect.Type, field string) (string, error) {
	found, err := c.find(t)
	if err != nil {
		return "", err
	}
	return found.fields[field], nil
}

func (c comments) find(t reflect.Type) (*typeComments, error) {
	if c[t.PkgPath()] == nil {
		types, err := read(strings.TrimPrefix(t.PkgPath(), module))
		if err != nil {
			return nil, err
		}
		c[t.PkgPath()] = types
	}
	found := c[t.PkgPath()][t.Name()]
	if found == nil {
		return nil, fmt.Errorf("no type %s in its package", t)
	}
	return found, nil
}

// read collects the comments of all struct types of a folder.
func read(folder string) (map[string]*typeComments, error) {
	files, err := filepath.Glob(filepath.Join(filepath.FromSlash(folder), "*.go"))
	if err != nil {
		return nil, err
	}
	types := map[string]*typeComments{}
	for _, name := range files {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			d, ok := n.(*ast.GenDecl)
			if !ok {
				return true
			}
			for _, s := range d.Specs {
				if t, ok := s.(*ast.TypeSpec); ok {
					if body, ok := t.Type.(*ast.StructType); ok {
						types[t.Name.Name] = &typeComments{doc: oneLine(d.Doc.Text()), fields: fields(set, body)}
					}
				}
			}
			return true
		})
	}
	return types, nil
}

// fields are the comments of a struct's fields. A field without one belongs to the
// comment above the fields right before it.
func fields(set *token.FileSet, body *ast.StructType) map[string]string {
	list, above, line := map[string]string{}, "", -1
	for _, f := range body.Fields.List {
		text := f.Doc.Text()
		if text == "" {
			text = f.Comment.Text()
		}
		if begins := set.Position(f.Pos()).Line; text == "" && begins == line+1 {
			text = above
		}
		above, line = text, set.Position(f.End()).Line
		for _, n := range f.Names {
			list[n.Name] = oneLine(text)
		}
	}
	return list
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
