package network

import (
	"fmt"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// The names of what our tables hold.
const (
	publishMap = "publish"
	ownerSet   = "owners"
)

// ruleset is everything of nftables that exists once per installation.
type ruleset struct {
	ip, bridge *nftables.Table
	publish    *nftables.Set // proto . host port -> address . port; the comment names the endpoint
	owners     *nftables.Set // link . MAC . address: who may send what
	chains     []chain
}

type chain struct {
	*nftables.Chain
	rules [][]expr.Any
}

func newRuleset(c Config) *ruleset {
	r := &ruleset{
		ip:     &nftables.Table{Name: c.table(), Family: nftables.TableFamilyIPv4},
		bridge: &nftables.Table{Name: c.table(), Family: nftables.TableFamilyBridge},
	}
	// Set ids only tell the sets of one transaction apart; given ones keep the library from counting in a global.
	r.publish = &nftables.Set{
		ID: 1, Table: r.ip, Name: publishMap, IsMap: true,
		KeyType:  nftables.MustConcatSetType(nftables.TypeInetProto, nftables.TypeInetService),
		DataType: nftables.MustConcatSetType(nftables.TypeIPAddr, nftables.TypeInetService),
	}
	r.owners = &nftables.Set{
		ID: 2, Table: r.bridge, Name: ownerSet,
		KeyType: nftables.MustConcatSetType(nftables.TypeIFName, nftables.TypeEtherAddr, nftables.TypeIPAddr),
	}
	r.chains = append(r.natChains(c), r.filterChains(c)...)
	return r
}

// place is where a chain sees packets.
type place struct {
	kind nftables.ChainType
	hook *nftables.ChainHook
	prio nftables.ChainPriority
}

func (p place) chain(t *nftables.Table, name string) *nftables.Chain {
	return &nftables.Chain{Table: t, Name: name, Type: p.kind, Hooknum: p.hook, Priority: &p.prio}
}

func (r *ruleset) natChains(c Config) []chain {
	publish := exprs(toHost(), toPublished(publishMap))
	loopback := netip.MustParsePrefix("127.0.0.0/8")
	return []chain{
		{place{nftables.ChainTypeNAT, nftables.ChainHookPrerouting, -100}.chain(r.ip, "published-in"), [][]expr.Any{publish}},
		{place{nftables.ChainTypeNAT, nftables.ChainHookOutput, -100}.chain(r.ip, "published-out"), [][]expr.Any{publish}},
		{place{nftables.ChainTypeNAT, nftables.ChainHookPostrouting, 100}.chain(r.ip, "source"), [][]expr.Any{
			// From 127.0.0.1: the answer has to come back to this machine.
			exprs(toLink(c.bridge()), inPrefix(ipSource, loopback), masquerade()),
			// Hairpin: the answer of a neighbour has to come back the way it went, not straight over the bridge.
			exprs(toLink(c.bridge()), inPrefix(ipSource, c.Subnet), ctHas(expr.CtKeySTATUS, statusDNAT), masquerade()),
			exprs(notToLink(c.bridge()), inPrefix(ipSource, c.Subnet), masquerade()),
		}},
	}
}

func (r *ruleset) filterChains(c Config) []chain {
	loopback := netip.MustParsePrefix("127.0.0.0/8")
	br := c.bridge()
	drop, accept := verdict(expr.VerdictDrop), verdict(expr.VerdictAccept)
	return []chain{
		// route_localnet, which 127.0.0.1:PORT needs, would let containers reach the host's loopback.
		{place{nftables.ChainTypeFilter, nftables.ChainHookPrerouting, -300}.chain(r.ip, "guard"), [][]expr.Any{
			exprs(fromLink(br), inPrefix(ipDestination, loopback), drop),
			exprs(fromLink(br), inPrefix(ipSource, loopback), drop),
		}},
		// What is not published stays unreachable for machines that use this one as their router.
		{place{nftables.ChainTypeFilter, nftables.ChainHookForward, 0}.chain(r.ip, "forward"), [][]expr.Any{
			exprs(toLink(br), ctHas(expr.CtKeySTATE, stateKnown), accept),
			exprs(toLink(br), fromLink(br), accept),
			exprs(toLink(br), ctHas(expr.CtKeySTATUS, statusDNAT), accept),
			exprs(toLink(br), drop),
		}},
		// A hairpin leaves by the link it came from; without this the host would tell the container to go direct.
		{place{nftables.ChainTypeFilter, nftables.ChainHookOutput, 0}.chain(r.ip, "output"), [][]expr.Any{
			exprs(toLink(br), icmpRedirect(), drop),
		}},
		{place{nftables.ChainTypeFilter, nftables.ChainHookPrerouting, -300}.chain(r.bridge, "source-check"), r.sourceCheck(c)},
	}
}

// sourceCheck lets a bridge port send IPv4 and ARP with its own addresses and nothing else. One set look-up per frame,
// however many ports there are.
func (r *ruleset) sourceCheck(c Config) [][]expr.Any {
	accept := verdict(expr.VerdictAccept)
	ethernet, arp := expr.PayloadBaseLLHeader, expr.PayloadBaseNetworkHeader
	return [][]expr.Any{
		// A comparison shorter than the name is one of prefixes. (The bridge's own name is not known to every kernel here.)
		exprs(metaIs(expr.MetaKeyIIFNAME, expr.CmpOpNeq, []byte(c.portPrefix())), accept),
		exprs(etherType(unix.ETH_P_IP), owner(ethernet, 6, ipSource, ownerSet), accept),
		exprs(etherType(unix.ETH_P_ARP), owner(ethernet, 6, 14, ownerSet), owner(arp, 8, 14, ownerSet), accept),
		verdict(expr.VerdictDrop),
	}
}

func icmpRedirect() []expr.Any {
	return exprs(metaIs(expr.MetaKeyL4PROTO, expr.CmpOpEq, []byte{unix.IPPROTO_ICMP}), []expr.Any{
		&expr.Payload{DestRegister: reg, Base: expr.PayloadBaseTransportHeader, Offset: 0, Len: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: reg, Data: []byte{5}},
	})
}

// install writes tables, sets and rules in one transaction that replaces the rules of an earlier version and keeps the
// elements: no packet sees a state in between.
func (r *ruleset) install() error {
	conn, err := nftables.New()
	if err != nil {
		return fmt.Errorf("network: nftables: %w", err)
	}
	conn.AddTable(r.ip)
	conn.AddTable(r.bridge)
	for _, s := range []*nftables.Set{r.publish, r.owners} {
		if err := conn.AddSet(s, nil); err != nil {
			return fmt.Errorf("network: nftables set %s: %w", s.Name, err)
		}
	}
	for _, c := range r.chains {
		conn.AddChain(c.Chain)
		conn.FlushChain(c.Chain)
		for _, e := range c.rules {
			conn.AddRule(&nftables.Rule{Table: c.Table, Chain: c.Chain, Exprs: e})
		}
	}
	if err := conn.Flush(); err != nil {
		return fmt.Errorf("network: install nftables rules in table %s: %w", r.ip.Name, err)
	}
	return nil
}

// uninstall removes our tables, as far as they exist.
func (r *ruleset) uninstall() error {
	conn, err := nftables.New()
	if err != nil {
		return fmt.Errorf("network: nftables: %w", err)
	}
	for _, t := range []*nftables.Table{r.ip, r.bridge} {
		conn.AddTable(t) // so that deleting never meets a table that is not there
		conn.DelTable(t)
	}
	if err := conn.Flush(); err != nil {
		return fmt.Errorf("network: remove nftables table %s: %w", r.ip.Name, err)
	}
	return nil
}
