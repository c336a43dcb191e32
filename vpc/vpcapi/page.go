package vpcapi

import (
	"iter"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// listed is an item of a Describe call's list: a record, what the answer says beside it, and its tags.
type listed[T any] struct {
	ID   string
	Item T
	Tags []vpc.Pair
}

// listing is what a Describe call asks for.
type listing[T any] struct {
	Kind    vpc.Kind      // of IDs
	IDs     []string      // none: all
	Fields  vpc.Fields[T] // what can be filtered by, beside tags
	Filters []shape.Filter
	Max     *int32
	Token   *string
}

// source is where a Describe call finds its items: those behind an id, in order of their ids, and one by its id. What an answer says of an item is
// made when the item comes up, so that a page costs what is on it.
type source[T any] struct {
	after func(id string) iter.Seq[listed[T]] // "": all
	one   func(id string) (listed[T], bool)
}

// list takes from items those that a Describe call asks for, in order of their ids. Ids that nothing has are EC2's error.
func list[T any](c wire.Call, l listing[T], items source[T]) (page []listed[T], next *string, err error) {
	wanted := filters(l.Filters)
	fields := withTags(l.Fields, wanted)
	if err := fields.Check(wanted); err != nil {
		return nil, nil, err
	}
	if err := checkIDs(l.Kind, l.IDs); err != nil {
		return nil, nil, err
	}
	p := paging{Call: c, IDs: l.IDs, Filters: l.Filters, Max: l.Max, Token: l.Token}
	r, err := p.request()
	if err != nil {
		return nil, nil, err
	}
	after, err := r.After()
	if err != nil {
		return nil, nil, err
	}
	found := items.after
	if len(l.IDs) > 0 {
		if found, err = items.named(l.Kind, l.IDs); err != nil {
			return nil, nil, err
		}
	}
	return wire.Page(r, func(yield func(string, listed[T]) bool) {
		for i := range found(after) {
			if fields.Match(wanted, i) && !yield(i.ID, i) {
				return
			}
		}
	})
}

// named are the items of some ids, all of which must be there.
func (s source[T]) named(k vpc.Kind, ids []string) (func(string) iter.Seq[listed[T]], error) {
	var items []listed[T]
	strange := map[string]bool{}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		i, ok := s.one(id)
		if !ok {
			strange[id] = true
			continue
		}
		items = append(items, i)
	}
	if err := found(k, ids, func(id string) bool { return !strange[id] }); err != nil {
		return nil, err
	}
	return func(string) iter.Seq[listed[T]] { return slices.Values(items) }, nil
}

// withTags are the fields of a record and those that every resource with tags has.
func withTags[T any](f vpc.Fields[T], wanted []vpc.Filter) vpc.Fields[listed[T]] {
	all := make(vpc.Fields[listed[T]], len(f)+2)
	for name, values := range f {
		all[name] = func(i listed[T]) []string { return values(i.Item) }
	}
	maps.Copy(all, tagFields(wanted, func(i listed[T]) []vpc.Pair { return i.Tags }))
	return all
}

// tagFields are tag-key, tag-value and those of tag:KEY that filters name.
func tagFields[T any](wanted []vpc.Filter, tags func(T) []vpc.Pair) vpc.Fields[T] {
	pick := func(fits func(vpc.Pair) bool, what func(vpc.Pair) string) func(T) []string {
		return func(item T) (out []string) {
			for _, p := range tags(item) {
				if fits(p) {
					out = append(out, what(p))
				}
			}
			return out
		}
	}
	every := func(vpc.Pair) bool { return true }
	value := func(p vpc.Pair) string { return p.Value }
	f := vpc.Fields[T]{"tag-key": pick(every, func(p vpc.Pair) string { return p.Key }), "tag-value": pick(every, value)}
	for _, w := range wanted {
		if key, ok := strings.CutPrefix(w.Name, "tag:"); ok && key != "" {
			f[w.Name] = pick(func(p vpc.Pair) bool { return p.Key == key }, value)
		}
	}
	return f
}

// Bounds of MaxResults.
const (
	minResults = 5
	maxResults = 1000
)

// paging is a page of a list that is in order of its keys.
type paging struct {
	Call    wire.Call // required
	IDs     []string
	Filters []shape.Filter
	Max     *int32
	Token   *string
}

func (p paging) request() (wire.PageRequest, error) {
	r := wire.PageRequest{
		Token: p.Token, Max: p.Max, Limit: math.MaxInt32, TokenMember: "NextToken", MaxMember: "MaxResults",
		Filter: wire.FilterHash(p.Call.Operation, p.Call.Account, p.Call.Region, p.IDs, p.Filters),
	}
	if p.Max != nil && (*p.Max < minResults || *p.Max > maxResults) {
		return r, invalid("Value ( %d ) for parameter maxResults is invalid. Expecting a value between %d and %d.", *p.Max, minResults, maxResults)
	}
	return r, nil
}

// pageOf takes one page of items that are there as a whole. Without MaxResults that is everything.
func pageOf[T any](p paging, items []T, key func(T) string) ([]T, *string, error) {
	r, err := p.request()
	if err != nil {
		return nil, nil, err
	}
	return wire.Page(r, func(yield func(string, T) bool) {
		for _, i := range items {
			if !yield(key(i), i) {
				return
			}
		}
	})
}

// records are the records of a home in a table whose keys are ids, as view shows them; ok says of which the list tells.
func records[R, T any](tx store.Tx, h vpc.Home, t *store.Table[R], view func(*R) (item listed[T], ok bool)) source[T] {
	return source[T]{
		after: func(id string) iter.Seq[listed[T]] {
			from := ""
			if id != "" {
				from = tables.Key(h, id)
			}
			return func(yield func(listed[T]) bool) {
				for _, r := range t.List(tx, tables.All(h), from) {
					if i, ok := view(r); ok && !yield(i) {
						return
					}
				}
			}
		},
		one: func(id string) (listed[T], bool) {
			r, ok := t.Peek(tx, tables.Key(h, id))
			if !ok {
				return listed[T]{}, false
			}
			return view(r)
		},
	}
}

// viewed are records of which all are told.
func viewed[R, T any](tx store.Tx, h vpc.Home, t *store.Table[R], view func(*R) listed[T]) source[T] {
	return records(tx, h, t, func(r *R) (listed[T], bool) { return view(r), true })
}

// tagged are records that are told as they are, with their tags.
func tagged[R any](tx store.Tx, h vpc.Home, t *store.Table[R], id func(*R) string) source[*R] {
	return viewed(tx, h, t, func(r *R) listed[*R] { return listed[*R]{ID: id(r), Item: r, Tags: tables.TagsOf(tx, h, id(r))} })
}

// whole are items that are there as a whole, in order of their ids.
func whole[T any](items []listed[T]) source[T] {
	return source[T]{
		after: func(string) iter.Seq[listed[T]] { return slices.Values(items) },
		one: func(id string) (listed[T], bool) {
			i := slices.IndexFunc(items, func(i listed[T]) bool { return i.ID == id })
			if i < 0 {
				return listed[T]{}, false
			}
			return items[i], true
		},
	}
}
