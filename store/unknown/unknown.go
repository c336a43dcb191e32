// Package unknown keeps the members of a JSON value that a Go type has no place for, so that a program can rewrite what a
// newer one wrote without losing any of it.
//
// Guarantees: what the type does have a place for is never changed by a merge; a value that has nothing unknown costs no
// memory; merging twice is merging once. Objects keep their unknown members at every depth, also inside maps and lists. A list element keeps them when its known
// part is found again in the new list, or, in a list of the same length, at its place. What was removed on purpose takes
// its unknown members along. Types that decode themselves keep what they want.
package unknown

import (
	"bytes"
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
)

// Members is the part of a JSON value that a Go type has no place for; nil for none.
type Members struct {
	members map[string]json.RawMessage // members of this object the type does not have
	fields  map[string]*Members        // known members (or map keys) with something unknown inside
	elems   []*Members                 // elements of this list, nil where nothing is unknown
}

func (u *Members) orNil() *Members {
	if len(u.members) == 0 && len(u.fields) == 0 && len(u.elems) == 0 {
		return nil
	}
	return u
}

var (
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// Collect finds what decoding raw into a t leaves out.
func Collect(raw json.RawMessage, t reflect.Type) (*Members, error) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	p := reflect.PointerTo(t)
	if p.Implements(jsonUnmarshaler) || p.Implements(textUnmarshaler) || bytes.Equal(raw, []byte("null")) {
		return nil, nil
	}
	switch t.Kind() {
	case reflect.Struct:
		known := Known(t)
		return collectObject(raw, func(name string) reflect.Type { return known[strings.ToLower(name)] })
	case reflect.Map:
		return collectObject(raw, func(string) reflect.Type { return t.Elem() })
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return nil, nil
		}
		return collectList(raw, t.Elem())
	default:
		return nil, nil
	}
}

func collectObject(raw json.RawMessage, member func(string) reflect.Type) (*Members, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, err
	}
	u := &Members{members: map[string]json.RawMessage{}, fields: map[string]*Members{}}
	for name, value := range members {
		t := member(name)
		if t == nil {
			u.members[name] = bytes.Clone(value)
			continue
		}
		sub, err := Collect(value, t)
		if err != nil {
			return nil, err
		}
		if sub != nil {
			u.fields[name] = sub
		}
	}
	return u.orNil(), nil
}

func collectList(raw json.RawMessage, elem reflect.Type) (*Members, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, err
	}
	u := &Members{}
	for i, e := range list {
		sub, err := Collect(e, elem)
		if err != nil {
			return nil, err
		}
		if sub != nil {
			if u.elems == nil {
				u.elems = make([]*Members, len(list))
			}
			u.elems[i] = sub
		}
	}
	return u.orNil(), nil
}

// Known maps lower-cased member names (decoding ignores case) to field types, embedded structs flattened.
func Known(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		ft := f.Type
		if f.Anonymous && name == "" {
			for ft.Kind() == reflect.Pointer {
				ft = ft.Elem()
			}
			if ft.Kind() == reflect.Struct {
				for n, st := range Known(ft) {
					if _, shadowed := out[n]; !shadowed {
						out[n] = st
					}
				}
				continue
			}
		}
		if !f.IsExported() || f.Tag.Get("json") == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		out[strings.ToLower(name)] = f.Type
	}
	return out
}

// Merge puts u back into now. was is the known part of the value u was collected from: it tells which list element is
// which.
func (u *Members) Merge(was, now json.RawMessage) (json.RawMessage, error) {
	if u.elems != nil {
		return u.mergeList(was, now)
	}
	var before, after map[string]json.RawMessage
	if json.Unmarshal(now, &after) != nil || after == nil {
		return now, nil //nolint:nilerr // null, or no longer an object: the new value replaced it on purpose
	}
	if json.Unmarshal(was, &before) != nil {
		return now, nil //nolint:nilerr // there is nothing to keep of what was no object
	}
	for name, value := range u.members {
		if _, set := after[name]; !set {
			after[name] = value
		}
	}
	for name, sub := range u.fields {
		had, has := before[name], after[name]
		if has == nil {
			if had != nil || sub.elems != nil {
				continue // removed on purpose
			}
			had, has = json.RawMessage("{}"), json.RawMessage("{}") // its known part is zero and omitted
		}
		merged, err := sub.Merge(had, has)
		if err != nil {
			return nil, err
		}
		after[name] = merged
	}
	return json.Marshal(after)
}

// mergeList gives each old element's unknown part to the new element that is equal in its known part, else, when the
// length did not change, to the one at the same place. An element that was removed takes its part with it.
func (u *Members) mergeList(was, now json.RawMessage) (json.RawMessage, error) {
	var before, after []json.RawMessage
	if json.Unmarshal(now, &after) != nil || json.Unmarshal(was, &before) != nil || len(before) != len(u.elems) {
		return now, nil //nolint:nilerr // no list, or another one: the new value replaced it
	}
	taken := make([]bool, len(after))
	for i, sub := range u.elems {
		j := findEqual(after, before[i], taken, i)
		if j < 0 && len(before) == len(after) && !taken[i] {
			j = i
		}
		if sub == nil || j < 0 {
			continue
		}
		taken[j] = true
		merged, err := sub.Merge(before[i], after[j])
		if err != nil {
			return nil, err
		}
		after[j] = merged
	}
	return json.Marshal(after)
}

func findEqual(list []json.RawMessage, want json.RawMessage, taken []bool, first int) int {
	if first < len(list) && !taken[first] && bytes.Equal(list[first], want) {
		return first
	}
	for j, e := range list {
		if !taken[j] && bytes.Equal(e, want) {
			return j
		}
	}
	return -1
}
