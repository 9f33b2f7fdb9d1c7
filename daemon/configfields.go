package daemon

import (
	"encoding"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Field is one value that a configuration may give.
type Field struct {
	// Path names it in the file: source.url.
	Path string
	Type reflect.Type
	// Default is its value in DefaultConfig; the zero Value within a section that is absent by default.
	Default reflect.Value
	// Restart tells that a change of it takes effect at the next start only.
	Restart bool
	// Owner is the struct type that declares it, as GoName.
	Owner  reflect.Type
	GoName string
}

// Variable is the environment variable that overrides the field: FATHOM_SOURCE_URL.
func (f Field) Variable() string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(f.Path, ".", "_"))
}

// Fields lists all fields in the order of the file. Lists are one field each.
func Fields() []Field {
	var list []Field
	walk(reflect.ValueOf(DefaultConfig()), Field{}, &list)
	return list
}

// FieldsOf lists the fields of one element of a list or a mapping; false where its elements have none.
func FieldsOf(list reflect.Type) ([]Field, bool) {
	if k := list.Kind(); k != reflect.Slice && k != reflect.Map || !isSection(list.Elem()) {
		return nil, false
	}
	var fields []Field
	walk(reflect.Zero(deref(list.Elem())), Field{}, &fields)
	return fields, true
}

func walk(section reflect.Value, at Field, list *[]Field) {
	for _, k := range keys(at.typeOf(section)) {
		f := Field{Path: k.name, Type: k.Type, Restart: at.Restart || needsRestart(k),
			Owner: at.typeOf(section), GoName: k.Name}
		if at.Path != "" {
			f.Path = at.Path + "." + k.name
		}
		if section.IsValid() {
			f.Default = section.FieldByIndex(k.Index)
		}
		if !isSection(k.Type) {
			*list = append(*list, f)
			continue
		}
		inside := f.Default
		if inside.IsValid() && inside.Kind() == reflect.Pointer {
			inside = inside.Elem() // not valid where nil
		}
		walk(inside, f, list)
	}
}

// typeOf is the struct type of a section, also where its value is absent.
func (f Field) typeOf(section reflect.Value) reflect.Type {
	if section.IsValid() {
		return section.Type()
	}
	return deref(f.Type)
}

// key is a field of a struct under its name in the file.
type key struct {
	reflect.StructField
	name string
}

// keys lists the keys of a section in the order of its struct.
func keys(section reflect.Type) []key {
	var list []key
	for i := range section.NumField() {
		f := section.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		list = append(list, key{f, name})
	}
	return list
}

// needsRestart reads the tag reload:"restart", which a field of Config itself may have.
func needsRestart(k key) bool { return k.Tag.Get("reload") == "restart" }

func deref(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

var (
	textType = reflect.TypeFor[encoding.TextUnmarshaler]()
	yamlType = reflect.TypeFor[yaml.InterfaceUnmarshaler]()
)

// isSection tells a mapping with keys from a single value.
func isSection(t reflect.Type) bool {
	t = deref(t)
	p := reflect.PointerTo(t)
	return t.Kind() == reflect.Struct && !p.Implements(textType) && !p.Implements(yamlType)
}

// suggest is a hint for a key that a section does not have: the likeliest one
// that it has, or the section where the key belongs.
func suggest(name string, section reflect.Type) string {
	var names []string
	for _, k := range keys(section) {
		names = append(names, k.name)
	}
	if best, ok := nearest(name, names); ok {
		return "did you mean " + best + "?"
	}
	for _, f := range Fields() {
		if f.Path == name || strings.HasSuffix(f.Path, "."+name) {
			return "did you mean " + f.Path + "?"
		}
	}
	return "known here: " + strings.Join(names, ", ")
}

// nearest finds the most similar name, if one is similar at all.
func nearest(name string, names []string) (string, bool) {
	best, at := "", max(len(name)/3, 1)+1
	for _, n := range names {
		if d := distance(strings.ToLower(name), n); d < at {
			best, at = n, d
		}
	}
	return best, best != ""
}

// distance is Levenshtein's, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// Changed lists the fields in which two configurations differ.
func Changed(a, b Config) []Field {
	return slices.DeleteFunc(Fields(), func(f Field) bool {
		return reflect.DeepEqual(value(reflect.ValueOf(a), f.Path), value(reflect.ValueOf(b), f.Path))
	})
}

// value is what a configuration holds at a path; nil within a section that is absent.
func value(section reflect.Value, path string) any {
	v := at(section, path, false)
	if !v.IsValid() {
		return nil
	}
	return v.Interface()
}

// at finds the value at a path of Fields. Where make is set, absent sections on
// the way are made, and section must be settable; otherwise a value within one is not valid.
func at(section reflect.Value, path string, create bool) reflect.Value {
	for name := range strings.SplitSeq(path, ".") {
		if section.Kind() == reflect.Pointer {
			if section.IsNil() {
				if !create {
					return reflect.Value{}
				}
				section.Set(reflect.New(section.Type().Elem()))
			}
			section = section.Elem()
		}
		list := keys(section.Type())
		i := slices.IndexFunc(list, func(k key) bool { return k.name == name })
		section = section.FieldByIndex(list[i].Index)
	}
	return section
}
