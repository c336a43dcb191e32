package elbapi

import (
	"errors"
	"fmt"
	"iter"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
)

// keyed are rows as a page wants them; they are in order of their keys.
func keyed[T any](rows []T, key func(T) string) iter.Seq2[string, T] {
	return func(yield func(string, T) bool) {
		for _, r := range rows {
			if !yield(key(r), r) {
				return
			}
		}
	}
}

// ordered are rows in the order in which they are.
func ordered[T any](rows []T) iter.Seq2[string, T] {
	return func(yield func(string, T) bool) {
		for i, r := range rows {
			if !yield(fmt.Sprintf("%06d", i), r) {
				return
			}
		}
	}
}

// absent is nil for an error of a code, and other errors.
func absent(err error, code string) error {
	if e, ok := errors.AsType[*aws.Error](err); ok && e.Code == code {
		return nil
	}
	return err
}

// groupARN answers the ARNs of target groups of a home.
func groupARN(tx store.Tx, h elb.Home) func(id string) string {
	return func(id string) string {
		if g, ok := tables.TargetGroups.Peek(tx, tables.Key(h, id)); ok {
			return g.ARN()
		}
		return ""
	}
}

func namesOf(tx store.Tx, b *elb.LoadBalancer) elb.Names {
	return elb.Names{LoadBalancer: b, Group: groupARN(tx, b.Home)}
}
