package daemon

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// variablePrefix is what every environment variable of fathomd begins with.
const variablePrefix = "FATHOM_"

// TokenVariable holds the token of the page itself, where no file does.
const TokenVariable = variablePrefix + "TOKEN"

// otherVariables are those of the build, which may be set in a developer's shell.
var otherVariables = []string{TokenVariable, variablePrefix + "TFLITE_DIR", variablePrefix + "RPATH"}

// override sets what environment variables ("NAME=value") say, and returns which variable set each field.
func override(c *Config, environ []string) (map[string]string, Problems) {
	var problems Problems
	set := map[string]string{}
	fields := Fields()
	for _, entry := range environ {
		name, text, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, variablePrefix) || slices.Contains(otherVariables, name) {
			continue
		}
		i := slices.IndexFunc(fields, func(f Field) bool { return f.Variable() == name })
		if i < 0 {
			problems = append(problems, unknownVariable(name, fields))
			continue
		}
		f := fields[i]
		if err := setText(at(reflect.ValueOf(c).Elem(), f.Path, true), text); err != nil {
			problems = append(problems, Problem{Variable: name, Field: f.Path, Message: err.Error()})
			continue
		}
		set[f.Path] = name
	}
	return set, problems
}

func unknownVariable(name string, fields []Field) Problem {
	p := Problem{Variable: name, Message: "no field of the configuration has this name"}
	var names []string
	for _, f := range fields {
		names = append(names, strings.ToLower(f.Variable()))
	}
	if best, ok := nearest(name, names); ok {
		p.Hint = "did you mean " + strings.ToUpper(best) + "?"
	}
	return p
}

// setText sets a value from text: a string as it stands, anything else as YAML.
func setText(v reflect.Value, text string) error {
	if v.Kind() == reflect.String {
		v.SetString(text)
		return nil
	}
	fresh := reflect.New(v.Type())
	if err := safely(func() error { return yaml.UnmarshalWithOptions([]byte(text), fresh.Interface(), yaml.Strict()) }); err != nil {
		var at yaml.Error
		if errors.As(err, &at) {
			return fmt.Errorf("%q: %s", text, oneLine(at.GetMessage()))
		}
		return fmt.Errorf("%q: %s", text, oneLine(err.Error()))
	}
	v.Set(fresh.Elem())
	return nil
}
