package tables

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/vpc"
	aws "github.com/berth-ecs/berth/wire/shape"
)

var (
	home = vpc.Home{Account: "000000000000", Region: "us-east-1"}
	pool = netip.MustParsePrefix("198.18.0.0/28")
)

// network writes a VPC with one subnet of each range, "subnet-0" and so on, and the groups "sg-default" and "sg-1" to "sg-6".
func network(t testing.TB, s store.Store, ranges ...string) {
	t.Helper()
	must(t, s.Update(t.Context(), func(tx store.Tx) error {
		VPCs.Put(tx, &vpc.VPC{Home: home, ID: "vpc-1", Net: 7, DefaultGroup: "sg-default"})
		for i, r := range ranges {
			Subnets.Put(tx, &vpc.Subnet{Home: home, ID: fmt.Sprintf("subnet-%d", i), VPC: "vpc-1", Zone: "us-east-1a", CIDR: netip.MustParsePrefix(r)})
		}
		for _, id := range []string{"default", "1", "2", "3", "4", "5", "6"} {
			SecurityGroups.Put(tx, &vpc.SecurityGroup{Home: home, ID: "sg-" + id, VPC: "vpc-1", Name: id})
		}
		SecurityGroups.Put(tx, &vpc.SecurityGroup{Home: home, ID: "sg-far", VPC: "vpc-2", Name: "far"})
		return nil
	}))
}

