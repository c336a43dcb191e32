package sandbox

// Split divides a count of the whole sandbox, which only grows, among its containers: what is added goes to those whose own counts grew meanwhile, in
// proportion, and equally where none did. So no container's count ever falls, and all together are the whole's. Readings come one at a time,
// in their order.
type Split struct {
	whole uint64
	own   map[string]uint64
	given map[string]uint64
}

// Next takes a reading of the whole and of the containers' own counts, and answers what of the whole is each one's.
func (s *Split) Next(whole uint64, own map[string]uint64) map[string]uint64 {
	if s.given == nil {
		s.given = map[string]uint64{}
	}
	if whole > s.whole && len(own) > 0 {
		s.give(whole-s.whole, grown(s.own, own))
		s.whole = whole
	}
	s.own = own
	out := make(map[string]uint64, len(own))
	for id := range own {
		out[id] = s.given[id]
	}
	return out
}

// grown is by how much each one's own count did. One that began anew has what it has.
func grown(before, now map[string]uint64) map[string]uint64 {
	out := make(map[string]uint64, len(now))
	for id, n := range now {
		if b := before[id]; b <= n {
			n -= b
		}
		out[id] = n
	}
	return out
}

func (s *Split) give(n uint64, by map[string]uint64) {
	var sum uint64
	for _, w := range by {
		sum += w
	}
	for id, w := range by {
		part := 1 / float64(len(by))
		if sum > 0 {
			part = float64(w) / float64(sum)
		}
		s.given[id] += uint64(float64(n)*part + 0.5)
	}
}
