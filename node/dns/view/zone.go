package view

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/miekg/dns"

	"github.com/berth-ecs/berth/node/dns/message"
	"github.com/berth-ecs/berth/node/dns/trie"
	"github.com/berth-ecs/berth/nodeconf"
)

// zone is a zone without its records.
type zone struct {
	id       string
	name     []byte // as labels, in lower case
	vpcs     []string
	soa, ns  []byte // data
	negative uint32
}

// node is a name of a zone: one that has records, or one that names below have in them.
type node struct {
	sets  []*set // by type
	below int    // names below it that have records
}

// set is the records of one name and type.
type set struct {
	zone    string
	name    []byte // as labels, in lower case
	kind    uint16
	ttl     uint32
	data    [][]byte
	names   [][]byte // that data refer to, in lower case: of CNAME and SRV
	weights []int
	total   int
}

func (v *View) putZone(id string, z nodeconf.Zone) error {
	name, err := labels(z.Name)
	if err != nil {
		return fmt.Errorf("name %q: %w", z.Name, err)
	}
	out := &zone{id: id, name: lowered(name), vpcs: z.VPCs, negative: z.SOA.Negative}
	if out.soa, err = soaData(z.SOA.Server, z.SOA.Mailbox, 1, z.SOA.Negative); err != nil {
		return fmt.Errorf("SOA: %w", err)
	}
	if out.ns, err = labels(z.SOA.Server); err != nil {
		return fmt.Errorf("SOA: %w", err)
	}
	v.zones = v.zones.With(id, out)
	for _, vpcID := range z.VPCs {
		v.change(vpcID, func(p *vpc) {
			all, _ := p.zones.Get(out.name)
			all = append(slices.Clone(all), out)
			slices.SortFunc(all, func(a, b *zone) int { return bytes.Compare([]byte(a.id), []byte(b.id)) })
			p.zones = p.zones.With(string(out.name), all)
		})
	}
	return nil
}

func (v *View) dropZone(id string) {
	z, ok := v.zones.Get([]byte(id))
	if !ok {
		return
	}
	v.zones = v.zones.Without(id)
	for _, vpcID := range z.vpcs {
		v.change(vpcID, func(p *vpc) {
			all, _ := p.zones.Get(z.name)
			left := slices.DeleteFunc(slices.Clone(all), func(o *zone) bool { return o.id == id })
			if len(left) == 0 {
				p.zones = p.zones.Without(string(z.name))
			} else {
				p.zones = p.zones.With(string(z.name), left)
			}
		})
	}
}

func (v *View) putRecord(key string, r nodeconf.RecordSet) error {
	s, err := setOf(r)
	if err != nil {
		return err
	}
	v.records = v.records.With(key, s)
	v.edit(s, func(n *node) {
		n.sets = append(slices.Clone(n.sets), s)
		slices.SortFunc(n.sets, func(a, b *set) int { return int(a.kind) - int(b.kind) })
	})
	return nil
}

func (v *View) dropRecord(key string) {
	s, ok := v.records.Get([]byte(key))
	if !ok {
		return
	}
	v.records = v.records.Without(key)
	v.edit(s, func(n *node) {
		n.sets = slices.DeleteFunc(slices.Clone(n.sets), func(o *set) bool { return o == s })
	})
}

// edit changes a set's name in its zone, and counts for those above whether there is one below.
func (v *View) edit(s *set, f func(*node)) {
	tree, _ := v.trees.Get([]byte(s.zone))
	had, has := update(&tree, s.name, f)
	if step := btoi(has) - btoi(had); step != 0 {
		for at := parent(s.name); len(at) > 0; at = parent(at) {
			update(&tree, at, func(n *node) { n.below += step })
		}
	}
	if tree.Len() == 0 {
		v.trees = v.trees.Without(s.zone)
	} else {
		v.trees = v.trees.With(s.zone, tree)
	}
}

// update says whether a name had records before and has them now.
func update(tree *trie.Map[*node], name []byte, f func(*node)) (had, has bool) {
	var n node
	if old, ok := tree.Get(name); ok {
		n = *old
	}
	had = len(n.sets) > 0
	f(&n)
	if len(n.sets) == 0 && n.below == 0 {
		*tree = tree.Without(string(name))
		return had, false
	}
	*tree = tree.With(string(name), &n)
	return had, len(n.sets) > 0
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// parent is a name without its first label; nil of the root.
func parent(name []byte) []byte {
	if len(name) < 2 {
		return nil
	}
	return name[1+int(name[0]):]
}

func setOf(r nodeconf.RecordSet) (*set, error) {
	name, err := labels(r.Name)
	if err != nil {
		return nil, fmt.Errorf("name %q: %w", r.Name, err)
	}
	if len(r.Values) == 0 {
		return nil, errors.New("no values")
	}
	if len(r.Weights) > 0 && len(r.Weights) != len(r.Values) {
		return nil, fmt.Errorf("%d weights of %d values", len(r.Weights), len(r.Values))
	}
	s := &set{zone: r.Zone, name: lowered(name), ttl: min(r.TTL, 1<<31-1), weights: slices.Clone(r.Weights)}
	for _, value := range r.Values {
		if err := s.add(r.Type, value); err != nil {
			return nil, fmt.Errorf("%s %q: %w", r.Type, value, err)
		}
	}
	for _, w := range s.weights {
		if w < 0 {
			return nil, fmt.Errorf("weight %d", w)
		}
		s.total += w
	}
	if s.kind == message.TypeCNAME && len(s.data) > 1 && s.weights == nil {
		return nil, errors.New("several CNAMEs without weights")
	}
	return s, nil
}

// add reads a value as in a zone file.
func (s *set) add(kind, value string) error {
	rr, err := dns.NewRR(". 0 IN " + kind + " " + value)
	if err != nil {
		return err
	}
	if rr == nil {
		return errors.New("no record")
	}
	s.kind = rr.Header().Rrtype
	switch s.kind {
	case message.TypeOPT, message.TypeANY, message.TypeAXFR, message.TypeIXFR:
		return errors.New("is no type of records")
	}
	b := make([]byte, dns.Len(rr)+16)
	n, err := dns.PackRR(rr, b, 0, nil, false)
	if err != nil {
		return err
	}
	data := b[11:n] // after the root's name, type, class, TTL and length
	s.data = append(s.data, data)
	switch s.kind {
	case message.TypeCNAME:
		s.names = append(s.names, lowered(data))
	case message.TypeSRV:
		s.names = append(s.names, lowered(data[6:]))
	}
	return nil
}
