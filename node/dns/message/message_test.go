package message

import (
	"bytes"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"pgregory.net/rapid"
)

func packed(t interface{ Fatal(...any) }, m *dns.Msg) []byte {
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParse(t *testing.T) {
	m := new(dns.Msg)
	m.SetQuestion("WeB.Example.com.", dns.TypeSRV)
	m.CheckingDisabled = true
	m.SetEdns0(1300, true)
	m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0011223344556677"}}
	raw := packed(t, m)
	var q Query
	if v := q.Parse(raw); v != Answer {
		t.Fatal(v)
	}
	if q.ID != m.Id || !q.RD || !q.CD || q.Type != TypeSRV || q.Class != ClassIN || !q.EDNS || !q.DO || q.Size != 1300 || q.Version != 0 {
		t.Errorf("%+v", q)
	}
	if got := string(q.Name()); got != "\x03web\x07example\x03com\x00" {
		t.Errorf("name %q", got)
	}
	if n := testing.AllocsPerRun(10, func() { q.Parse(raw) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestParseRefuses(t *testing.T) {
	whole := func() *dns.Msg {
		m := new(dns.Msg)
		m.SetQuestion("example.com.", dns.TypeA)
		return m
	}
	two := whole()
	two.Question = append(two.Question, two.Question[0])
	answer := whole()
	answer.Response = true
	twice := whole()
	twice.SetEdns0(1232, false)
	twice.Extra = append(twice.Extra, twice.Extra[0])
	notify := whole()
	notify.Opcode = dns.OpcodeNotify
	edns := whole()
	edns.SetEdns0(1232, false)
	pointer := append(packed(t, whole())[:12], 0xc0, 12, 0, 1, 0, 1)
	long := append(packed(t, whole())[:12], bytes.Repeat([]byte("\x3faaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), 4)...)
	for _, c := range []struct {
		name string
		p    []byte
		want Verdict
	}{
		{"whole", packed(t, whole()), Answer},
		{"nothing", nil, Drop},
		{"half a header", packed(t, whole())[:11], Drop},
		{"an answer", packed(t, answer), Drop},
		{"two questions", packed(t, two), Malformed},
		{"no question", packed(t, &dns.Msg{}), Malformed},
		{"half a name", packed(t, whole())[:18], Malformed},
		{"no class", packed(t, whole())[:len(packed(t, whole()))-1], Malformed},
		{"a pointer", pointer, Malformed},
		{"a name of 257", append(long, 0, 0, 1, 0, 1), Malformed},
		{"half an OPT", packed(t, edns)[:len(packed(t, edns))-3], Malformed},
		{"two OPTs", packed(t, twice), Malformed},
		{"NOTIFY", packed(t, notify), Answer},
	} {
		var q Query
		if got := q.Parse(c.p); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// replies draws answers with names that are repeated.
func replies() *rapid.Generator[*Reply] {
	name := rapid.SampledFrom([][]byte{[]byte("\x01a\x00"), []byte("\x03www\x07Example\x03com\x00"), []byte("\x00")})
	record := rapid.Custom(func(t *rapid.T) Record {
		r := Record{TTL: rapid.Uint32Range(0, 1<<31-1).Draw(t, "ttl")}
		if rapid.Bool().Draw(t, "owner") {
			r.Owner = name.Draw(t, "name")
		}
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			r.Type, r.Data = TypeA, []byte{10, 0, 0, byte(len(r.Owner))}
		case 1:
			r.Type, r.Data = TypeCNAME, name.Draw(t, "target")
		default:
			r.Type, r.Data = 16, append([]byte{200}, strings.Repeat("x", 200)...)
		}
		return r
	})
	some := func(most int) *rapid.Generator[[]Record] { return rapid.SliceOfN(record, 0, most) }
	return rapid.Custom(func(t *rapid.T) *Reply {
		return &Reply{Rcode: rapid.SampledFrom([]int{0, 2, 3, BadVersion}).Draw(t, "rcode"), Answers: some(12).Draw(t, "answers"), Authority: some(1).Draw(t, "authority"), Additional: some(9).Draw(t, "additional")}
	})
}

// Another library reads what was written, and it is what was meant.
func TestAppend(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := new(dns.Msg)
		m.SetQuestion(rapid.SampledFrom([]string{".", "wWw.eXample.com."}).Draw(t, "question"), dns.TypeA)
		if rapid.Bool().Draw(t, "edns") {
			m.SetEdns0(uint16(rapid.IntRange(0, 5000).Draw(t, "size")), rapid.Bool().Draw(t, "do"))
		}
		var q Query
		if q.Parse(packed(t, m)) != Answer {
			t.Fatal("not parsed")
		}
		r := replies().Draw(t, "reply")
		raw := r.Append([]byte("before"), &q, q.Size)[len("before"):]
		if len(raw) > q.Size {
			t.Fatalf("%d bytes, more than %d", len(raw), q.Size)
		}
		var got dns.Msg
		if err := got.Unpack(raw); err != nil {
			t.Fatal(err)
		}
		check(t, &got, m, r)
	})
}

func check(t *rapid.T, got, asked *dns.Msg, r *Reply) {
	want := r.Rcode
	if asked.IsEdns0() == nil {
		want &= 15
	}
	if got.Id != asked.Id || !got.Response || !got.RecursionDesired || !got.RecursionAvailable || got.Rcode != want || got.Question[0] != asked.Question[0] {
		t.Fatalf("%v for %v", got, asked)
	}
	if (got.IsEdns0() != nil) != (asked.IsEdns0() != nil) || got.IsEdns0() != nil && (got.IsEdns0().Do() != asked.IsEdns0().Do() || got.IsEdns0().UDPSize() != MaxSize) {
		t.Fatalf("EDNS: %v for %v", got, asked)
	}
	if got.Truncated {
		if len(got.Answer) >= len(r.Answers) || len(got.Ns) > 0 {
			t.Fatalf("truncated, and yet whole: %v", got)
		}
	} else if len(got.Answer) != len(r.Answers) {
		t.Fatalf("%d answers of %d", len(got.Answer), len(r.Answers))
	}
	for i, rr := range got.Answer {
		w := r.Answers[i]
		owner := asked.Question[0].Name
		if w.Owner != nil {
			owner, _, _ = dns.UnpackDomainName(w.Owner, 0)
		}
		if h := rr.Header(); h.Name != owner || h.Rrtype != w.Type || h.Ttl != w.TTL || h.Class != dns.ClassINET {
			t.Fatalf("answer %d is %v, want %v", i, rr, w)
		}
		if c, ok := rr.(*dns.CNAME); ok {
			if target, _, _ := dns.UnpackDomainName(w.Data, 0); c.Target != target {
				t.Fatalf("answer %d is %v, want %s", i, rr, target)
			}
		}
	}
}

// Records that are written already are as others are: as many as fit, and the message says when they are not all.
func TestReadyRecords(t *testing.T) {
	var run []byte
	for i := range 5 {
		run = AppendRecord(run, Record{Type: TypeA, TTL: 60, Data: []byte{10, 0, 0, byte(i)}})
	}
	var q Query
	if q.Parse(AppendQuestion(nil, 7, Asked{Name: []byte("\x03web\x00"), Type: TypeA}, 0)) != Answer {
		t.Fatal("the question is not one")
	}
	empty := len((&Reply{}).Append(nil, &q, MinSize))
	for room := range 13 {
		r := Reply{Ready: Ready{Each: len(run) / 5, Runs: [][]byte{run[:32], run}}}
		raw := r.Append([]byte("before"), &q, empty+room*16+3)[len("before"):]
		var m dns.Msg
		if err := m.Unpack(raw); err != nil {
			t.Fatal(err)
		}
		if want := min(room, 7); len(m.Answer) != want || m.Truncated != (want < 7) || len(raw) > empty+room*16+3 {
			t.Errorf("room for %d: %d records in %d bytes, cut off %v", room, len(m.Answer), len(raw), m.Truncated)
		}
	}
	if raw := (&Reply{Ready: Ready{Each: 16, Runs: [][]byte{run}}}).Append(nil, &q, 1); len(raw) != empty {
		t.Errorf("without room: %d bytes", len(raw))
	}
}
