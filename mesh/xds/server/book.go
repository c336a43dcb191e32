package server

import (
	"errors"
	"slices"
	"sync"

	"github.com/berth-ecs/berth/mesh/xds"
	"github.com/berth-ecs/berth/mesh/xds/seam"
	"github.com/berth-ecs/berth/proxyconf"
)

// News is what changes in a Book, all at once.
type News struct {
	Parts         []NodePart
	PartsGone     []PartKey
	Endpoints     []proxyconf.Endpoints
	EndpointsGone []string
	Secrets       []proxyconf.Secret
	SecretsGone   []string
	SecretsKept   []string // that stay as they are, also when the news are whole: what they are now is not known
	Whole         bool     // what is not in the news is gone
}

// NodePart is a part that a node does.
type NodePart struct {
	Node Node
	Part proxyconf.Part
}

// PartKey names one.
type PartKey struct {
	Node Node
	Part string
}

// Book knows what nodes are to have, of what it was told: parts, each of one node, and endpoints and secrets, which are told to the nodes with parts
// that name them. It is a Source.
type Book struct {
	mu     sync.Mutex
	shared map[Key]*Item
	users  map[Key]map[Node]bool // of what is shared, told or not
	nodes  map[Node]*shelf
}

// shelf is what one node has to do.
type shelf struct {
	parts     map[string]*part
	own       map[Key]*Item // of its parts
	needs     map[Key]int   // what is shared, and by how many of its parts
	followers map[*following]bool
}

// part is what a part is made of.
type part struct {
	items []*Item
	needs map[Key]bool
}

// NewBook makes an empty one.
func NewBook() *Book {
	return &Book{shared: map[Key]*Item{}, users: map[Key]map[Node]bool{}, nodes: map[Node]*shelf{}}
}

// Tell takes news over, all at once. A part that cannot be told stays as it was, or is not there; the errors of all such parts are answered.
func (b *Book) Tell(n News) error {
	var failed []error
	parts := map[PartKey]*part{}
	for _, p := range n.Parts { // before anybody waits
		made, err := prepare(p.Part)
		if err != nil {
			failed = append(failed, err)
		}
		parts[PartKey{p.Node, p.Part.Name}] = made // nil stays as it is
	}
	shared := map[Key]*Item{}
	keep := func(r xds.Resource) {
		made, err := item(r)
		if err != nil {
			failed = append(failed, err)
			return
		}
		shared[made.Key] = made
	}
	for _, e := range n.Endpoints {
		keep(xds.Endpoints(e))
	}
	for _, s := range n.Secrets {
		keep(xds.Secret(s))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if n.Whole {
		n.PartsGone, n.EndpointsGone, n.SecretsGone = b.rest(parts, shared, n.SecretsKept)
	}
	for k, i := range shared {
		b.share(k, i)
	}
	for k, p := range parts {
		if p != nil {
			b.put(k, p)
		}
	}
	for _, k := range n.PartsGone {
		b.drop(k)
	}
	for _, e := range n.EndpointsGone {
		b.share(Key{seam.TypeEndpoint, e}, nil)
	}
	for _, s := range n.SecretsGone {
		b.share(Key{seam.TypeSecret, s}, nil)
	}
	return errors.Join(failed...)
}

// prepare is a part's resources.
func prepare(p proxyconf.Part) (*part, error) {
	all, err := xds.Resources(p)
	if err != nil {
		return nil, err
	}
	out := &part{needs: map[Key]bool{}}
	for _, r := range all {
		made, err := item(r)
		if err != nil {
			return nil, err
		}
		out.items = append(out.items, made)
	}
	for _, c := range p.Clusters {
		out.needs[Key{seam.TypeEndpoint, c.Endpoints}] = true
	}
	for _, l := range p.Listeners {
		if l.TLS != nil {
			for _, c := range l.TLS.Certificates {
				out.needs[Key{seam.TypeSecret, c}] = true
			}
		}
	}
	return out, nil
}

// rest is what there is beside what is told and the secrets that stay.
func (b *Book) rest(parts map[PartKey]*part, shared map[Key]*Item, kept []string) (gone []PartKey, endpoints, secrets []string) {
	for n, s := range b.nodes {
		for name := range s.parts {
			if _, told := parts[PartKey{n, name}]; !told {
				gone = append(gone, PartKey{n, name})
			}
		}
	}
	for k := range b.shared {
		switch {
		case shared[k] != nil:
		case k.Type == seam.TypeSecret && slices.Contains(kept, k.Name):
		case k.Type == seam.TypeEndpoint:
			endpoints = append(endpoints, k.Name)
		default:
			secrets = append(secrets, k.Name)
		}
	}
	return gone, endpoints, secrets
}

// share makes i what k is for all who need it; nil is nothing.
func (b *Book) share(k Key, i *Item) {
	old := b.shared[k]
	if i == nil {
		delete(b.shared, k)
	} else {
		b.shared[k] = i
	}
	if i != nil && old != nil && i.Version == old.Version {
		return
	}
	for n := range b.users[k] {
		b.nodes[n].mark(k)
	}
}
