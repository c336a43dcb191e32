package message

import (
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// Whatever comes: what we call whole another library reads the same way, and our answer to it is readable and short enough.
func FuzzParse(f *testing.F) {
	for _, name := range []string{".", "example.com.", strings.Repeat("a.", 120), `\000\255.x.`} {
		m := new(dns.Msg)
		m.SetQuestion(name, dns.TypeA)
		f.Add(packed(f, m))
		m.SetEdns0(4096, true)
		f.Add(packed(f, m))
	}
	f.Add([]byte{0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0xc0, 12, 0, 1, 0, 1})
	f.Fuzz(func(t *testing.T, p []byte) {
		var q Query
		verdict := q.Parse(p)
		if verdict == Drop {
			return
		}
		r := Reply{Rcode: FormatError}
		if verdict == Answer && q.Opcode == 0 {
			r = Reply{Answers: []Record{{Type: TypeCNAME, Data: q.Name()}, {Owner: q.Name(), Type: TypeA, Data: []byte{1, 2, 3, 4}}}}
		}
		raw := r.Append(nil, &q, q.Size)
		var got dns.Msg
		if err := got.Unpack(raw); err != nil || len(raw) > q.Size || got.Id != q.ID {
			t.Fatalf("%v, %d bytes of %d: %x for %x", err, len(raw), q.Size, raw, p)
		}
		if verdict != Answer || q.Opcode != 0 {
			return
		}
		name, _, err := dns.UnpackDomainName(p, HeaderLen)
		lower, _, lerr := dns.UnpackDomainName(q.Name(), 0)
		if err != nil || lerr != nil || !strings.EqualFold(name, lower) || got.Question[0].Name != name || got.Question[0].Qtype != q.Type {
			t.Fatalf("%q %v and %q %v for %x", name, err, lower, lerr, p)
		}
	})
}