func must(t interface {
	Helper()
	Fatal(...any)
}, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func attach(t testing.TB, s store.Store, spec Spec) (i *vpc.Interface, err error) {
	t.Helper()
	spec.Home = home
	err = s.Update(t.Context(), func(tx store.Tx) error {
		var err error
		i, err = Attach(tx, spec)
		return err
	})
	return i, err
}

func codeOf(err error) string {
	if e, ok := errors.AsType[*aws.Error](err); ok {
		return e.Code
	}
	if err != nil {
		return "not of EC2: " + err.Error()
	}
	return ""
}

func TestAttach(t *testing.T) {
	s := mem.Open(Schema(), mem.Options{})
	defer s.Close()
	network(t, s, "10.0.0.0/24")
	i, err := attach(t, s, Spec{Subnet: "subnet-0", Groups: []string{"sg-2", "sg-1", "sg-2"}, Owner: "arn:task", Node: "n1", AssignPublic: true, Pool: pool,
		Attached: Attached{Instance: "i-1", DeviceIndex: 1, DeleteOnEnd: true}, Tags: []vpc.Pair{{Key: "a", Value: "b"}}})
	must(t, err)
	if !strings.HasPrefix(i.ID, "eni-") || i.Type != "interface" || !slices.Equal(i.Groups, []string{"sg-2", "sg-1"}) || i.VPC != "vpc-1" || !i.SourceCheck ||
		!strings.HasPrefix(i.Attachment, "eni-attach-") || i.AttachedAt.IsZero() || !pool.Contains(i.Private[0].Public) || !strings.HasPrefix(i.MAC, "0a:") {
		t.Errorf("%+v", i)
	}
	must(t, s.View(t.Context(), store.Fresh, func(tx store.Tx) error {
		if _, ok := Tags.Get(tx, Key(home, i.ID)); !ok {
			t.Error("its tags are not there")
		}
		if n := FreeAddresses(tx, &vpc.Subnet{ID: "subnet-0", CIDR: netip.MustParsePrefix("10.0.0.0/24")}); n != 250 {
			t.Errorf("%d addresses are free", n)
		}
		if n := InterfacesByOwner.Count(tx, OwnerKey(home, "arn:task")); n != 1 {
			t.Errorf("%d interfaces of its owner", n)
		}
		return nil
	}))
	for range 2 { // twice: a second release is nothing
		must(t, s.Update(t.Context(), func(tx store.Tx) error { Release(tx, home, i.ID); return nil }))
	}
	must(t, s.View(t.Context(), store.Fresh, func(tx store.Tx) error {
		for name, rec := range Schema().Records(tx) {
			switch r := rec.(type) {
			case *vpc.Interface, *vpc.Tags:
				t.Errorf("%s is left", name)
			case *vpc.Address:
				if r.Interface != "" || r.FreedAt.IsZero() {
					t.Errorf("%+v", r)
				}
			case *vpc.PublicAddress:
				if r.Owner != "" || r.FreedAt.IsZero() {
					t.Errorf("%+v", r)
				}
			}
		}
		return nil
	}))
}

func TestAttachRefuses(t *testing.T) {
	s := mem.Open(Schema(), mem.Options{})
	defer s.Close()
	network(t, s, "10.0.0.0/28", "10.0.1.0/28")
	for range 11 {
		_, err := attach(t, s, Spec{Subnet: "subnet-1"})
		must(t, err)
	}
	addr := func(s string) Wanted { return Wanted{Private: []netip.Addr{netip.MustParseAddr(s)}} }
	_, err := attach(t, s, Spec{Subnet: "subnet-0", Wanted: addr("10.0.0.9")})
	must(t, err)
	for want, spec := range map[string]Spec{
		"InvalidSubnetID.NotFound":                {Subnet: "subnet-9"},
		"InvalidGroup.NotFound":                   {Subnet: "subnet-0", Groups: []string{"sg-1", "sg-9"}},
		"InvalidParameter":                        {Subnet: "subnet-0", Groups: []string{"sg-far"}},
		"SecurityGroupsPerInterfaceLimitExceeded": {Subnet: "subnet-0", Groups: []string{"sg-1", "sg-2", "sg-3", "sg-4", "sg-5", "sg-6"}},
		"InsufficientFreeAddressesInSubnet":       {Subnet: "subnet-1"},
		"InsufficientAddressCapacity":             {Subnet: "subnet-0", AssignPublic: true},
		"InvalidIPAddress.InUse":                  {Subnet: "subnet-0", Wanted: addr("10.0.0.9")},
		"InvalidParameterValue":                   {Subnet: "subnet-0", Wanted: addr("10.0.0.3")},
		"PrivateIpAddressLimitExceeded":           {Subnet: "subnet-0", Wanted: Wanted{Secondary: 30}},
	} {
		if _, err := attach(t, s, spec); codeOf(err) != want {
			t.Errorf("%+v: %v, want %s", spec, err, want)
		}
	}
	for _, outside := range []string{"10.0.0.15", "10.0.1.4", "fd00::1"} {
		if _, err := attach(t, s, Spec{Subnet: "subnet-0", Wanted: addr(outside)}); codeOf(err) != "InvalidParameterValue" {
			t.Errorf("%s: %v", outside, err)
		}
	}
	must(t, s.View(t.Context(), store.Fresh, func(tx store.Tx) error {
		if n := InterfacesBySubnet.Count(tx, "subnet-0"); n != 1 {
			t.Errorf("refusals left %d interfaces", n)
		}
		return nil
	}))
}

// An Attach and the deletion of what it stands on never both happen.
func TestAttachBesideDeletion(t *testing.T) {
	s := mem.Open(Schema(), mem.Options{})
	defer s.Close()
	network(t, s, "10.0.0.0/28")
	var mark string
	doubt := func(tx store.Tx) error { mark = Doubt(tx, home, "sg-1"); return nil }
	end := func() (deleted bool) {
		must(t, s.Update(t.Context(), func(tx store.Tx) error {
			if deleted = Undisputed(tx, home, "sg-1", mark); deleted {
				SecurityGroups.Delete(tx, Key(home, "sg-1"))
			}
			return nil
		}))
		return deleted
	}
	must(t, s.Update(t.Context(), doubt))
	_, err := attach(t, s, Spec{Subnet: "subnet-0", Groups: []string{"sg-1"}})
	must(t, err)
	if end() {
		t.Error("a group in use was deleted")
	}
	must(t, s.Update(t.Context(), doubt))
	if !end() {
		t.Error("what nobody began to use was not deleted")
	}
	if _, err := attach(t, s, Spec{Subnet: "subnet-0", Groups: []string{"sg-1"}}); codeOf(err) != "InvalidGroup.NotFound" {
		t.Error(err)
	}
}

// Launches into one subnet share no key that is written: none runs again for another.
func TestAttachesDoNotConflict(t *testing.T) {
	s := mem.Open(Schema(), mem.Options{})
	defer s.Close()
	network(t, s, "10.0.0.0/16")
	runs := 0
	must(t, s.Update(t.Context(), func(tx store.Tx) error {
		if runs++; runs == 1 { // in between, on the same store
			for range 20 {
				_, err := attach(t, s, Spec{Subnet: "subnet-0", Groups: []string{"sg-1"}})
				must(t, err)
			}
		}
		_, err := Attach(tx, Spec{Home: home, Subnet: "subnet-0", Groups: []string{"sg-1"}})
		return err
	}))
	if runs != 1 {
		t.Errorf("%d runs", runs)
	}
}

// life is a model of who has which address, beside two servers of one store with conflicts.
type life struct {
	servers [2]*mem.Store
	now     time.Time
	owned   map[netip.Addr]string
	freed   map[netip.Addr]time.Time
	live    []string
}

func newLife(tb testing.TB, t *rapid.T, cidr string) *life {
	l := &life{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), owned: map[netip.Addr]string{}, freed: map[netip.Addr]time.Time{}}
	conflicts := rapid.SliceOfN(rapid.Bool(), 16, 16).Draw(t, "conflicts")
	commits := 0
	o := mem.Options{Now: func() time.Time { return l.now }, Faults: mem.Faults{Conflict: func(store.Txn) bool {
		commits++
		return commits%3 != 0 && conflicts[commits%len(conflicts)]
	}}}
	l.servers[0] = mem.Open(Schema(), o)
	l.servers[1] = l.servers[0].Join(Schema(), o)
	network(tb, l.servers[0], cidr)
	return l
}

