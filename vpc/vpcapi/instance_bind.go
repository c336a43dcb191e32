package vpcapi

import (
	"iter"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// Nodes tells the machines that run tasks of a home, each once: the wing that has them does.
type Nodes interface {
	Nodes(tx store.Tx, h vpc.Home) []vpc.Node
}

// bindInstances binds the operations of instances, which nodes are.
func (a *API) bindInstances(m *wire.Mux) {
	bind(m, shape.OpDescribeInstances, a.DescribeInstances)
	bind(m, shape.OpDescribeInstanceStatus, a.DescribeInstanceStatus)
	bind(m, shape.OpDescribeInstanceTypes, a.DescribeInstanceTypes)
	bind(m, shape.OpDescribeInstanceTypeOfferings, a.DescribeInstanceTypeOfferings)
	bind(m, shape.OpRunInstances, a.RunInstances)
	bind(m, shape.OpTerminateInstances, a.TerminateInstances)
}

// nodes are the machines of a home in order of their instances.
func (a *API) nodes(tx store.Tx, h vpc.Home) []vpc.Node {
	if a.Nodes == nil {
		return nil
	}
	return slices.SortedFunc(slices.Values(a.Nodes.Nodes(tx, h)), func(x, y vpc.Node) int { return strings.Compare(x.Instance, y.Instance) })
}

// isInstance answers EC2's error unless a node is the instance of that id.
func (a *API) isInstance(tx store.Tx, h vpc.Home, id string) error {
	if err := vpc.KindInstance.Check(id); err != nil {
		return err
	}
	if slices.ContainsFunc(a.nodes(tx, h), func(n vpc.Node) bool { return n.Instance == id }) {
		return nil
	}
	return vpc.KindInstance.NotFound(id)
}

// primary is a node's primary interface: it is shown in the default subnet of its zone, if there is one.
func (a *API) primary(tx store.Tx, n *vpc.Node) *vpc.Interface {
	s, ok := tables.DefaultSubnet(tx, n.Home, n.Zone)
	if !ok {
		return n.Interface(nil, "")
	}
	group := ""
	if v, ok := tables.VPCs.Peek(tx, tables.Key(n.Home, s.VPC)); ok {
		group = v.DefaultGroup
	}
	return n.Interface(s, group)
}

// primaryOf answers the primary interface of an attachment.
func (a *API) primaryOf(tx store.Tx, h vpc.Home, attachment string) (eni string, ok bool) {
	for _, n := range a.nodes(tx, h) {
		if i := a.primary(tx, &n); i.Attachment == attachment {
			return i.ID, true
		}
	}
	return "", false
}

// instances are nodes with their tags, of which each is shown when it comes up.
func instances[T any](a *API, tx store.Tx, h vpc.Home, show func(*vpc.Node) T) source[T] {
	nodes := a.nodes(tx, h)
	view := func(n *vpc.Node) listed[T] { return listed[T]{ID: n.Instance, Item: show(n), Tags: n.Tags} }
	find := func(id string) (int, bool) {
		return slices.BinarySearchFunc(nodes, id, func(n vpc.Node, id string) int { return strings.Compare(n.Instance, id) })
	}
	return source[T]{
		after: func(after string) iter.Seq[listed[T]] {
			i, there := find(after)
			if there {
				i++
			}
			return func(yield func(listed[T]) bool) {
				for _, n := range nodes[i:] {
					if !yield(view(&n)) {
						return
					}
				}
			}
		},
		one: func(id string) (listed[T], bool) {
			i, there := find(id)
			if !there {
				return listed[T]{}, false
			}
			return view(&nodes[i]), true
		},
	}
}
