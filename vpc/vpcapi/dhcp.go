package vpcapi

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

func (a *API) bindDHCP(m *wire.Mux) {
	bind(m, shape.OpCreateDhcpOptions, a.CreateDhcpOptions)
	bind(m, shape.OpDeleteDhcpOptions, a.DeleteDhcpOptions)
	bind(m, shape.OpDescribeDhcpOptions, a.DescribeDhcpOptions)
	bind(m, shape.OpAssociateDhcpOptions, a.AssociateDhcpOptions)
}

// maxServers is how many servers an option of addresses may name.
const maxServers = 4

// dhcpKeys are the options there are, and whether their values are addresses.
var dhcpKeys = map[string]bool{
	"domain-name": false, "domain-name-servers": true, "ntp-servers": true, "netbios-name-servers": true, "netbios-node-type": false,
	"ipv6-address-preferred-lease-time": false,
}

// CreateDhcpOptions makes DHCP options.
func (a *API) CreateDhcpOptions(ctx context.Context, c wire.Call, in *shape.CreateDhcpOptionsRequest) (*shape.CreateDhcpOptionsResult, error) {
	options, err := readOptions(in.DhcpConfigurations)
	if err != nil {
		return nil, err
	}
	tags, err := tagSpec(in.TagSpecifications, vpc.KindDHCPOptions)
	if err != nil {
		return nil, err
	}
	var out shape.DhcpOptions
	err = a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		if count(tables.DHCPOptions.List(tx, tables.All(h), "")) >= maxDHCPOptions {
			return wire.Errorf("DhcpOptionsLimitExceeded", "The maximum number of DHCP options has been reached.")
		}
		o := &vpc.DHCPOptions{Home: h, ID: vpc.KindDHCPOptions.NewID(tx.NewID()), Options: options}
		tables.DHCPOptions.Put(tx, o)
		tables.PutTags(tx, h, o.ID, tags)
		out = renderOptions(listed[*vpc.DHCPOptions]{Item: o, Tags: tags})
		return nil
	})
	return &shape.CreateDhcpOptionsResult{DhcpOptions: &out}, err
}

func readOptions(in []shape.NewDhcpConfiguration) ([]vpc.DHCPOption, error) {
	var out []vpc.DHCPOption
	for _, o := range in {
		key := aws.Val(o.Key)
		addresses, known := dhcpKeys[key]
		switch {
		case !known:
			return nil, invalid("Value (%s) for parameter key is invalid. Unknown DHCP option", key)
		case len(o.Values) == 0:
			return nil, invalid("Value () for parameter value is invalid. The option %s has no value", key)
		case slices.ContainsFunc(out, func(have vpc.DHCPOption) bool { return have.Key == key }):
			return nil, invalid("Value (%s) for parameter key is invalid. Duplicate DHCP option", key)
		case addresses && len(o.Values) > maxServers:
			return nil, invalid("Value (%s) for parameter key is invalid. At most %d servers can be specified", key, maxServers)
		}
		for _, v := range o.Values {
			if _, err := netip.ParseAddr(v); addresses && err != nil && (key != "domain-name-servers" || v != vpc.ProvidedDNS) {
				return nil, invalid("Value (%s) for parameter %s is invalid. Invalid server ip address", v, key)
			}
			if key == "netbios-node-type" && !slices.Contains([]string{"1", "2", "4", "8"}, v) {
				return nil, invalid("Value (%s) for parameter netbios-node-type is invalid. The value must be one of 1, 2, 4, 8", v)
			}
		}
		out = append(out, vpc.DHCPOption{Key: key, Values: slices.Clone(o.Values)})
	}
	if len(out) == 0 {
		return nil, missing("dhcpConfiguration")
	}
	return out, nil
}

