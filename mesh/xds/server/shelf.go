package server

import (
	"github.com/berth-ecs/berth/mesh/xds"
	"github.com/berth-ecs/berth/mesh/xds/seam"
	"github.com/berth-ecs/berth/proxyconf"
)

// shelf is that of a node, made when it is needed.
func (b *Book) shelf(n Node) *shelf {
	s := b.nodes[n]
	if s == nil {
		s = &shelf{parts: map[string]*part{}, own: map[Key]*Item{}, needs: map[Key]int{}, followers: map[*following]bool{}}
		b.nodes[n] = s
	}
	return s
}

// put makes p a part of a node, in place of what that was.
func (b *Book) put(k PartKey, p *part) {
	s := b.shelf(k.Node)
	old := s.parts[k.Part]
	s.parts[k.Part] = p
	for need := range p.needs {
		b.need(k.Node, need, 1)
	}
	for _, i := range p.items {
		if had := s.own[i.Key]; had == nil || had.Version != i.Version {
			s.own[i.Key] = i
			s.mark(i.Key)
		}
	}
	if old != nil {
		b.forget(k.Node, old, p)
	}
}

// drop ends a part of a node.
func (b *Book) drop(k PartKey) {
	s := b.nodes[k.Node]
	if s == nil || s.parts[k.Part] == nil {
		return
	}
	old := s.parts[k.Part]
	delete(s.parts, k.Part)
	b.forget(k.Node, old, &part{})
	b.tidy(k.Node)
}

// forget takes away of a node what old was and now is not.
func (b *Book) forget(n Node, old, now *part) {
	s := b.nodes[n]
	kept := make(map[Key]bool, len(now.items))
	for _, i := range now.items {
		kept[i.Key] = true
	}
	for _, i := range old.items {
		if !kept[i.Key] {
			delete(s.own, i.Key)
			s.mark(i.Key)
		}
	}
	for need := range old.needs {
		b.need(n, need, -1)
	}
}

// need counts who of a node's parts names k.
func (b *Book) need(n Node, k Key, more int) {
	s := b.nodes[n]
	before := s.needs[k]
	s.needs[k] = before + more
	switch {
	case before == 0:
		if b.users[k] == nil {
			b.users[k] = map[Node]bool{}
		}
		b.users[k][n] = true
		s.mark(k)
	case s.needs[k] == 0:
		delete(s.needs, k)
		delete(b.users[k], n)
		if len(b.users[k]) == 0 {
			delete(b.users, k)
		}
		s.mark(k)
	}
}

// tidy forgets a node that has nothing to do and does not listen.
func (b *Book) tidy(n Node) {
	if s := b.nodes[n]; s != nil && len(s.parts) == 0 && len(s.followers) == 0 {
		delete(b.nodes, n)
	}
}

// current is what k is for a node; nil is nothing. Endpoints that nobody told yet are none: a cluster never lacks them.
func (b *Book) current(s *shelf, k Key) *Item {
	if i := s.own[k]; i != nil {
		return i
	}
	if s.needs[k] == 0 {
		return nil
	}
	if i := b.shared[k]; i != nil || k.Type != seam.TypeEndpoint {
		return i
	}
	i, err := item(xds.Endpoints(proxyconf.Endpoints{Name: k.Name}))
	if err != nil {
		return nil
	}
	return i
}

// mark tells all who follow the node that k is not what it was.
func (s *shelf) mark(k Key) {
	for f := range s.followers {
		f.dirty[k] = true
		f.wake()
	}
}
