package lower

import (
	"iter"
	"net/netip"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/proxyconf"
)

// ref names a record of a home.
type ref struct {
	elb.Home
	id string
}

type refs map[ref]struct{}

// Index holds the records that parts and endpoints are made of, and what was made. Make it with New.
type Index struct {
	balancers  map[ref]*balancer
	groups     map[ref]*members
	attributes map[ref]map[string]string // by ARN
	machines   map[ref]netip.Addr        // by instance
	users      map[ref]refs              // load balancers of groups
	atMachine  map[ref]refs              // groups that an instance is a target of
	atBalancer map[string]refs           // groups that a load balancer is a target of, by its ARN
	poolsOf    map[ref]map[string]*pool  // of groups, by name
	secrets    map[string]int            // how many parts have a certificate, by ARN
	work       Work

	// What the changes that are taken touch.
	dirty   refs            // load balancers whose parts are to be made anew
	stale   refs            // groups whose endpoints are
	touched map[string]ref  // pools that are used more or less, and their groups
	filled  map[string]bool // pools that were made anew
	before  map[string]bool // whether a part had a certificate
	delta   Delta
}

var _ World = (*Index)(nil)

// balancer is a load balancer with its records, and what was told of it.
type balancer struct {
	record    *elb.LoadBalancer
	status    *elb.LoadBalancerStatus
	listeners map[string]*port
	uses      map[string]struct{} // groups that its actions name
	told      map[PartKey]proxyconf.Part
}

type port struct {
	record       *elb.Listener
	rules        map[string]*elb.Rule
	certificates map[string]*elb.Certificate
}

type members struct {
	record  *elb.TargetGroup
	targets map[elb.TargetKey]*elb.Target
}

type pool struct {
	elb.Pool
	users int // clusters that name it
	told  proxyconf.Endpoints
}

// New makes an index without records.
func New() *Index {
	return &Index{
		balancers: map[ref]*balancer{}, groups: map[ref]*members{}, attributes: map[ref]map[string]string{}, machines: map[ref]netip.Addr{},
		users: map[ref]refs{}, atMachine: map[ref]refs{}, atBalancer: map[string]refs{}, poolsOf: map[ref]map[string]*pool{}, secrets: map[string]int{},
	}
}

// Work is how much was made so far.
func (x *Index) Work() Work { return x.work }

// Secrets yields the ARNs of the certificates that parts have.
func (x *Index) Secrets() iter.Seq[string] {
	return func(yield func(string) bool) {
		for arn := range x.secrets {
			if !yield(arn) {
				return
			}
		}
	}
}

// HasSecret says whether a part has a certificate.
func (x *Index) HasSecret(arn string) bool { return x.secrets[arn] > 0 }

// Machine implements World.
func (x *Index) Machine(h elb.Home, instance string) netip.Addr { return x.machines[ref{h, instance}] }

// Nodes implements World.
func (x *Index) Nodes(arn string) []elb.Node {
	b := x.balancerAt(arn)
	if b == nil || b.record == nil || b.status == nil || b.record.ARN() != arn {
		return nil
	}
	var out []elb.Node
	for _, n := range b.status.Nodes {
		if n.Serving {
			out = append(out, n)
		}
	}
	return out
}

func (x *Index) balancerAt(arn string) *balancer {
	h, kind, p, ok := elb.ParseARN(arn)
	if !ok || kind != "loadbalancer" || len(p) != 3 {
		return nil
	}
	return x.balancers[ref{h, p[2]}]
}

// Load puts records into an empty index and answers what they make.
func (x *Index) Load(records iter.Seq[any]) Delta {
	x.begin()
	for rec := range records {
		x.apply(rec, true)
	}
	return x.end()
}

// Apply takes changes, in their order and as one, and answers what they change.
func (x *Index) Apply(changes ...Change) Delta {
	x.begin()
	for _, c := range changes {
		if c.New != nil {
			x.apply(c.New, true)
		} else {
			x.apply(c.Old, false)
		}
	}
	return x.end()
}

func (x *Index) begin() {
	x.dirty, x.stale, x.touched, x.filled, x.before, x.delta = refs{}, refs{}, map[string]ref{}, map[string]bool{}, map[string]bool{}, Delta{}
}

// end makes anew what the changes touched.
func (x *Index) end() Delta {
	for r := range x.dirty {
		x.remake(r)
	}
	x.settlePools()
	for r := range x.stale {
		for _, p := range x.poolsOf[r] {
			x.refill(p)
		}
		if g := x.groups[r]; g != nil && g.record == nil && len(g.targets) == 0 {
			delete(x.groups, r)
		}
	}
	for arn, had := range x.before {
		switch has := x.secrets[arn] > 0; {
		case has && !had:
			x.delta.Secrets = append(x.delta.Secrets, arn)
		case had && !has:
			x.delta.SecretsGone = append(x.delta.SecretsGone, arn)
		}
		if x.secrets[arn] == 0 {
			delete(x.secrets, arn)
		}
	}
	d := x.delta
	x.begin()
	d.sort()
	return d
}
