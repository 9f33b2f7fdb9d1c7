package governor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"time"
)

// A log is written as differences. A record is a tree of JSON, in which times of
// the input are nanoseconds after that of the record, an observation is the list
// [time, variant, threads, latency] or, of a frame that was looked at again, [...,
// latency, again], and terms stand where the decision changed.
// A whole line is such a tree with the state before it; any other line is what
// has to be merged into the tree before (RFC 7396, where null deletes), without
// the state, which follows by stepping.

type tree = map[string]any

// treeOf is a record as it is logged.
func treeOf(r Record) (tree, error) {
	list := r.Input.Observations
	r.Input.Observations = nil
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	t, err := parseTree(text)
	if err != nil {
		return nil, err
	}
	input := t["input"].(tree)
	eachTime(input, func(value any) any {
		text, _ := value.(string)
		at, err := time.Parse(time.RFC3339Nano, text)
		if offset := at.Sub(r.Time); err == nil && r.Time.Add(offset).Format(time.RFC3339Nano) == text {
			return number(offset)
		}
		return value
	})
	if len(list) > 0 {
		rows := make([]any, len(list))
		for i, o := range list {
			row := []any{number(o.Time.Sub(r.Time)), o.Variant, number(o.Threads), number(o.Latency)}
			if o.Again != 0 {
				row = append(row, number(o.Again))
			}
			rows[i] = row
		}
		input["observations"] = rows
	}
	return t, nil
}

// recordOf is the inverse of treeOf; it leaves the tree as it is.
func recordOf(t tree) (Record, error) {
	var r Record
	text, _ := t["time"].(string)
	now, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return r, err
	}
	t = clone(t)
	var list []Observation
	if input, ok := t["input"].(tree); ok {
		if rows, ok := input["observations"].([]any); ok && len(rows) > 0 {
			if _, ok := rows[0].([]any); ok {
				if list, err = observations(rows, now); err != nil {
					return r, err
				}
				delete(input, "observations")
			}
		}
		eachTime(input, func(value any) any {
			offset, ok := value.(json.Number)
			if !ok {
				return value
			}
			nanoseconds, _ := offset.Int64()
			return now.Add(time.Duration(nanoseconds)).Format(time.RFC3339Nano)
		})
	}
	if text, err := json.Marshal(t); err != nil {
		return r, err
	} else if err := json.Unmarshal(text, &r); err != nil {
		return r, err
	}
	if list != nil {
		r.Input.Observations = list
	}
	return r, nil
}

func observations(rows []any, now time.Time) ([]Observation, error) {
	list := make([]Observation, len(rows))
	for i, row := range rows {
		fields, ok := row.([]any)
		if !ok || len(fields) != 4 && len(fields) != 5 {
			return nil, fmt.Errorf("observation %d: want [time, variant, threads, latency] or [..., latency, again]", i)
		}
		var n [5]int64
		for k, field := range fields {
			if k == 1 {
				continue
			}
			value, ok := field.(json.Number)
			if !ok {
				return nil, fmt.Errorf("observation %d: %v is no number", i, field)
			}
			var err error
			if n[k], err = value.Int64(); err != nil {
				return nil, fmt.Errorf("observation %d: %w", i, err)
			}
		}
		variant, ok := fields[1].(string)
		if !ok {
			return nil, fmt.Errorf("observation %d: %v is no variant", i, fields[1])
		}
		list[i] = Observation{Time: now.Add(time.Duration(n[0])), Variant: variant, Threads: int(n[2]), Latency: time.Duration(n[3]), Again: time.Duration(n[4])}
	}
	return list, nil
}

// eachTime replaces every time below a tree.
func eachTime(t tree, replace func(any) any) {
	for key, value := range t {
		switch value := value.(type) {
		case tree:
			eachTime(value, replace)
		default:
			if key == "at" || key == "time" || key == "now" {
				t[key] = replace(value)
			}
		}
	}
}

func number[T ~int | ~int64](n T) json.Number { return json.Number(fmt.Sprint(int64(n))) }

// parseTree reads a JSON object and keeps every digit of its numbers.
func parseTree(text []byte) (tree, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var t tree
	if err := decoder.Decode(&t); err != nil {
		return nil, err
	}
	return t, nil
}

// difference is what has to be merged into one tree to make it another.
func difference(from, to tree) tree {
	patch := tree{}
	for key := range from {
		if _, ok := to[key]; !ok {
			patch[key] = nil
		}
	}
	for key, value := range to {
		before, ok := from[key]
		a, isTree := before.(tree)
		if b, both := value.(tree); isTree && both {
			if d := difference(a, b); len(d) > 0 {
				patch[key] = d
			}
		} else if !ok || !reflect.DeepEqual(before, value) {
			patch[key] = value
		}
	}
	return patch
}

// merge applies a difference.
func merge(into, patch tree) {
	for key, value := range patch {
		d, isTree := value.(tree)
		switch {
		case value == nil:
			delete(into, key)
		case isTree:
			below, ok := into[key].(tree)
			if !ok {
				below = tree{}
				into[key] = below
			}
			merge(below, d)
		default:
			into[key] = value
		}
	}
}

// clone copies a tree; lists are shared.
func clone(t tree) tree {
	c := make(tree, len(t))
	for key, value := range t {
		if below, ok := value.(tree); ok {
			value = clone(below)
		}
		c[key] = value
	}
	return c
}
