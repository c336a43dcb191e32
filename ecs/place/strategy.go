package place

import (
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"slices"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// DefaultService is the strategy of a service that names none: over zones and, within one, to the instance with the fewest of its tasks.
func DefaultService() []shape.PlacementStrategy {
	return []shape.PlacementStrategy{
		{Type: aws.Ptr(shape.PlacementStrategyTypeSpread), Field: aws.Ptr("attribute:" + Zone)},
		{Type: aws.Ptr(shape.PlacementStrategyTypeSpread), Field: aws.Ptr("instanceId")},
	}
}

// rank orders the candidates that fit by a chain of strategies: a later one decides among those that the earlier ones hold equal.
type rank struct {
	keys []key
	seed uint64
}

// key is a number of a site; the smallest is best.
type key interface {
	// count looks at all sites, those without room included, before of is asked: a zone that is full still counts its tasks.
	count()
	of(*site) int64
}

func ranking(r Request, all []*site) rank {
	out := rank{seed: r.Seed}
	var path []string // the fields spread over so far; a later spread counts within the values of earlier ones
	for _, s := range r.Strategy {
		field := aws.Val(s.Field)
		switch aws.Val(s.Type) {
		case shape.PlacementStrategyTypeSpread:
			path = append(path, field)
			out.keys = append(out.keys, newSpread(all, path))
		case shape.PlacementStrategyTypeBinpack:
			out.keys = append(out.keys, binpack(field))
		}
		// "random" needs no key: what is equal is ordered by the seed.
	}
	return out
}

// first is the best of those that fit.
func (r rank) first(fit []*site, n int) *site {
	for _, k := range r.keys {
		k.count()
		fit = least(fit, k)
	}
	return slices.MinFunc(fit, func(a, b *site) int {
		return cmp.Or(cmp.Compare(mix(r.seed, n, a.ID), mix(r.seed, n, b.ID)), compareIDs(a.ID, b.ID))
	})
}

func least(fit []*site, k key) []*site {
	var out []*site
	var best int64
	for _, s := range fit {
		switch v := k.of(s); {
		case len(out) == 0 || v < best:
			out, best = append(out[:0], s), v
		case v == best:
			out = append(out, s)
		}
	}
	return out
}

// spread prefers the value of a field that has the fewest tasks of the service or group. Instances without the attribute are one value.
type spread struct {
	all   []*site
	value []int   // by the site's index: which value it has
	tasks []int64 // by value
}

func newSpread(all []*site, path []string) *spread {
	out := &spread{all: all, value: make([]int, len(all))}
	seen := map[string]int{}
	for i, s := range all {
		g := group(&s.Instance, path)
		v, ok := seen[g]
		if !ok {
			v = len(seen)
			seen[g] = v
		}
		out.value[i] = v
	}
	out.tasks = make([]int64, len(seen))
	return out
}

func (k *spread) count() {
	clear(k.tasks)
	for i, s := range k.all {
		k.tasks[k.value[i]] += int64(s.Peers)
	}
}

func (k *spread) of(s *site) int64 { return k.tasks[k.value[s.index]] }

func group(i *Instance, path []string) string {
	var b strings.Builder
	for _, field := range path {
		v := i.ID // "instanceId" and its other name "host"
		if name, ok := strings.CutPrefix(field, "attribute:"); ok {
			v, _ = AttributeOf(i.Attributes, name)
		}
		b.WriteString(v)
		b.WriteByte(0)
	}
	return b.String()
}

// binpack prefers the instance with the least of a resource left: cpu or memory, in any case.
type binpack string

func (binpack) count() {}

func (k binpack) of(s *site) int64 { return left(s, string(k)) }

func left(s *site, field string) int64 {
	if strings.EqualFold(field, "cpu") {
		return s.freeCPU()
	}
	return s.freeMemory()
}

// mix is the random order: a hash of the seed, which task it is, and the instance.
func mix(seed uint64, n int, id string) uint64 {
	h := fnv.New64a()
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:8], seed)
	binary.LittleEndian.PutUint64(b[8:], uint64(n))
	h.Write(b[:])
	h.Write([]byte(id))
	return finish(h.Sum64())
}

// finish spreads FNV's last byte over the whole number: identifiers that differ in their last digit only would order alike otherwise.
func finish(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
