// Package route says which way a request takes through a load balancer: which listener, rule, target group and targets, and why not others.
//
// Guarantees:
//
//   - It is pure, and it changes nothing.
//   - It says what happens: a property test holds it to what Envoy does with parts that are made of the same records.
//   - Every rule before the one that takes the request says which of its conditions is not true of it.
package route

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/elb"
)

// Request is what a client sends.
type Request struct {
	Protocol string // http, https or tcp
	Host     string // as the client says it: without a port
	Port     uint16
	Method   string
	Path     string // as sent, from the first slash on
	Query    string // as sent, behind the question mark
	Headers  []elb.Pair
	Source   netip.Addr // of the connection
}

// header are the values of a header field, one of each time that it was sent.
func (q Request) header(name string) []string {
	var all []string
	for _, h := range q.Headers {
		if strings.EqualFold(h.Key, name) {
			all = append(all, h.Value)
		}
	}
	return all
}

// params are the parameters of the query, as they were sent.
func (q Request) params() []elb.Pair {
	var out []elb.Pair
	for p := range strings.SplitSeq(q.Query, "&") {
		k, v, _ := strings.Cut(p, "=")
		out = append(out, elb.Pair{Key: k, Value: v})
	}
	return out
}

// glob says whether a pattern takes all of text: * is any characters, ? one of them.
func glob(pattern, text string) bool {
	p, t := []rune(pattern), []rune(text)
	at, star, back := 0, -1, 0
	for i := 0; i < len(t); {
		switch {
		case at < len(p) && p[at] == '*':
			star, back = at, i
			at++
		case at < len(p) && (p[at] == '?' || p[at] == t[i]):
			at++
			i++
		case star >= 0:
			back++
			at, i = star+1, back
		default:
			return false
		}
	}
	return !slices.ContainsFunc(p[at:], func(r rune) bool { return r != '*' })
}
