package region

import (
	"net/netip"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	vpctables "github.com/berth-ecs/berth/vpc/tables"
)

// attach makes an interface, as a hidden task's where it has a guise.
func attach(tx store.Tx, s vpctables.Spec, g *ecs.Guise) (*vpc.Interface, error) {
	if g == nil {
		return vpctables.Attach(tx, s)
	}
	s.Requester, s.Description, s.Type, s.Prefer, s.Open = g.Requester, g.Description, g.Type, g.Prefer, g.Open
	s.Attached.ID = vpc.ID(vpc.ServiceAttachment, tx.NewID())
	if g.Private.IsValid() {
		s.Private = []netip.Addr{g.Private}
	}
	if g.Allocation != "" {
		s.AssignPublic = false
	}
	i, err := vpctables.Attach(tx, s)
	if err != nil || g.Allocation == "" {
		return i, err
	}
	e, ok := vpctables.Elastics.Get(tx, vpctables.Key(s.Home, g.Allocation))
	if !ok {
		return nil, vpc.KindElastic.NotFound(g.Allocation)
	}
	_, err = vpctables.Associate(tx, e, i.ID, i.Private[0].Addr)
	return i, err
}
