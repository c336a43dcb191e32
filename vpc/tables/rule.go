package tables

import (
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
)

// Indexes of rules. Values are ids, which are unique.
var (
	RulesByID         = store.NewIndex(Rules, "id", func(r *vpc.Rule) []string { return []string{r.ID} })
	RulesByPeer       = store.NewIndex(Rules, "peer", func(r *vpc.Rule) []string { return some(r.Peer.Group) })
	RulesByPrefixList = store.NewIndex(Rules, "prefixlist", func(r *vpc.Rule) []string { return some(r.Peer.PrefixList) })
)

// RulesOf are the rules of a group, both directions, in order of their ids.
func RulesOf(tx store.Tx, h vpc.Home, group string) []*vpc.Rule {
	var all []*vpc.Rule
	for _, r := range Rules.List(tx, At(h).Prefix(group), "") {
		all = append(all, r)
	}
	return all
}

// DropRule deletes a rule and its tags. Writes 2 keys.
func DropRule(tx store.Tx, r *vpc.Rule) {
	Rules.Delete(tx, RuleKey(r.Home, r.Group, r.ID))
	Tags.Delete(tx, Key(r.Home, r.ID))
}

// MaxDropped is how many rules one transaction deletes.
const MaxDropped = 40

// DropGroup deletes a security group, its tags and the first of its rules, and answers whether there are more: DropRulesOf, or the sweeper,
// deletes those, which are nobody's. At most 84 keys.
func DropGroup(tx store.Tx, h vpc.Home, id string) (more bool) {
	SecurityGroups.Delete(tx, Key(h, id))
	Tags.Delete(tx, Key(h, id))
	if _, ok := Changes.Get(tx, Key(h, id)); ok {
		Changes.Delete(tx, Key(h, id))
	}
	return DropRulesOf(tx, h, id)
}

// DropRulesOf deletes the first rules of a group that is gone, and answers whether there are more. At most 80 keys.
func DropRulesOf(tx store.Tx, h vpc.Home, group string) (more bool) {
	for i, r := range RulesOf(tx, h, group) {
		if i == MaxDropped {
			return true
		}
		DropRule(tx, r)
	}
	return false
}

// GroupUsed says whether an interface has a security group, or a rule of another group refers to it.
func GroupUsed(tx store.Tx, h vpc.Home, id string) bool {
	if InterfacesByGroup.Count(tx, id) > 0 {
		return true
	}
	for _, r := range RulesByPeer.List(tx, id, "") {
		if r.Group == id {
			continue
		}
		if _, ok := SecurityGroups.Peek(tx, Key(h, r.Group)); ok {
			return true
		}
	}
	return false
}
