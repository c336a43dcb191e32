package view

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/nodeconf"
)

// configs draws configurations whose parts come and go, and hang together or do not.
func configs(version int64) *rapid.Generator[*nodeconf.Config] {
	return rapid.Custom(func(t *rapid.T) *nodeconf.Config {
		all := sample()
		c := &nodeconf.Config{Version: version}
		some := func(what string) bool { return rapid.IntRange(0, 3).Draw(t, what) > 0 }
		c.VPCs, c.Zones, c.Interfaces, c.Values, c.NATs = map[string]nodeconf.VPC{}, map[string]nodeconf.Zone{}, map[string]nodeconf.Interface{}, map[string]nodeconf.Value{}, map[string]nodeconf.NAT{}
		for _, id := range slices.Sorted(maps.Keys(all.VPCs)) {
			if v := all.VPCs[id]; some(id) {
				v.DNSHostnames, v.DNSSupport = some("hostnames"), some("support")
				c.VPCs[id] = v
			}
		}
		for _, id := range slices.Sorted(maps.Keys(all.Zones)) {
			if z := all.Zones[id]; some(id) {
				z.Public = !some("private")
				z.VPCs = rapid.SampledFrom([][]string{nil, {"vpc-a"}, {"vpc-a", "vpc-b"}, {"vpc-d"}}).Draw(t, "vpcs")
				z.Name = rapid.SampledFrom([]string{z.Name, "prod.local"}).Draw(t, "zone")
				c.Zones[id] = z
			}
		}
		if some("home") {
			c.Homes = all.Homes
		}
		for i, id := range []string{"eni-1", "eni-2", "eni-3"} {
			if some(id) {
				private := addr(fmt.Sprintf("10.0.0.%d", i+5))
				public := addr(fmt.Sprintf("198.18.0.%d", i+rapid.IntRange(5, 6).Draw(t, "public")))
				if taken(c, public) {
					continue
				}
				c.Interfaces[id] = nodeconf.Interface{VPC: rapid.SampledFrom([]string{"vpc-a", "vpc-b"}).Draw(t, "vpc"), Public: []nodeconf.Public{{Private: private, Public: public}}}
			}
		}
		if some("nat") && !taken(c, addr("198.18.0.7")) {
			c.NATs["nat-1"] = nodeconf.NAT{VPC: "vpc-a", Private: addr("10.0.9.9"), Public: addr("198.18.0.7")}
		}
		for _, key := range slices.Sorted(maps.Keys(all.Values)) {
			if s := all.Values[key]; some(key) {
				s.TTL, s.Unhealthy = rapid.Uint32Range(1, 2).Draw(t, "ttl"), !some("healthy")
				c.Values[key] = s
			}
		}
		return c
	})
}

func taken(c *nodeconf.Config, a netip.Addr) bool {
	for _, i := range c.Interfaces {
		if i.Public[0].Public == a {
			return true
		}
	}
	return false
}

var questions = strings.Split(`web.prod.local A|shop.example.net A|x.deep.example.net A|many.prod.local A|ill.prod.local A|illest.prod.local A|twice.prod.local A|drawn.prod.local A|either.prod.local A|web.prod.local AAAA|www.prod.local A|b.deep.prod.local A|x.wild.prod.local A|hidden.sub.prod.local A|prod.local SOA|
none.prod.local A|sub.prod.local A|1.7.0.10.in-addr.arpa PTR|ip-10-0-0-5.ec2.internal A|ec2-198-18-0-5.compute-1.amazonaws.com A|
ec2-198-18-0-6.compute-1.amazonaws.com A|ec2-198-18-0-7.compute-1.amazonaws.com A|ec2-198-18-0-8.compute-1.amazonaws.com A|
ec2-198-18-0-6.eu-west-1.compute.amazonaws.com A|_http._tcp.prod.local SRV|a.b.deep.prod.local TXT`, "|")

func answers(t *rapid.T, v *View) string {
	var b strings.Builder
	for _, id := range []string{"vpc-a", "vpc-b", "vpc-c", Machine, Everything} {
		for _, question := range questions {
			reply, a := ask(t, v, id, strings.TrimSpace(question), zero)
			fmt.Fprintln(&b, id, question, said(reply, a))
		}
	}
	return b.String()
}

// Changes one after the other lead to what the whole configuration gives, and the views in between stay what they were.
func TestChangesLeadToTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		last := configs(1).Draw(t, "first")
		v, _ := (*View)(nil).Apply(nodeconf.Delta{To: 1, Set: last.Resources})
		for version := int64(2); version < 5; version++ {
			next := configs(version).Draw(t, "next")
			before := answers(t, v)
			changed, problems := v.Apply(nodeconf.Diff(last, next))
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			if after := answers(t, v); after != before {
				t.Fatalf("a view changed:\n%s\nwas\n%s", after, before)
			}
			fresh, _ := (*View)(nil).Apply(nodeconf.Delta{To: version, Set: next.Resources})
			if got, want := answers(t, changed), answers(t, fresh); got != want {
				t.Fatalf("by changes:\n%s\nat once:\n%s", got, want)
			}
			last, v = next, changed
		}
		empty, _ := v.Apply(nodeconf.Diff(last, &nodeconf.Config{Version: 9}))
		if empty.machine != nil || len(empty.vpcs)+len(empty.homes)+empty.everywhere.Len()+empty.all.Len()+empty.zones.Len()+empty.trees.Len()+empty.values.Len()+empty.public.Len()+empty.owner.Len()+empty.known.Len() != 0 {
			t.Fatalf("left when nothing is wanted: %+v", empty)
		}
	})
}
