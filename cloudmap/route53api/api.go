// Package route53api answers what clients read of the hosted zones that Cloud Map's namespaces have, as Amazon Route 53.
//
// Guarantees:
//
//   - It reads, and changes nothing: zones come and go with their namespaces, records with instances.
//   - An account sees its own zones, of all regions: Route 53 is one for all of them.
//   - Lists are sorted as Route 53 sorts them, and continue where a page ended though records come and go meanwhile.
//   - Whether the caller may is asked by package wire before a handler runs.
package route53api

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/route53"
)

// API holds the handlers.
type API struct{ store store.Store }

// New makes an API.
func New(s store.Store) *API { return &API{s} }

// Bind binds every operation that is served.
func (a *API) Bind(m *wire.Mux) {
	wire.Handle(m, shape.OpGetHostedZone, a.GetHostedZone)
	wire.Handle(m, shape.OpListHostedZones, a.ListHostedZones)
	wire.Handle(m, shape.OpListHostedZonesByName, a.ListHostedZonesByName)
	wire.Handle(m, shape.OpListHostedZonesByVPC, a.ListHostedZonesByVPC)
	wire.Handle(m, shape.OpListResourceRecordSets, a.ListResourceRecordSets)
	wire.Handle(m, shape.OpListTagsForResource, a.ListTagsForResource)
	wire.Handle(m, shape.OpGetChange, a.GetChange)
}

func errorf(code, format string, args ...any) error {
	return &aws.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// zoneOf answers the namespace of an account whose zone has an id, with or without what Route 53 writes before it.
func zoneOf(tx store.Tx, account, id string) (*cloudmap.Namespace, error) {
	id = strings.TrimPrefix(id, "/hostedzone/")
	for _, n := range tables.NamespacesByZone.List(tx, id, "") {
		if n.Account == account && id != "" {
			return n, nil
		}
	}
	return nil, errorf(shape.CodeNoSuchHostedZone, "No hosted zone found with ID: %s", id)
}

// zones are those of an account, in no order.
func zones(tx store.Tx, account string) []*cloudmap.Namespace {
	var all []*cloudmap.Namespace
	for _, n := range tables.ZonesByAccount.List(tx, account, "") {
		all = append(all, n)
	}
	return all
}

// size is how many items a page has: Route 53 writes numbers as texts.
func size(asked *string, most int) (int, error) {
	if asked == nil || *asked == "" {
		return most, nil
	}
	n, err := strconv.Atoi(*asked)
	if err != nil || n < 1 {
		return 0, errorf(shape.CodeInvalidInput, "The maximum number of items must be a number from 1: %s", *asked)
	}
	return min(n, most), nil
}

// cut takes a page of a sorted list, and what comes behind it: nil when nothing does.
func cut[T any](all []T, n int) (page []T, next *T) {
	if len(all) <= n {
		return all, nil
	}
	return all[:n], &all[n]
}
