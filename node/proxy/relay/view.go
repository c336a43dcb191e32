package relay

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/mesh/xds/seam"
)

// item is a resource as Envoy is told it.
type item struct {
	version string
	body    *anypb.Any
	part    string
	eds     string // of a cluster: the name of its endpoints
}

// read is a resource that was read and translated once.
type read struct {
	version string // as the server said it
	item    item
	spaces  []string
	inodes  []uint64 // of spaces
	logs    []string
	extra   seam.Extra                      // of a cluster
	hosts   *endpoint.ClusterLoadAssignment // of endpoints
	err     error
}

var errLog = errors.New("the path of an access log is not below the node's directory of them")

// logPath is where an access log goes; its directory is made.
func (r *Relay) logPath(path string) (string, error) {
	if path == "" || !filepath.IsLocal(path) {
		return "", errLog
	}
	to := filepath.Join(r.c.LogDir, path)
	return to, os.MkdirAll(filepath.Dir(to), 0o700)
}

// reading reads and translates a resource.
func (r *Relay) reading(in Resource) read {
	part, _, _ := seam.Cut(in.Name)
	out := read{version: in.Version, item: item{version: in.Version, body: in.Body, part: part}}
	if in.Type == seam.TypeSecret { // there is nothing in it to put in, and it is in as few places as can be
		out.item.part = ""
		return out
	}
	m, err := in.Body.UnmarshalNew()
	if err != nil {
		out.err = err
		return out
	}
	if in.Type == seam.TypeEndpoint {
		out.hosts, _ = m.(*endpoint.ClusterLoadAssignment)
		return out
	}
	if c, ok := m.(*clusterv3.Cluster); ok {
		out.item.eds = c.GetEdsClusterConfig().GetServiceName()
		out.extra, out.err = seam.ExtraOf(c.GetMetadata())
	}
	p := places{space: r.spacePath, log: r.logPath, spaces: map[string]bool{}, logs: map[string]bool{}}
	if err := p.put(m.ProtoReflect(), 0); err != nil {
		out.err = err
		return out
	}
	out.spaces, out.logs = keys(p.spaces), keys(p.logs)
	routes, _ := m.(*routev3.RouteConfiguration)
	dated := seam.Date(routes.GetRequestHeadersToAdd(), clock.Now())
	if dated || len(out.spaces)+len(out.logs) > 0 {
		out.item.body, err = packed(m)
		out.err = errors.Join(out.err, err)
	}
	for _, id := range out.spaces {
		out.inodes = append(out.inodes, r.inode(id))
		out.item.version += "@" + strconv.FormatUint(r.inode(id), 36)
	}
	return out
}

// same says whether a resource that was read before need not be read again.
func (r *Relay) same(one read, in Resource) bool {
	for i, id := range one.spaces {
		if r.inode(id) != one.inodes[i] {
			return false
		}
	}
	return one.version == in.Version
}

func keys(m map[string]bool) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func packed(m proto.Message) (*anypb.Any, error) {
	a := &anypb.Any{}
	return a, anypb.MarshalFrom(a, m, proto.MarshalOptions{Deterministic: true})
}

// view is what Envoy should have, with what was read for it.
type view struct {
	items    map[Key]*item
	clusters map[string]read // that are told, by name: their targets are looked at
	parts    map[string]*part
	sets     map[string]*endpoint.ClusterLoadAssignment // as servers said them
	logs     map[string]bool
	made     map[string]made // by the names of endpoints
}

// part is what one needs: the listeners that it should have, and why it cannot.
type part struct {
	listeners []string
	err       error
}

// see makes the view of everything that is known. What was read before is not read again.
func (r *Relay) see(all map[Key]Resource) *view {
	v := &view{
		items: map[Key]*item{}, clusters: map[string]read{}, parts: map[string]*part{}, sets: map[string]*endpoint.ClusterLoadAssignment{}, logs: map[string]bool{}, made: map[string]made{},
	}
	fresh := make(map[Key]read, len(all))
	for k, in := range all {
		one, ok := r.read[k]
		if !ok || !r.same(one, in) {
			one = r.reading(in)
			if one.err != nil {
				r.c.Log.Warn("what a server said of the proxy is not understood", "resource", k.Name, "error", one.err)
			}
		}
		fresh[k] = one
		r.place(v, k, one)
	}
	r.read = fresh
	for name, c := range v.clusters {
		r.target(v, name, c)
	}
	r.made = v.made
	return v
}

// place puts what was read into a view, unless the network that it names is not there.
func (r *Relay) place(v *view, k Key, one read) {
	if k.Type == seam.TypeEndpoint {
		v.sets[k.Name] = one.hosts
		return
	}
	if p := one.item.part; p != "" {
		if v.parts[p] == nil {
			v.parts[p] = &part{}
		}
		v.parts[p].err = errors.Join(v.parts[p].err, one.err)
		if k.Type == seam.TypeListener {
			v.parts[p].listeners = append(v.parts[p].listeners, k.Name)
		}
	}
	if one.err != nil || slices.ContainsFunc(one.spaces, func(id string) bool { return r.inode(id) == 0 }) {
		return
	}
	for _, l := range one.logs {
		v.logs[l] = true
	}
	told := one.item
	if b, refused := r.refused[k]; refused && b.version == told.version && b.before != nil {
		told = *b.before
	}
	v.items[k] = &told
	if k.Type == seam.TypeCluster {
		v.clusters[k.Name] = one
	}
}

// target puts a cluster's endpoints into a view, as its part sees them.
func (r *Relay) target(v *view, name string, c read) {
	if c.item.eds == "" {
		return
	}
	set := v.sets[c.extra.Endpoints]
	healthy := func(a netip.AddrPort) bool {
		h, known := r.health[healthKey(c.extra, a)]
		return c.extra.Check == nil || known && h.State == "healthy"
	}
	is := made{version: c.version, set: set, healthy: whoIs(set, healthy)}
	if m := r.made[c.item.eds]; m.item != nil && m.version == is.version && m.set == is.set && m.healthy == is.healthy {
		is.item = m.item
	} else if is.item = r.make(name, c, set, healthy); is.item == nil {
		return
	}
	v.made[c.item.eds] = is
	v.items[Key{seam.TypeEndpoint, c.item.eds}] = is.item
}

// made is what a cluster's part sees of a set of targets, and of what it was made: most sets are the same from one view to the next.
type made struct {
	version string // of the cluster, as the server said it
	set     *endpoint.ClusterLoadAssignment
	healthy string // of each target, in their order
	item    *item
}

func whoIs(set *endpoint.ClusterLoadAssignment, healthy func(netip.AddrPort) bool) string {
	var b strings.Builder
	for _, l := range set.GetEndpoints() {
		for _, e := range l.GetLbEndpoints() {
			if a, ok := addrOf(e); ok && healthy(a) {
				b.WriteByte('y')
			} else {
				b.WriteByte('n')
			}
		}
	}
	return b.String()
}

func (r *Relay) make(name string, c read, set *endpoint.ClusterLoadAssignment, healthy func(netip.AddrPort) bool) *item {
	if set == nil {
		set = &endpoint.ClusterLoadAssignment{}
	}
	body, err := packed(overlay(set, c.item.eds, c.extra, healthy))
	if err != nil {
		r.c.Log.Warn("targets cannot be told", "cluster", name, "error", err)
		return nil
	}
	sum := sha256.Sum256(body.GetValue())
	part, _, _ := strings.Cut(name, "|")
	return &item{version: hex.EncodeToString(sum[:8]), body: body, part: part}
}
