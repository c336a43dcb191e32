package cloudmap

import (
	"fmt"
	"math/big"
	"strings"
)

// Home is the account and region a record belongs to. It is the first part of every key.
type Home struct {
	Account string
	Region  string
}

// Pair is a tag of a resource.
type Pair struct{ Key, Value string }

// Kinds of resources that have ARNs.
const (
	KindNamespace = "namespace"
	KindService   = "service"
)

// ARN names a resource of a kind.
func (h Home) ARN(kind, id string) string {
	return fmt.Sprintf("arn:aws:servicediscovery:%s:%s:%s/%s", h.Region, h.Account, kind, id)
}

// ARN is the namespace's.
func (n *Namespace) ARN() string { return n.Home.ARN(KindNamespace, n.ID) }

// ARN is the service's.
func (s *Service) ARN() string { return s.Home.ARN(KindService, s.ID) }

// ParseARN takes an ARN of Cloud Map apart.
func ParseARN(arn string) (h Home, kind, id string, ok bool) {
	p := strings.SplitN(arn, ":", 6)
	if len(p) != 6 || p[0] != "arn" || p[2] != "servicediscovery" {
		return h, "", "", false
	}
	kind, id, ok = strings.Cut(p[5], "/")
	return Home{Account: p[4], Region: p[3]}, kind, id, ok && id != ""
}

// Local is the id that an id or ARN of a kind means; ok is false for an ARN of another account, region or kind.
func (h Home) Local(kind, idOrARN string) (id string, ok bool) {
	if !strings.HasPrefix(idOrARN, "arn:") {
		return idOrARN, true
	}
	of, k, id, ok := ParseARN(idOrARN)
	return id, ok && of == h && k == kind
}

// digits makes n letters and digits of 32 hex digits.
func digits(hex string, n int) string {
	v, ok := new(big.Int).SetString(hex, 16)
	if !ok {
		return hex
	}
	s := v.Text(36)
	return strings.Repeat("0", max(0, n-len(s))) + s[max(0, len(s)-n):]
}

// NamespaceID makes an id of 32 hex digits.
func NamespaceID(hex string) string { return "ns-" + digits(hex, 16) }

// ServiceID makes an id of 32 hex digits.
func ServiceID(hex string) string { return "srv-" + digits(hex, 16) }

// ZoneID makes the id of a hosted zone of 32 hex digits.
func ZoneID(hex string) string { return "Z" + strings.ToUpper(digits(hex, 20)) }
