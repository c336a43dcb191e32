package etcd

import "context"

// Resign hands leadership to the member of that name, if this one leads.
func (s *Store) Resign(ctx context.Context, to string) error {
	b := s.of.(*embedded)
	for _, m := range b.server.Cluster().Members() {
		if m.Name == to && b.leads() {
			return b.server.MoveLeader(ctx, uint64(b.server.MemberID()), uint64(m.ID))
		}
	}
	return nil
}

// Cut stops what this member and the others say to each other, or lets it pass again.
func (s *Store) Cut(cut bool, others ...*Store) {
	b := s.of.(*embedded)
	for _, o := range others {
		other := o.of.(*embedded)
		for _, side := range []struct{ from, to *embedded }{{b, other}, {other, b}} {
			if cut {
				side.from.server.CutPeer(side.to.server.MemberID())
			} else {
				side.from.server.MendPeer(side.to.server.MemberID())
			}
		}
	}
}
