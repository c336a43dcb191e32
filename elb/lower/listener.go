package lower

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/proxyconf"
)

// listeners are in order of their ports: the order in which records come says nothing.
func (b *Balancer) listeners() []Listener {
	return slices.SortedFunc(slices.Values(b.Listeners), func(x, y Listener) int {
		return cmp.Or(cmp.Compare(x.Port, y.Port), cmp.Compare(x.ID, y.ID))
	})
}

// listener is a port of the load balancer; not ok when it leads nowhere.
func (b *Balancer) listener(l Listener) (out proxyconf.Listener, ok bool) {
	out = proxyconf.Listener{Name: b.LoadBalancer.ListenerARN(l.ID), Port: uint16(l.Port), Label: b.LoadBalancer.Path()}
	if b.LoadBalancer.Type == elb.TypeNetwork {
		out.TCP = b.tcp(l)
		return out, len(out.TCP.Forward) > 0
	}
	out.HTTP, out.Logs = b.http(l), b.logs()
	if l.Protocol == elb.HTTPS {
		out.TLS = b.tls(l, out.HTTP.HTTP2)
		ok = len(out.TLS.Certificates) > 0
		return out, ok
	}
	return out, true
}

// tcp is a listener of connections. A group without a weight gets none; a port whose groups all have none is closed.
func (b *Balancer) tcp(l Listener) *proxyconf.TCP {
	out := &proxyconf.TCP{IdleTimeout: seconds(l.Attribute(l.Attributes, elb.AttrTCPIdleTimeout))}
	if len(l.Default) > 0 {
		for _, w := range b.weighted(l.Default[len(l.Default)-1].Groups) {
			if w.Weight > 0 {
				out.Forward = append(out.Forward, w)
			}
		}
	}
	return out
}

// http is a listener of requests.
func (b *Balancer) http(l Listener) *proxyconf.HTTP {
	of := func(key string) string { return b.LoadBalancer.Attribute(b.Attributes, key) }
	own := func(key string) string { return l.Attribute(l.Attributes, key) }
	h := &proxyconf.HTTP{
		Routes:       b.routes(l),
		IdleTimeout:  seconds(of(elb.AttrIdleTimeout)),
		KeepAlive:    seconds(of(elb.AttrKeepAlive)),
		HTTP2:        l.Protocol == elb.HTTPS && of(elb.AttrHTTP2) == yes, // AWS offers it in TLS alone
		ForwardedFor: of(elb.AttrForwardedFor),
		ClientPort:   of(elb.AttrClientPort) == yes,
		PreserveHost: of(elb.AttrPreserveHost) == yes,
		DropInvalid:  of(elb.AttrDropInvalid) == yes,
		Desync:       of(elb.AttrDesync),
		TLSHeaders:   l.Protocol == elb.HTTPS && of(elb.AttrTLSHeaders) == yes,
		ServerHeader: own(elb.AttrServerHeader) == yes,
		WAFFailOpen:  of(elb.AttrWAFFailOpen) == yes,
	}
	if h.TLSHeaders {
		h.TLSVersionName, h.TLSCipherName = own(elb.AttrTLSVersionName), own(elb.AttrTLSCipherName)
	}
	for _, a := range elb.AnswerHeaders() {
		if v := own(a.Key); v != "" {
			h.Answer = append(h.Answer, [2]string{a.Value, v})
		}
	}
	return h
}

const yes = "true"

// tls is how a listener proves who it is: by its default certificate, and by the others to who asks for their names.
func (b *Balancer) tls(l Listener, http2 bool) *proxyconf.TLS {
	t := &proxyconf.TLS{ALPN: []string{"http/1.1"}}
	p, ok := elb.SSLPolicyOf(l.Policy)
	if !ok {
		p, _ = elb.SSLPolicyOf(elb.DefaultSSLPolicy)
	}
	t.Min, t.Max, t.Ciphers = p.Speaks()
	if http2 {
		t.ALPN = []string{"h2", "http/1.1"}
	}
	if l.Certificate != "" {
		t.Certificates = append(t.Certificates, l.Certificate)
	}
	var more []string
	for _, c := range l.Certificates {
		if c.ARN != l.Certificate {
			more = append(more, c.ARN)
		}
	}
	slices.Sort(more)
	t.Certificates = append(t.Certificates, slices.Compact(more)...)
	return t
}

// logs is where the access log goes: below the bucket's name, as on AWS. What a client wrote into bucket and prefix leads nowhere else.
func (b *Balancer) logs() string {
	of := func(key string) string { return b.LoadBalancer.Attribute(b.Attributes, key) }
	if of(elb.AttrAccessLogs) != yes || of(elb.AttrAccessBucket) == "" {
		return ""
	}
	l := b.LoadBalancer
	clean := func(s string) string { return strings.Trim(path.Clean("/"+s), "/") }
	return path.Join(clean(of(elb.AttrAccessBucket)), clean(of(elb.AttrAccessPrefix)), "AWSLogs", l.Account, "elasticloadbalancing", l.Region,
		strings.ReplaceAll(l.Path(), "/", ".")+".log")
}