// DeleteDhcpOptions deletes DHCP options that no VPC has.
func (a *API) DeleteDhcpOptions(ctx context.Context, c wire.Call, in *shape.DeleteDhcpOptionsRequest) (*aws.Unit, error) {
	id := aws.Val(in.DhcpOptionsId)
	_, err := a.deleteUnused(ctx, c, removal{
		find: func(tx store.Tx, h vpc.Home) (string, error) {
			if _, err := tables.Options(tx, h, id); err != nil {
				return id, inDeletionsWords(err, id)
			}
			if tables.VPCsByDHCPOptions.Count(tx, id) > 0 {
				return id, vpc.Dependent("dhcpOptions", id)
			}
			return id, nil
		},
		remove: func(tx store.Tx, h vpc.Home, id string) {
			tables.DHCPOptions.Delete(tx, tables.Key(h, id))
			tables.PutTags(tx, h, id, nil)
		},
	})
	return nil, err
}

// inDeletionsWords is the error of options that are not there as their deletion has it: EC2 spells its code otherwise there, and Terraform
// compares it.
func inDeletionsWords(err error, id string) error {
	if e, ok := err.(*aws.Error); ok && strings.HasSuffix(e.Code, ".NotFound") { //nolint:errorlint // tables wraps none
		return wire.Errorf("InvalidDhcpOptionsID.NotFound", "The dhcpOptions ID '%s' does not exist", id)
	}
	return err
}

// AssociateDhcpOptions gives a VPC DHCP options, or with "default" none.
func (a *API) AssociateDhcpOptions(ctx context.Context, c wire.Call, in *shape.AssociateDhcpOptionsRequest) (*aws.Unit, error) {
	return nil, a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		id := aws.Val(in.DhcpOptionsId)
		if id != tables.NoOptions {
			if _, err := tables.Options(tx, h, id); err != nil {
				return err
			}
			tables.Use(tx, h, id)
		}
		v, err := tables.VPC(tx, h, aws.Val(in.VpcId))
		if err != nil {
			return err
		}
		next := *v
		next.DHCPOptions = id
		tables.VPCs.Put(tx, &next)
		return nil
	})
}

var optionFields = vpc.Fields[*vpc.DHCPOptions]{
	"dhcp-options-id": func(o *vpc.DHCPOptions) []string { return one(o.ID) },
	"owner-id":        func(o *vpc.DHCPOptions) []string { return one(o.Account) },
	"key": func(o *vpc.DHCPOptions) []string {
		return render(o.Options, func(p vpc.DHCPOption) string { return p.Key })
	},
	"value": func(o *vpc.DHCPOptions) (all []string) {
		for _, p := range o.Options {
			all = append(all, p.Values...)
		}
		return all
	},
}

// DescribeDhcpOptions lists DHCP options.
func (a *API) DescribeDhcpOptions(ctx context.Context, c wire.Call, in *shape.DescribeDhcpOptionsRequest) (*shape.DescribeDhcpOptionsResult, error) {
	out := &shape.DescribeDhcpOptionsResult{}
	err := a.view(ctx, c, func(tx store.Tx, h vpc.Home) error {
		page, next, err := list(c, listing[*vpc.DHCPOptions]{
			Kind: vpc.KindDHCPOptions, IDs: in.DhcpOptionsIds, Fields: optionFields, Filters: in.Filters, Max: in.MaxResults, Token: in.NextToken,
		}, tagged(tx, h, tables.DHCPOptions, func(o *vpc.DHCPOptions) string { return o.ID }))
		out.DhcpOptions, out.NextToken = render(page, renderOptions), next
		return err
	})
	return out, err
}

func renderOptions(l listed[*vpc.DHCPOptions]) shape.DhcpOptions {
	o := l.Item
	out := shape.DhcpOptions{DhcpOptionsId: aws.Ptr(o.ID), OwnerId: aws.Ptr(o.Account), Tags: renderTags(l.Tags), DhcpConfigurations: []shape.DhcpConfiguration{}}
	for _, p := range o.Options {
		values := render(p.Values, func(v string) shape.AttributeValue { return shape.AttributeValue{Value: aws.Ptr(v)} })
		out.DhcpConfigurations = append(out.DhcpConfigurations, shape.DhcpConfiguration{Key: aws.Ptr(p.Key), Values: values})
	}
	return out
}
