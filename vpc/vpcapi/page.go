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

// list takes from items, in order of their ids, those that a Describe call asks for. Ids that nothing has are EC2's error.
func list[T any](c wire.Call, l listing[T], items iter.Seq[listed[T]]) (page []listed[T], next *string, err error) {
	wanted := filters(l.Filters)
	fields := withTags(l.Fields, wanted)
	if err := fields.Check(wanted); err != nil {
		return nil, nil, err
	}
	if err := checkIDs(l.Kind, l.IDs); err != nil {
		return nil, nil, err
	}
	there := map[string]bool{}
	var fit []listed[T]
	for i := range items {
		if len(l.IDs) > 0 && !slices.Contains(l.IDs, i.ID) {
			continue
		}
		there[i.ID] = true
		if fields.Match(wanted, i) {
			fit = append(fit, i)
		}
	}
	if err := found(l.Kind, l.IDs, func(id string) bool { return there[id] }); err != nil {
		return nil, nil, err
	}
	return pageOf(paging{Call: c, IDs: l.IDs, Filters: l.Filters, Max: l.Max, Token: l.Token}, fit, func(i listed[T]) string { return i.ID })
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

// pageOf takes one page. Without MaxResults that is everything.
func pageOf[T any](p paging, items []T, key func(T) string) ([]T, *string, error) {
	r := wire.PageRequest{
		Token: p.Token, Max: p.Max, Limit: math.MaxInt32, TokenMember: "NextToken", MaxMember: "MaxResults",
		Filter: wire.FilterHash(p.Call.Operation, p.Call.Account, p.Call.Region, p.IDs, p.Filters),
	}
	if p.Max != nil && (*p.Max < minResults || *p.Max > maxResults) {
		return nil, nil, invalid("Value ( %d ) for parameter maxResults is invalid. Expecting a value between %d and %d.", *p.Max, minResults, maxResults)
	}
	return wire.Page(r, func(yield func(string, T) bool) {
		for _, i := range items {
			if !yield(key(i), i) {
				return
			}
		}
	})
}

// tagged yields records of a home with their tags, in order of their ids.
func tagged[T any](tx store.Tx, h vpc.Home, records iter.Seq2[string, T], id func(T) string) iter.Seq[listed[T]] {
	return func(yield func(listed[T]) bool) {
		for _, r := range records {
			if !yield(listed[T]{ID: id(r), Item: r, Tags: tables.TagsOf(tx, h, id(r))}) {
				return
			}
		}
	}
}

// viewed yields the views of records, in order of their ids.
func viewed[R, T any](records iter.Seq2[string, R], view func(R) listed[T]) iter.Seq[listed[T]] {
	return func(yield func(listed[T]) bool) {
		for _, r := range records {
			if !yield(view(r)) {
				return
			}
		}
	}
}
