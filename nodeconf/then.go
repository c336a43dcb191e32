package nodeconf

import (
	"reflect"
	"slices"
)

// Then makes d one change of itself and the change that follows it. Nothing of next is changed.
func (d *Delta) Then(next Delta) {
	if next.From == 0 { // a whole configuration: nothing of before counts
		*d = Delta{}
	}
	d.To = next.To
	set, ours := next.Set.sections(), d.Set.sections()
	d.Gone = slices.DeleteFunc(d.Gone, func(k Key) bool {
		for i := range set {
			if set[i].kind == k.Kind {
				return set[i].v.MapIndex(reflect.ValueOf(k.ID)).IsValid()
			}
		}
		return false
	})
	for i := range set {
		for it := set[i].v.MapRange(); it.Next(); {
			put(&d.Set, i, it.Key(), it.Value())
		}
	}
	for _, k := range next.Gone {
		for i := range ours {
			if ours[i].kind == k.Kind && !ours[i].v.IsNil() {
				ours[i].v.SetMapIndex(reflect.ValueOf(k.ID), reflect.Value{})
			}
		}
	}
	d.Gone = append(d.Gone, next.Gone...)
	slices.SortFunc(d.Gone, compareKeys)
	d.Gone = slices.Compact(d.Gone)
}
