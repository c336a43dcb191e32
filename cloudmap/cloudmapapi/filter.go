package cloudmapapi

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berth-ecs/berth/cloudmap"
	shape "github.com/berth-ecs/berth/wire/shape/servicediscovery"
)

// filter is one of a list's, whatever the list.
type filter struct {
	name, condition string
	values          []string
}

func all[T any](tests []func(T) bool, v T) bool {
	return !slices.ContainsFunc(tests, func(test func(T) bool) bool { return !test(v) })
}

// matcher is the test of a value, of the conditions that are allowed for the filter beside EQ.
func (f filter) matcher(also ...string) (func(string) bool, error) {
	condition := f.condition
	if condition == "" {
		condition = shape.FilterConditionEq
	}
	if condition != shape.FilterConditionEq && !slices.Contains(also, condition) {
		return nil, cloudmap.Invalid("Condition %s is not supported for filter %s", condition, f.name)
	}
	if condition == shape.FilterConditionIn {
		if len(f.values) == 0 {
			return nil, cloudmap.Invalid("Filter %s must have a value", f.name)
		}
		return func(v string) bool { return slices.Contains(f.values, v) }, nil
	}
	if len(f.values) != 1 {
		return nil, cloudmap.Invalid("Filter %s with condition %s must have exactly one value", f.name, condition)
	}
	if condition == shape.FilterConditionBeginsWith {
		return func(v string) bool { return strings.HasPrefix(v, f.values[0]) }, nil
	}
	return func(v string) bool { return v == f.values[0] }, nil
}

// owner is the test of RESOURCE_OWNER: everything here is the caller's own.
func (f filter) owner() (own bool, err error) {
	match, err := f.matcher()
	if err != nil {
		return false, err
	}
	if v := f.values[0]; v != "SELF" && v != "OTHER_ACCOUNTS" {
		return false, cloudmap.Invalid("Filter %s must have the value SELF or OTHER_ACCOUNTS: %s", f.name, v)
	}
	return match("SELF"), nil
}

func namespaceFilter(f filter) (func(*cloudmap.Namespace) bool, error) {
	if f.name == shape.NamespaceFilterNameResourceOwner {
		own, err := f.owner()
		return func(*cloudmap.Namespace) bool { return own }, err
	}
	match, err := f.matcher(shape.FilterConditionBeginsWith)
	if err != nil {
		return nil, err
	}
	switch f.name {
	case shape.NamespaceFilterNameType:
		return func(n *cloudmap.Namespace) bool { return match(n.Type) }, nil
	case shape.NamespaceFilterNameHttpName:
		return func(n *cloudmap.Namespace) bool { return match(n.HTTPName) }, nil
	}
	return func(n *cloudmap.Namespace) bool { return match(n.Name) }, nil
}

func serviceFilter(h cloudmap.Home, f filter) (func(*cloudmap.Service) bool, error) {
	if f.name == shape.ServiceFilterNameResourceOwner {
		own, err := f.owner()
		return func(*cloudmap.Service) bool { return own }, err
	}
	local := slices.Clone(f.values)
	for i, v := range local {
		if id, ok := h.Local(cloudmap.KindNamespace, v); ok {
			local[i] = id
		}
	}
	f.values = local
	match, err := f.matcher(shape.FilterConditionIn)
	return func(s *cloudmap.Service) bool { return match(s.Namespace) }, err
}

// operationFilter tests an operation with its status.
func operationFilter(f filter) (func(ended) bool, error) {
	if f.name == shape.OperationFilterNameUpdateDate {
		from, to, err := f.between()
		return func(e ended) bool { return !e.status.At.Before(from) && !e.status.At.After(to) }, err
	}
	var also []string
	if f.name == shape.OperationFilterNameStatus || f.name == shape.OperationFilterNameType {
		also = append(also, shape.FilterConditionIn)
	}
	match, err := f.matcher(also...)
	if err != nil {
		return nil, err
	}
	switch f.name {
	case shape.OperationFilterNameNamespaceId:
		return func(e ended) bool { return match(e.Namespace) }, nil
	case shape.OperationFilterNameServiceId:
		return func(e ended) bool { return match(e.Service) }, nil
	case shape.OperationFilterNameStatus:
		return func(e ended) bool { return match(e.status.Status) }, nil
	}
	return func(e ended) bool { return match(e.Type) }, nil
}

// between reads two times: seconds since the epoch.
func (f filter) between() (from, to time.Time, err error) {
	if f.condition != shape.FilterConditionBetween || len(f.values) != 2 {
		return from, to, cloudmap.Invalid("Filter %s must have the condition BETWEEN and two values", f.name)
	}
	for i, t := range []*time.Time{&from, &to} {
		s, err := strconv.ParseFloat(f.values[i], 64)
		if err != nil || s < 0 || s > 1e11 {
			return from, to, cloudmap.Invalid("Filter %s must have seconds since the epoch as values: %s", f.name, f.values[i])
		}
		*t = time.UnixMilli(int64(s * 1000))
	}
	return from, to, nil
}