func (l *life) attach(t *rapid.T, n, secondary int) {
	usable := 11
	var made *vpc.Interface
	var before time.Time
	err := l.servers[n].Update(t.Context(), func(tx store.Tx) error {
		before = tx.Now()
		i, err := Attach(tx, Spec{Home: home, Subnet: "subnet-0", Wanted: Wanted{Secondary: secondary}})
		made = i
		return err
	})
	if err != nil {
		if codeOf(err) != "InsufficientFreeAddressesInSubnet" || usable-len(l.owned) >= 1+secondary {
			t.Fatalf("%v with %d of %d addresses in use", err, len(l.owned), usable)
		}
		return
	}
	for _, p := range made.Private {
		if by := l.owned[p.Addr]; by != "" {
			t.Fatalf("%s has two owners: %s and %s", p.Addr, by, made.ID)
		}
		if at, ok := l.freed[p.Addr]; ok && before.Sub(at) < vpc.RestTime {
			l.noneRested(t, usable, p.Addr, before)
		}
		l.owned[p.Addr] = made.ID
		delete(l.freed, p.Addr)
	}
	l.live = append(l.live, made.ID)
}

// noneRested: an address that has not rested was given; then no other that nobody had or that has rested longer was there.
func (l *life) noneRested(t *rapid.T, usable int, a netip.Addr, now time.Time) {
	if len(l.owned)+len(l.freed) < usable {
		t.Fatalf("%s was given before its rest, with addresses that nobody had", a)
	}
	for other, at := range l.freed {
		if at.Before(l.freed[a]) {
			t.Fatalf("%s was given at %s, %s has rested longer", a, now, other)
		}
	}
}

func (l *life) release(t *rapid.T, n int, id string) {
	must(t, l.servers[n].Update(t.Context(), func(tx store.Tx) error { Release(tx, home, id); return nil }))
	for a, by := range l.owned {
		if by == id {
			delete(l.owned, a)
			l.freed[a] = l.now
		}
	}
	l.live = slices.DeleteFunc(l.live, func(o string) bool { return o == id })
}

func TestAddressesProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l := newLife(t, rt, "10.0.0.0/28")
		defer l.servers[0].Close()
		defer l.servers[1].Close()
		rt.Repeat(map[string]func(*rapid.T){
			"attach": func(t *rapid.T) {
				l.attach(t, rapid.IntRange(0, 1).Draw(t, "server"), rapid.SampledFrom([]int{0, 0, 0, 2}).Draw(t, "secondary"))
			},
			"release": func(t *rapid.T) {
				if len(l.live) > 0 {
					l.release(t, rapid.IntRange(0, 1).Draw(t, "server"), rapid.SampledFrom(l.live).Draw(t, "id"))
				}
			},
			"wait": func(t *rapid.T) {
				l.now = l.now.Add(time.Duration(rapid.IntRange(1, 50).Draw(t, "seconds")) * time.Second)
			},
			"": func(t *rapid.T) { l.check(t) },
		})
	})
}

// check: the records say what the model says, and no two interfaces have one MAC.
func (l *life) check(t *rapid.T) {
	must(t, l.servers[0].View(t.Context(), store.Fresh, func(tx store.Tx) error {
		used, macs := 0, map[string]bool{}
		for _, a := range Addresses.List(tx, All(home), "") {
			if a.Interface != l.owned[a.Addr] {
				t.Fatalf("%s is of %q, want %q", a.Addr, a.Interface, l.owned[a.Addr])
			}
			if a.Interface != "" {
				used++
			}
		}
		for _, i := range Interfaces.List(tx, All(home), "") {
			if macs[i.MAC] {
				t.Fatalf("%s twice", i.MAC)
			}
			macs[i.MAC] = true
		}
		if used != len(l.owned) || len(macs) != len(l.live) {
			t.Fatalf("%d addresses of %d interfaces, want %d of %d", used, len(macs), len(l.owned), len(l.live))
		}
		return nil
	}))
}

// Two servers that fill a subnet at the same time give each address once.
func TestAttachFromTwoServers(t *testing.T) {
	a := mem.Open(Schema(), mem.Options{})
	b := a.Join(Schema(), mem.Options{})
	defer a.Close()
	defer b.Close()
	network(t, a, "10.0.0.0/26") // 59 addresses
	done := make(chan error)
	for _, s := range []store.Store{a, b, a, b} {
		go func() {
			for {
				if _, err := attach(t, s, Spec{Subnet: "subnet-0"}); err != nil {
					done <- err
					return
				}
			}
		}()
	}
	for range 4 {
		if err := <-done; codeOf(err) != "InsufficientFreeAddressesInSubnet" {
			t.Error(err)
		}
	}
	must(t, a.View(t.Context(), store.Fresh, func(tx store.Tx) error {
		seen := map[netip.Addr]bool{}
		for _, i := range Interfaces.List(tx, All(home), "") {
			seen[i.Private[0].Addr] = true
		}
		if len(seen) != 59 || InterfacesBySubnet.Count(tx, "subnet-0") != 59 {
			t.Errorf("%d addresses, %d interfaces", len(seen), InterfacesBySubnet.Count(tx, "subnet-0"))
		}
		return nil
	}))
}

func TestPublicPool(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := mem.Open(Schema(), mem.Options{Now: func() time.Time { return now }})
	defer s.Close()
	takePublic := func(p string) (a netip.Addr, err error) {
		err = s.Update(t.Context(), func(tx store.Tx) error {
			var err error
			a, err = TakePublic(tx, netip.MustParsePrefix(p), home, "eipalloc-1")
			return err
		})
		return a, err
	}
	a, err := takePublic("203.0.113.0/30")
	must(t, err)
	b, err := takePublic("203.0.113.0/30")
	must(t, err)
	if _, err := takePublic("203.0.113.0/30"); a == b || codeOf(err) != "InsufficientAddressCapacity" {
		t.Errorf("%s, %s, then %v", a, b, err)
	}
	for owner, want := range map[string]bool{"eni-other": false, "eipalloc-1": true} {
		must(t, s.Update(t.Context(), func(tx store.Tx) error { FreePublic(tx, a, owner); return nil }))
		if c, err := takePublic("203.0.113.0/30"); (err == nil && c == a) != want {
			t.Errorf("freed by %s: %s, %v", owner, c, err)
		}
	}
	if c, err := takePublic("192.0.2.1/32"); err != nil || c.String() != "192.0.2.1" {
		t.Errorf("a pool of one: %s, %v", c, err)
	}
}
