package network

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/userdata"

	"github.com/berth-ecs/berth/node/network/router"
	"github.com/berth-ecs/berth/node/network/router/rules"
)

// ForwardDrop is a chain of another program that drops forwarded packets by policy: ours are among them, because every
// chain of the hook has to accept a packet.
type ForwardDrop struct {
	Family string // "ip" or "inet"
	Table  string
	Chain  string
	// Door is the chain in which the other program wants accept rules of others: Docker's DOCKER-USER where it exists,
	// else Chain itself.
	Door string
	Open bool // the door has our accept rules
}

func (d ForwardDrop) String() string {
	return fmt.Sprintf("chain %s %s %s drops forwarded packets by policy", d.Family, d.Table, d.Chain)
}

// Fix is the command that does by hand what OpenDoors does.
func (d ForwardDrop) Fix(name string) string {
	var out []string
	for _, link := range []string{Config{Name: name}.bridge(), `"` + router.EdgePrefix(name) + `*"`} {
		for _, way := range []string{"iifname", "oifname"} {
			out = append(out, fmt.Sprintf("nft insert rule %s %s %s %s %s accept", d.Family, d.Table, d.Door, way, link))
		}
	}
	return strings.Join(out, "; ")
}

const dockerDoor = "DOCKER-USER"

// ForwardDrops finds chains of other programs that would cut off bridge mode, including those of iptables when it is
// the one built on nftables. It changes nothing.
func ForwardDrops(name string) ([]ForwardDrop, error) {
	conn, err := nftables.New()
	if err != nil {
		return nil, fmt.Errorf("network: nftables: %w", err)
	}
	c := Config{Name: name}
	var out []ForwardDrop
	for _, family := range []nftables.TableFamily{nftables.TableFamilyIPv4, nftables.TableFamilyINet} {
		chains, err := retryDump(func() ([]*nftables.Chain, error) { return conn.ListChainsOfTableFamily(family) })
		if err != nil {
			return nil, fmt.Errorf("network: list nftables chains: %w", err)
		}
		for _, ch := range chains {
			if !dropsForwarded(ch) || ch.Table.Name == c.table() {
				continue
			}
			d := ForwardDrop{Family: familyName(family), Table: ch.Table.Name, Chain: ch.Name, Door: ch.Name}
			if slices.ContainsFunc(chains, func(o *nftables.Chain) bool { return o.Table.Name == ch.Table.Name && o.Name == dockerDoor }) {
				d.Door = dockerDoor
			}
			ours, err := doorRules(conn, c, family, d)
			if err != nil {
				return nil, err
			}
			d.Open = len(ours) > 0
			out = append(out, d)
		}
	}
	return out, nil
}

func dropsForwarded(c *nftables.Chain) bool {
	return c.Hooknum != nil && *c.Hooknum == *nftables.ChainHookForward && c.Policy != nil && *c.Policy == nftables.ChainPolicyDrop
}

func familyName(f nftables.TableFamily) string {
	if f == nftables.TableFamilyINet {
		return "inet"
	}
	return "ip"
}

func family(name string) nftables.TableFamily {
	if name == "inet" {
		return nftables.TableFamilyINet
	}
	return nftables.TableFamilyIPv4
}

// doorComment marks our rules in other programs' chains.
func (c Config) doorComment() string { return "berth:" + c.Name }

// OpenDoors lets the installation's bridge and its routers' edges through the chains ForwardDrops found. What may reach a container is still
// decided by our own forward chain.
func OpenDoors(name string, drops []ForwardDrop) error {
	conn, err := nftables.New()
	if err != nil {
		return fmt.Errorf("network: nftables: %w", err)
	}
	c := Config{Name: name}
	mark := userdata.AppendString(nil, userdata.TypeComment, c.doorComment())
	for _, d := range drops {
		if d.Open {
			continue
		}
		table := &nftables.Table{Name: d.Table, Family: family(d.Family)}
		for _, match := range [][]expr.Any{
			fromLink(c.bridge()), toLink(c.bridge()), rules.FromPrefixed(router.EdgePrefix(name)), rules.ToPrefixed(router.EdgePrefix(name)),
		} {
			conn.InsertRule(&nftables.Rule{
				Table: table, Chain: &nftables.Chain{Name: d.Door, Table: table}, UserData: mark,
				Exprs: exprs(match, []expr.Any{&expr.Counter{}}, verdict(expr.VerdictAccept)),
			})
		}
	}
	if err := conn.Flush(); err != nil {
		return fmt.Errorf("network: let the bridge through other programs' chains: %w", err)
	}
	return nil
}

// CloseDoors takes an installation's rules out of other programs' chains.
func CloseDoors(name string) error {
	c := Config{Name: name}
	drops, err := ForwardDrops(name)
	if err != nil {
		return err
	}
	conn, err := nftables.New()
	if err != nil {
		return fmt.Errorf("network: nftables: %w", err)
	}
	var errs error
	for _, d := range drops {
		rules, err := doorRules(conn, c, family(d.Family), d)
		errs = errors.Join(errs, err)
		for _, r := range rules {
			errs = errors.Join(errs, conn.DelRule(r))
		}
	}
	if err := conn.Flush(); err != nil {
		errs = errors.Join(errs, fmt.Errorf("network: remove rules from other programs' chains: %w", err))
	}
	return errs
}

func doorRules(conn *nftables.Conn, c Config, f nftables.TableFamily, d ForwardDrop) ([]*nftables.Rule, error) {
	table := &nftables.Table{Name: d.Table, Family: f}
	rules, err := retryDump(func() ([]*nftables.Rule, error) {
		return conn.GetRules(table, &nftables.Chain{Name: d.Door, Table: table})
	})
	if err != nil {
		return nil, fmt.Errorf("network: read chain %s %s: %w", d.Table, d.Door, err)
	}
	return slices.DeleteFunc(rules, func(r *nftables.Rule) bool {
		comment, ok := userdata.GetString(r.UserData, userdata.TypeComment)
		return !ok || strings.TrimRight(comment, "\x00") != c.doorComment()
	}), nil
}
