package view

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/berth-ecs/berth/node/dns/message"
	"github.com/berth-ecs/berth/nodeconf"
)

// Whatever name is asked for: there is an answer that another library reads, one to the question, and private names stay here.
func FuzzNames(f *testing.F) {
	for _, name := range []string{"ip-10-0-0-5.ec2.internal", "5.0.0.10.in-addr.arpa", "x.wild.prod.local", "www.prod.local", "_http._tcp.prod.local", "ec2-198-18-0-5.compute-1.amazonaws.com", "d.f.ip6.arpa", "."} {
		wire, err := labels(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire, dns.TypeA)
		f.Add(wire, dns.TypePTR)
	}
	v := whole(f, sample())
	f.Fuzz(func(t *testing.T, name []byte, kind uint16) {
		var q message.Query
		if q.Parse(message.AppendQuestion(nil, 1, message.Asked{Name: name, Type: kind}, 0)) != message.Answer || len(q.Name()) != len(name) {
			return
		}
		a := Answer{Draw: zero}
		v.Answer("vpc-a", &q, &a)
		var m dns.Msg
		if err := m.Unpack(a.Append(nil, &q, message.MinSize)); err != nil || len(m.Question) != 1 {
			t.Fatalf("%q: %v", name, err)
		}
		text := strings.ToLower(m.Question[0].Name)
		private := strings.HasSuffix(text, ".ec2.internal.") || strings.HasSuffix(text, ".10.in-addr.arpa.") || strings.HasSuffix(text, ".prod.local.")
		if a.Forward != nil && string(a.Forward) == string(q.Name()) && private && !strings.Contains(text, `\`) {
			t.Errorf("%s is asked outside", text)
		}
	})
}

// Whatever a record says: it is left out, or answered so that another library reads it.
func FuzzRecords(f *testing.F) {
	f.Add("a.prod.local", "A", "10.0.0.1")
	f.Add("*.prod.local", "TXT", `"x" y`)
	f.Add("a", "TYPE65400", `\# 4 0a000001`)
	f.Add("a.prod.local", "SVCB", "1 . alpn=h2")
	f.Fuzz(func(t *testing.T, name, kind, value string) {
		r := sample()
		r.Values["k"] = nodeconf.Value{Zone: "z1", Name: name, Type: kind, TTL: 1 << 31, Value: value}
		v, problems := (*View)(nil).Apply(nodeconf.Delta{To: 1, Set: r})
		if len(problems) > 0 {
			return
		}
		s, _ := v.values.Get([]byte("k"))
		reply := message.Reply{Answers: []message.Record{{Type: s.kind, TTL: s.ttl, Data: s.data}}}
		var q message.Query
		q.Parse(message.AppendQuestion(nil, 1, message.Asked{Name: s.name, Type: s.kind}, 0))
		var m dns.Msg
		if err := m.Unpack(reply.Append(nil, &q, 1<<16-1)); err != nil {
			t.Fatalf("%q %q %q: %v: %x", name, kind, value, err, s.data)
		}
	})
}
