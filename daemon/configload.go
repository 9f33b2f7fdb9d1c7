package daemon

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxConfigBytes bounds a configuration file; a real one has some thousand bytes.
const maxConfigBytes = 1 << 20

// LoadConfig reads a configuration file over the defaults, resolves its paths
// against the file's folder, and lets environment variables ("NAME=value", as
// from os.Environ) override it. An empty path leaves the defaults. It does not
// check what is missing, so that flags may still complete it; see Config.Check.
// Problems name the file, the line and the column.
func LoadConfig(path string, environ []string) (Config, error) {
	c, doc := DefaultConfig(), document{file: path}
	if path != "" {
		f, err := os.Open(path)
		if err != nil {
			return Config{}, fmt.Errorf("config: %w", err)
		}
		defer f.Close()
		if err := doc.decode(f, &c); err != nil {
			return Config{}, err
		}
		c.resolve(filepath.Dir(path))
	}
	set, problems := override(&c, environ)
	doc.variables = set
	if problems = append(problems, doc.check(c)...); len(problems) > 0 {
		return Config{}, problems
	}
	return c, nil
}

// ParseConfig reads a configuration over the defaults. Unknown and repeated
// fields and values that make no sense are Problems. On an error the Config is zero.
func ParseConfig(r io.Reader) (Config, error) {
	c, doc := DefaultConfig(), document{}
	if err := doc.decode(r, &c); err != nil {
		return Config{}, err
	}
	if problems := doc.check(c); len(problems) > 0 {
		return Config{}, problems
	}
	return c, nil
}

// resolve makes relative paths relative to a folder.
func (c *Config) resolve(folder string) {
	for _, p := range c.paths() {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(folder, *p)
		}
	}
}

// document is a configuration file, kept to say where a field stands.
type document struct {
	file      string
	body      ast.Node
	variables map[string]string // the environment variable that set a field
}

// decode reads the document into c. An error is Problems, or one of reading.
func (d *document) decode(r io.Reader, c *Config) error {
	text, err := io.ReadAll(io.LimitReader(r, maxConfigBytes+1))
	if err != nil {
		return fmt.Errorf("config: %w", err)
	}
	if len(text) > maxConfigBytes {
		return Problems{{File: d.file, Message: fmt.Sprintf("larger than %d bytes (is it a configuration?)", maxConfigBytes)}}
	}
	var file *ast.File
	if err := safely(func() (err error) { file, err = parser.ParseBytes(text, 0); return err }); err != nil {
		return Problems{d.problem(err)}
	}
	switch {
	case len(file.Docs) > 1:
		return Problems{{File: d.file, Message: "holds more than one document (remove the --- lines)"}}
	case len(file.Docs) == 0 || isEmpty(file.Docs[0].Body):
		return nil // nothing to decode, which would clear the defaults
	}
	d.body = file.Docs[0].Body
	if problems := d.unknown(d.body, reflect.TypeFor[Config](), ""); len(problems) > 0 {
		return problems
	}
	if err := safely(func() error { return yaml.NodeToValue(d.body, c, yaml.Strict()) }); err != nil {
		return Problems{d.problem(err)}
	}
	return nil
}

// safely turns a panic into an error: the library is not ours.
func safely(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("not valid YAML: %v", r)
		}
	}()
	return f()
}

// problem is what the library complains of.
func (d *document) problem(err error) Problem {
	p := Problem{File: d.file, Message: oneLine(err.Error())}
	var at yaml.Error
	if errors.As(err, &at) {
		p.Message = oneLine(at.GetMessage())
		if t := at.GetToken(); t != nil && t.Position != nil {
			p.Line, p.Column = t.Position.Line, t.Position.Column
		}
	}
	return p
}

func oneLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return s
}

func isEmpty(n ast.Node) bool {
	return n == nil || n.Type() == ast.CommentType || n.Type() == ast.NullType
}

// unknown finds the keys that a section does not have, with all sections in it,
// and drops those without a value, so that they keep their defaults.
func (d *document) unknown(n ast.Node, section reflect.Type, path string) (problems Problems) {
	switch n := unwrap(n).(type) {
	case *ast.SequenceNode:
		if section.Kind() == reflect.Slice && isSection(section.Elem()) {
			for i, element := range n.Values {
				problems = append(problems, d.unknown(element, deref(section.Elem()), path+"["+strconv.Itoa(i)+"]")...)
			}
		}
	case *ast.MappingNode:
		if section.Kind() == reflect.Map && isSection(section.Elem()) {
			for _, v := range n.Values {
				problems = append(problems, d.unknown(v.Value, deref(section.Elem()), path+"."+v.Key.String())...)
			}
		}
		if section.Kind() != reflect.Struct {
			return problems
		}
		n.Values = slices.DeleteFunc(n.Values, func(v *ast.MappingValueNode) bool { return isEmpty(v.Value) })
		list := keys(section)
		for _, v := range n.Values {
			name := v.Key.String()
			at := slices.IndexFunc(list, func(k key) bool { return k.name == name })
			if at < 0 {
				if v.Key.IsMergeKey() {
					continue
				}
				position := v.Key.GetToken().Position
				problems = append(problems, Problem{File: d.file, Line: position.Line, Column: position.Column,
					Field: path, Message: fmt.Sprintf("unknown field %q", name), Hint: suggest(name, section)})
				continue
			}
			if t := deref(list[at].Type); isSection(t) || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
				problems = append(problems, d.unknown(v.Value, t, strings.TrimPrefix(path+"."+name, "."))...)
			}
		}
	}
	return problems
}

// unwrap drops what surrounds a node. What an alias stands for is checked where it is anchored.
func unwrap(n ast.Node) ast.Node {
	switch n := n.(type) {
	case *ast.AnchorNode:
		return unwrap(n.Value)
	case *ast.TagNode:
		return unwrap(n.Value)
	}
	return n
}

// check finds the values that make no sense.
func (d *document) check(c Config) Problems { return d.located(c.values()) }

func (d *document) located(list []fieldError) (problems Problems) {
	for _, bad := range list {
		problems = append(problems, d.locate(bad))
	}
	return problems
}

// locate says where a bad field stands: in the variable that set it, or on its line, or on that of the innermost section that the
// file has.
func (d *document) locate(bad fieldError) Problem {
	p := Problem{Field: bad.field, Message: bad.problem}
	if p.Variable = d.variables[bad.field]; p.Variable != "" {
		return p
	}
	p.File = d.file
	node := d.body
	for name := range strings.SplitSeq(bad.field, ".") {
		name, rest, indexed := strings.Cut(name, "[")
		mapping, ok := unwrap(node).(*ast.MappingNode)
		if !ok {
			break
		}
		i := slices.IndexFunc(mapping.Values, func(v *ast.MappingValueNode) bool { return v.Key.String() == name })
		if i < 0 {
			break
		}
		value := mapping.Values[i]
		node = value.Value
		position := value.Key.GetToken().Position
		if list, ok := unwrap(node).(*ast.SequenceNode); ok && indexed {
			if n, err := strconv.Atoi(strings.TrimSuffix(rest, "]")); err == nil && n < len(list.Values) {
				node = list.Values[n]
				position = node.GetToken().Position
			}
		}
		p.Line, p.Column = position.Line, position.Column
	}
	return p
}
