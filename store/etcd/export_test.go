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
