package vpcapi

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// prefixListOwner is who has the lists that are not an account's.
const prefixListOwner = "AWS"

// DescribeManagedPrefixLists lists the prefix lists of AWS's services.
func (a *API) DescribeManagedPrefixLists(_ context.Context, c wire.Call, in *shape.DescribeManagedPrefixListsRequest) (*shape.DescribeManagedPrefixListsResult, error) {
	page, next, err := list(c, listing[vpc.PrefixList]{
		Kind: vpc.KindPrefixList, IDs: in.PrefixListIds, Filters: in.Filters, Max: in.MaxResults, Token: in.NextToken,
		Fields: vpc.Fields[vpc.PrefixList]{
			"owner-id":         func(vpc.PrefixList) []string { return one(prefixListOwner) },
			"prefix-list-id":   func(l vpc.PrefixList) []string { return one(l.ID) },
			"prefix-list-name": func(l vpc.PrefixList) []string { return one(l.Name) },
		},
	}, prefixLists(homeOf(c)))
	if err != nil {
		return nil, err
	}
	out := &shape.DescribeManagedPrefixListsResult{PrefixLists: []shape.ManagedPrefixList{}, NextToken: next}
	for _, l := range page {
		out.PrefixLists = append(out.PrefixLists, shape.ManagedPrefixList{
			PrefixListId: aws.Ptr(l.ID), PrefixListName: aws.Ptr(l.Item.Name), AddressFamily: aws.Ptr(l.Item.Family), OwnerId: aws.Ptr(prefixListOwner),
			PrefixListArn: aws.Ptr("arn:aws:ec2:" + l.Item.Region + ":aws:prefix-list/" + l.ID), State: aws.Ptr("create-complete"), Tags: []shape.Tag{},
		})
	}
	return out, nil
}

// DescribePrefixLists is the older list of the same.
func (a *API) DescribePrefixLists(_ context.Context, c wire.Call, in *shape.DescribePrefixListsRequest) (*shape.DescribePrefixListsResult, error) {
	page, next, err := list(c, listing[vpc.PrefixList]{
		Kind: vpc.KindPrefixList, IDs: in.PrefixListIds, Filters: in.Filters, Max: in.MaxResults, Token: in.NextToken,
		Fields: vpc.Fields[vpc.PrefixList]{
			"prefix-list-id":   func(l vpc.PrefixList) []string { return one(l.ID) },
			"prefix-list-name": func(l vpc.PrefixList) []string { return one(l.Name) },
		},
	}, prefixLists(homeOf(c)))
	if err != nil {
		return nil, err
	}
	out := &shape.DescribePrefixListsResult{PrefixLists: []shape.PrefixList{}, NextToken: next}
	for _, l := range page {
		cidrs := []string{}
		for _, p := range l.Item.Entries {
			cidrs = append(cidrs, p.String())
		}
		out.PrefixLists = append(out.PrefixLists, shape.PrefixList{PrefixListId: aws.Ptr(l.ID), PrefixListName: aws.Ptr(l.Item.Name), Cidrs: cidrs})
	}
	return out, nil
}

// GetManagedPrefixListEntries lists the ranges of a prefix list.
func (a *API) GetManagedPrefixListEntries(_ context.Context, c wire.Call, in *shape.GetManagedPrefixListEntriesRequest) (*shape.GetManagedPrefixListEntriesResult, error) {
	id := aws.Val(in.PrefixListId)
	if err := vpc.KindPrefixList.Check(id); err != nil {
		return nil, err
	}
	l, ok := vpc.PrefixListOf(homeOf(c), id)
	if !ok {
		return nil, vpc.KindPrefixList.NotFound(id)
	}
	page, next, err := pageOf(paging{Call: c, IDs: []string{id}, Max: in.MaxResults, Token: in.NextToken}, l.Entries, netip.Prefix.String)
	if err != nil {
		return nil, err
	}
	return &shape.GetManagedPrefixListEntriesResult{NextToken: next, Entries: render(page, func(p netip.Prefix) shape.PrefixListEntry {
		return shape.PrefixListEntry{Cidr: aws.Ptr(p.String())}
	})}, nil
}

func prefixLists(h vpc.Home) source[vpc.PrefixList] {
	items := render(vpc.PrefixLists(h), func(l vpc.PrefixList) listed[vpc.PrefixList] { return listed[vpc.PrefixList]{ID: l.ID, Item: l} })
	slices.SortFunc(items, func(a, b listed[vpc.PrefixList]) int { return strings.Compare(a.ID, b.ID) })
	return whole(items)
}
