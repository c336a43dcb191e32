package path

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/compile"
)

// Internet is the address that stands for the internet: one that is set aside for documentation, so that nobody has it.
var Internet = netip.MustParseAddr("198.51.100.1")

// Scope says where names are looked up.
type Scope struct {
	vpc.Home
	VPC string // optional: when an address is in several
}

// Resolve finds what is meant by a name: "internet", an interface's id, a task's id or ARN, or an address, private or public. An address that no
// interface has is one of nobody here.
func Resolve(r *compile.Records, at Scope, name string) (End, error) {
	if name == "internet" {
		return End{Addr: Internet}, nil
	}
	a, err := netip.ParseAddr(name)
	if err == nil {
		return byAddress(r, at, a)
	}
	var found []End
	for i := range at.interfaces(r) {
		if len(i.Private) > 0 && (i.ID == name || i.Owner == name || i.Owner != "" && strings.HasSuffix(i.Owner, "/"+name)) {
			found = append(found, End{i, i.Private[0].Addr})
		}
	}
	if len(found) == 0 {
		return End{}, fmt.Errorf("%q is no interface, task or address of a network here", name)
	}
	return only(name, found)
}

func byAddress(r *compile.Records, at Scope, a netip.Addr) (End, error) {
	var found []End
	for i := range at.interfaces(r) {
		for _, p := range i.Private {
			if p.Addr == a || p.Public == a {
				found = append(found, End{i, p.Addr})
			}
		}
	}
	if len(found) == 0 {
		return End{Addr: a}, nil
	}
	return only(a.String(), found)
}

func only(name string, found []End) (End, error) {
	if len(found) == 1 {
		return found[0], nil
	}
	var where []string
	for _, e := range found {
		where = append(where, e.Interface.ID+" in "+e.Interface.VPC)
	}
	slices.Sort(where)
	return End{}, fmt.Errorf("%s is several interfaces (%s): name one of them, or its VPC with --vpc", name, strings.Join(where, ", "))
}

func (s Scope) interfaces(r *compile.Records) func(yield func(*vpc.Interface) bool) {
	return func(yield func(*vpc.Interface) bool) {
		for _, i := range r.Interfaces {
			if i.Home == s.Home && (s.VPC == "" || i.VPC == s.VPC) && !yield(i) {
				return
			}
		}
	}
}
