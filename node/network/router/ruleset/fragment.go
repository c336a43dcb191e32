package ruleset

import (
	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

// Set is a named set, or a map when it has Data.
type Set struct {
	Name     string
	Key      nftables.SetDatatype
	Data     nftables.SetDatatype // the zero value: a set
	Native   bool                 // keys are numbers of the machine's byte order, or names: `nft` shows them right
	Interval bool                 // elements are ranges; Key must be a concatenation
}

// Hook is where a chain sees packets. One with a Device is of family netdev.
type Hook struct {
	Type     nftables.ChainType
	Hook     nftables.ChainHook
	Priority nftables.ChainPriority
	Device   string
}

// Rule is a rule's expressions.
type Rule []expr.Any

// Chain is a chain, a base chain when it has a Hook.
type Chain struct {
	Name  string
	Hook  Hook
	Rules []Rule
}

// Element is an element of a set. Keys and values are as the kernel has them.
type Element struct {
	Set  string
	Key  string
	End  string // of a range; "" for a single key
	Val  string // of a map
	Jump string // of a map of verdicts: the chain to jump to
}

// Fragment is what one thing needs.
type Fragment struct {
	Sets     []Set
	Chains   []Chain
	Elements []Element
}
