package acmapi

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/berth-ecs/berth/acm"
	"github.com/berth-ecs/berth/acm/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/acm"
)

// usual are the key types that are listed when nobody asks for others.
var usual = []string{shape.KeyAlgorithmRsa1024, shape.KeyAlgorithmRsa2048}

// ListCertificates answers a page of those that are asked for: unless told, those with keys of RSA with up to 2048 bits, as on AWS.
func (a *API) ListCertificates(ctx context.Context, c wire.Call, in *shape.ListCertificatesRequest) (*shape.ListCertificatesResponse, error) {
	if (in.SortBy == nil) != (in.SortOrder == nil) {
		return nil, acm.Invalid("SortBy and SortOrder are given together or not at all.")
	}
	w := wanted{statuses: in.CertificateStatuses, Filters: shape.Filters{}}
	if in.Includes != nil {
		w.Filters = *in.Includes
	}
	if len(w.KeyTypes) == 0 {
		w.KeyTypes = usual
	}
	out := &shape.ListCertificatesResponse{}
	page := wire.PageRequest{Token: in.NextToken, Max: in.MaxItems, Limit: 1000, Descending: aws.Val(in.SortOrder) == shape.SortOrderDescending,
		Filter:      wire.FilterHash("ListCertificates", home(c), in.CertificateStatuses, in.Includes, in.SortBy, in.SortOrder),
		TokenMember: "NextToken", MaxMember: "MaxItems"}
	err := a.Store.View(ctx, store.Fresh, func(tx store.Tx) error {
		rows, next, err := wire.Page(page, a.listed(tx, home(c), w, in.SortOrder))
		out.CertificateSummaryList, out.NextToken = rows, next
		return err
	})
	return out, err
}

// wanted says which certificates are asked for.
type wanted struct {
	statuses []string
	shape.Filters
}

func (w wanted) takes(f acm.Facts, now time.Time) bool {
	switch {
	case len(w.statuses) > 0 && !slices.Contains(w.statuses, f.Status(now)),
		!slices.Contains(w.KeyTypes, f.KeyAlgorithm),
		aws.Val(w.ExportOption) == shape.CertificateExportEnabled, // imported ones are never exported
		w.ManagedBy != nil: // nobody manages them
		return false
	}
	return some(w.KeyUsage, f.KeyUsages) && some(w.ExtendedKeyUsage, f.ExtendedNames())
}

// some is true when one of those asked for is there, or none was asked for.
func some(want, have []string) bool {
	return len(want) == 0 || slices.ContainsFunc(want, func(w string) bool { return slices.Contains(have, w) })
}

// listed yields certificates in the order of their keys, or of their creation.
func (a *API) listed(tx store.Tx, h acm.Home, w wanted, order *string) iter.Seq2[string, shape.CertificateSummary] {
	return func(yield func(string, shape.CertificateSummary) bool) {
		for key, cert := range inOrder(tx, h, order) {
			f, err := cert.Facts()
			if err != nil || !w.takes(f, tx.Now()) {
				continue
			}
			if !yield(key, cert.Summary(f, len(a.usersOf(tx, cert)) > 0, tx.Now())) {
				return
			}
		}
	}
}

func inOrder(tx store.Tx, h acm.Home, order *string) iter.Seq2[string, *acm.Certificate] {
	all := tables.Certificates.List(tx, tables.All(h), "")
	if order == nil {
		return all
	}
	type row struct {
		key  string
		cert *acm.Certificate
	}
	var rows []row
	for _, c := range all {
		rows = append(rows, row{c.CreatedAt.UTC().Format("20060102150405.000000000") + c.ID, c})
	}
	slices.SortFunc(rows, func(a, b row) int {
		if *order == shape.SortOrderDescending {
			a, b = b, a
		}
		return strings.Compare(a.key, b.key)
	})
	return func(yield func(string, *acm.Certificate) bool) {
		for _, r := range rows {
			if !yield(r.key, r.cert) {
				return
			}
		}
	}
}
