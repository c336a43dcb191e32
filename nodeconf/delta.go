package nodeconf

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Delta leads from one version of a configuration to another. From 0 leads from nothing: it is a whole configuration.
type Delta struct {
	From, To int64
	Set      Resources // what is new or different
	Gone     []Key     `json:",omitempty"` // what is not any more
}

// Key names a resource: Kind is the name of the member of Resources it is in.
type Key struct{ Kind, ID string }

// Empty says whether nothing changes.
func (d Delta) Empty() bool { return len(d.Gone) == 0 && d.Set.Len() == 0 }

// StaleError refuses a change of another version.
type StaleError struct{ Have, From int64 }

// Error implements error.
func (e *StaleError) Error() string {
	return fmt.Sprintf("nodeconf: the change is one of version %d, the configuration is version %d", e.From, e.Have)
}

// Apply makes c the configuration after a change, at the cost of the change. When it refuses, nothing has happened.
func (c *Config) Apply(d Delta) error {
	if d.From != 0 && d.From != c.Version {
		return &StaleError{c.Version, d.From}
	}
	if d.From == 0 {
		c.Resources = Resources{}
	}
	set := d.Set.sections()
	for i, m := range c.sections() {
		if set[i].v.Len() > 0 && m.v.IsNil() {
			m.v.Set(reflect.MakeMap(m.v.Type()))
		}
		for it := set[i].v.MapRange(); it.Next(); {
			m.v.SetMapIndex(it.Key(), it.Value())
		}
	}
	for _, k := range d.Gone { // of a kind that this program does not know: it has none
		if m := reflect.ValueOf(&c.Resources).Elem().FieldByName(k.Kind); m.IsValid() && !m.IsNil() {
			m.SetMapIndex(reflect.ValueOf(k.ID), reflect.Value{})
		}
	}
	c.Version = d.To
	return nil
}

// Diff is the change that leads from a to b.
func Diff(a, b *Config) Delta {
	d := Delta{From: a.Version, To: b.Version}
	from, set := a.sections(), d.Set.sections()
	for i, m := range b.sections() {
		for it := m.v.MapRange(); it.Next(); {
			old := from[i].v.MapIndex(it.Key())
			if old.IsValid() && reflect.DeepEqual(old.Interface(), it.Value().Interface()) {
				continue
			}
			if set[i].v.IsNil() {
				set[i].v.Set(reflect.MakeMap(m.v.Type()))
			}
			set[i].v.SetMapIndex(it.Key(), it.Value())
		}
		for it := from[i].v.MapRange(); it.Next(); {
			if !m.v.MapIndex(it.Key()).IsValid() {
				d.Gone = append(d.Gone, Key{m.kind, it.Key().String()})
			}
		}
	}
	slices.SortFunc(d.Gone, compareKeys)
	return d
}

func compareKeys(a, b Key) int {
	if c := strings.Compare(a.Kind, b.Kind); c != 0 {
		return c
	}
	return strings.Compare(a.ID, b.ID)
}

// Len is how many resources there are.
func (r *Resources) Len() (n int) {
	for _, field := range reflect.ValueOf(r).Elem().Fields() {
		n += field.Len()
	}
	return n
}

// Text writes resources one to a line, in order: the same resources give the same text.
func (r *Resources) Text() string {
	var b strings.Builder
	for _, m := range r.sections() {
		keys := m.v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, k := range keys {
			line, err := json.Marshal(m.v.MapIndex(k).Interface())
			if err != nil { // plain types cannot fail
				panic(err)
			}
			fmt.Fprintf(&b, "%s %s %s\n", m.kind, k, line)
		}
	}
	return b.String()
}

// section is a member of Resources.
type section struct {
	kind string
	v    reflect.Value // settable
}

// kinds are the names of the members of Resources.
var kinds = func() (out []string) {
	for f := range reflect.TypeFor[Resources]().Fields() {
		out = append(out, f.Name)
	}
	return out
}()

func (r *Resources) sections() []section {
	v := reflect.ValueOf(r).Elem()
	out := make([]section, len(kinds))
	for i := range out {
		out[i] = section{kinds[i], v.Field(i)}
	}
	return out
}
