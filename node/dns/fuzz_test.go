package dns

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/miekg/dns"

	"github.com/berth-ecs/berth/node/dns/message"
	"github.com/berth-ecs/berth/node/dns/view"
	"github.com/berth-ecs/berth/nodeconf"
)

// whatever is a server with every kind of names, and questions about them.
func whatever() (*Server, [][]byte) {
	r := vpcs()
	r.Zones["public"] = nodeconf.Zone{ID: "public", Name: "example.net", Public: true, SOA: nodeconf.SOA{Server: "ns", Mailbox: "m", TTL: 15}}
	for i := range 20 {
		for _, v := range []nodeconf.Value{
			{Zone: "z", Name: "web.prod.local", Type: "A", TTL: 60, Value: fmt.Sprintf("10.0.1.%d", i/2), Unhealthy: i%3 == 0},
			{Zone: "z", Name: "one.prod.local", Type: "AAAA", TTL: 60, Value: fmt.Sprintf("fd00::%d", i), Weighted: true},
			{Zone: "z", Name: "api.prod.local", Type: "SRV", TTL: 60, Value: fmt.Sprintf("1 1 %d i-%d.api.prod.local", 8000+i, i)},
			{Zone: "z", Name: fmt.Sprintf("i-%d.api.prod.local", i), Type: "A", TTL: 60, Value: fmt.Sprintf("10.0.2.%d", i)},
			{Zone: "public", Name: "shop.example.net", Type: "CNAME", TTL: 60, Value: "web.prod.local", Weighted: true},
		} {
			r.Values[fmt.Sprint(v.Name, v.Type, i)] = v
		}
	}
	s := New(Config{})
	s.Tell(nodeconf.Delta{To: 1, Set: r})
	var questions [][]byte
	for _, name := range []string{"web.prod.local.", "one.prod.local.", "api.prod.local.", "shop.example.net.", "none.prod.local.", "prod.local.", "big.prod.local.", "5.0.0.10.in-addr.arpa.", "."} {
		for _, kind := range []uint16{dns.TypeA, dns.TypeSRV, dns.TypeANY, dns.TypeSOA, dns.TypeAXFR} {
			m := new(dns.Msg)
			m.SetQuestion(name, kind)
			if kind != dns.TypeA {
				m.SetEdns0(4096, true)
			}
			raw, err := m.Pack()
			if err != nil {
				panic(err)
			}
			questions = append(questions, raw)
		}
	}
	return s, questions
}

// Whatever comes: what goes back is an answer to it that another library reads, no longer than who asks takes, and nothing goes back to an answer.
func FuzzAnswers(f *testing.F) {
	s, questions := whatever()
	for i, q := range questions {
		f.Add(q, byte(i))
		f.Add(q[:len(q)-1], byte(i))
	}
	f.Fuzz(func(t *testing.T, p []byte, who byte) {
		res := &resolver{s: s, vpc: []string{"vpc-a", "vpc-b", view.Machine, view.Everything}[who%4]}
		rs := newResponder()
		out, o := rs.now(res, p, []byte("before"), 0)
		out = out[len("before"):]
		if o != answered {
			if len(out) > 0 {
				t.Fatalf("%d bytes go nowhere", len(out))
			}
			return
		}
		most := message.MinSize
		var q, m dns.Msg
		if q.Unpack(p) == nil && q.IsEdns0() != nil {
			most = min(message.MaxSize, max(most, int(q.IsEdns0().UDPSize())))
		}
		if res.vpc == view.Everything {
			most = min(most, maxOutside)
		}
		if len(out) > most || len(p) < message.HeaderLen || p[2]&0x80 != 0 || binary.BigEndian.Uint16(out) != binary.BigEndian.Uint16(p) || out[2]&0x80 == 0 {
			t.Fatalf("%d bytes, at most %d, for %x: %x", len(out), most, p, out)
		}
		if err := m.Unpack(out); err != nil {
			t.Fatalf("%v: %x for %x", err, out, p)
		}
		if n := len(m.Answer); n > 8+1 && m.Question[0].Qtype != dns.TypeNS {
			t.Fatalf("%d answers", n)
		}
	})
}

// The bytes of answers, as they were when somebody last looked at each of them.
func TestGoldenBytes(t *testing.T) {
	s, _ := whatever()
	res, rs := &resolver{s: s, vpc: "vpc-a"}, newResponder()
	rs.a.Draw = func(int) int { return 0 }
	for _, c := range []struct{ name, kind, want string }{
		{"\x03wEb\x04prod\x05local\x00", "A", "000781800001000800000000037745620470726f64056c6f63616c0000010001" +
			"c00c000100010000003c00040a000100c00c000100010000003c00040a000101c00c000100010000003c00040a000102c00c000100010000003c00040a000103" +
			"c00c000100010000003c00040a000104c00c000100010000003c00040a000105c00c000100010000003c00040a000106c00c000100010000003c00040a000107"},
		{"\x04none\x04prod\x05local\x00", "A", "000781830001000000010000046e6f6e650470726f64056c6f63616c0000010001" +
			"0470726f64056c6f63616c0000060001" + "0000000f001b026e7300016d0000000001" + "00001c2000000384001275000001518" + "0"},
		{"\x03api\x04prod\x05local\x00", "TXT", "000781800001000000010000036170690470726f64056c6f63616c0000100001" +
			"0470726f64056c6f63616c0000060001" + "0000000f001b026e7300016d0000000001" + "00001c2000000384001275000001518" + "0"},
	} {
		out, o := rs.now(res, message.AppendQuestion(nil, 7, message.Asked{Name: []byte(c.name), Type: dns.StringToType[c.kind]}, 0), nil, 0)
		if got := hex.EncodeToString(out); o != answered || got != c.want {
			t.Errorf("%q %s\n got %s\nwant %s", c.name, c.kind, got, c.want)
		}
	}
}
