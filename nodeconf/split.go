package nodeconf

import (
	"encoding/json"
	"reflect"
)

// Split cuts a change into parts that Join puts together again, none of which takes much more than size bytes as JSON. A resource is in one part.
func (d Delta) Split(size int) []Delta {
	out, room := []Delta{{From: d.From, To: d.To}}, size
	part := func(bytes int) *Delta {
		if room -= bytes; room < 0 && room != size-bytes {
			out, room = append(out, Delta{From: d.From, To: d.To}), size-bytes
		}
		return &out[len(out)-1]
	}
	for i, m := range d.Set.sections() {
		for it := m.v.MapRange(); it.Next(); {
			put(&part(len(it.Key().String())+encoded(it.Value())).Set, i, it.Key(), it.Value())
		}
	}
	for _, k := range d.Gone {
		p := part(len(k.Kind) + len(k.ID) + len(`{"Kind":"","ID":""},`))
		p.Gone = append(p.Gone, k)
	}
	return out
}

// Join adds the next part of a change to the parts before it.
func (d *Delta) Join(next Delta) {
	d.From, d.To = next.From, next.To
	for i, m := range next.Set.sections() {
		for it := m.v.MapRange(); it.Next(); {
			put(&d.Set, i, it.Key(), it.Value())
		}
	}
	d.Gone = append(d.Gone, next.Gone...)
}

// put sets one resource of the section i.
func put(r *Resources, i int, key, value reflect.Value) {
	m := reflect.ValueOf(r).Elem().Field(i)
	if m.IsNil() {
		m.Set(reflect.MakeMap(m.Type()))
	}
	m.SetMapIndex(key, value)
}

func encoded(v reflect.Value) int {
	b, err := json.Marshal(v.Interface())
	if err != nil { // plain types cannot fail
		panic(err)
	}
	return len(b) + len(`"":,`)
}
