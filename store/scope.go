package store

import (
	"fmt"
	"strings"
)

// Scope is where a record lives and the head of its key. It is a sum type: exactly one of the four constructors made
// it. The zero Scope is invalid and panics when used.
type Scope struct {
	head string // ends in "/"
}

// Regional is the scope of most records: one account in one region.
func Regional(account, region string) Scope {
	return Scope{head: "r/" + part(account) + "/" + part(region) + "/"}
}

// AccountWide is the scope of global services of one account: IAM, Route 53.
func AccountWide(account string) Scope { return Scope{head: "a/" + part(account) + "/"} }

// RegionWide is the scope of what accounts share in a region: nodes, ledgers, pools.
func RegionWide(region string) Scope { return Scope{head: "z/" + part(region) + "/"} }

// Installation is the scope of servers and keys.
func Installation() Scope { return Scope{head: "i/"} }

// Key joins the scope and at least one part. Parts must be non-empty and without "/" (panics: programming error, input
// is validated before it becomes a key).
func (s Scope) Key(parts ...string) string {
	p := s.Prefix(parts...)
	if len(parts) == 0 {
		panic("store: a key needs at least one part after its scope")
	}
	return p[:len(p)-1]
}

// Prefix is the beginning of every key of the scope that begins with these parts; it ends in "/".
func (s Scope) Prefix(parts ...string) string {
	if s.head == "" {
		panic("store: zero Scope")
	}
	var b strings.Builder
	b.WriteString(s.head)
	for _, p := range parts {
		b.WriteString(part(p))
		b.WriteByte('/')
	}
	return b.String()
}

func part(p string) string {
	if p == "" || strings.IndexByte(p, '/') >= 0 {
		panic(fmt.Sprintf("store: key part %q must be non-empty and without \"/\"", p))
	}
	return p
}
