package graph

import (
	"fmt"
	"reflect"
	"strings"
)

// String lists the attributes that are not zero.
func (a Attrs) String() string {
	var set []string
	v := reflect.ValueOf(a)
	for i := range v.NumField() {
		f := v.Field(i)
		if f.IsZero() || (f.Kind() == reflect.Slice && f.Len() == 0) {
			continue
		}
		set = append(set, fmt.Sprintf("%s=%v", v.Type().Field(i).Name, f.Interface()))
	}
	return strings.Join(set, " ")
}
