package forward

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/berth-ecs/berth/node/dns/message"
)

var (
	one = netip.MustParseAddrPort("192.0.2.1:53")
	two = netip.MustParseAddrPort("192.0.2.2:53")
)

// world are servers that answer as told. What they are asked is written down.
type world struct {
	answer func(server netip.AddrPort, network string, q *dns.Msg) (*dns.Msg, error)

	mu    sync.Mutex
	asked []string
}

func (w *world) exchange(ctx context.Context, network string, server netip.AddrPort, raw []byte, accepts func([]byte) bool) ([]byte, error) {
	var q dns.Msg
	if err := q.Unpack(raw); err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.asked = append(w.asked, strings.TrimSpace(fmt.Sprint(server.Addr(), " ", network, " ", q.Question[0].Name, " ", q.IsEdns0() != nil)))
	w.mu.Unlock()
	m, err := w.answer(server, network, &q)
	if m == nil || err != nil {
		if err == nil {
			<-ctx.Done()
			err = ctx.Err()
		}
		return nil, err
	}
	out, err := m.Pack()
	if err != nil {
		return nil, err
	}
	if !accepts(out) {
		return nil, errors.New("not accepted")
	}
	return out, nil
}

func (w *world) forwarder() *Forwarder {
	return New(Config{Servers: func() []netip.AddrPort { return []netip.AddrPort{one, two} }, Exchange: w.exchange})
}

func (w *world) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.asked)
}

func reply(q *dns.Msg, rcode int, records ...string) *dns.Msg {
	m := new(dns.Msg)
	m.SetRcode(q, rcode)
	m.AuthenticatedData = true
	m.SetEdns0(512, false)
	for _, r := range records {
		text, authority := strings.CutPrefix(r, "auth: ")
		rr, err := dns.NewRR(text)
		if err != nil {
			panic(err)
		}
		if authority {
			m.Ns = append(m.Ns, rr)
		} else {
			m.Answer = append(m.Answer, rr)
		}
	}
	return m
}

// aOf asks for a name's A record.
func aOf(t testing.TB, s string) message.Asked {
	b := make([]byte, 256)
	n, err := dns.PackDomainName(s, b, 0, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	return message.Asked{Name: b[:n], Type: dns.TypeA}
}

// told is an entry as a client gets it who asks in his own way of writing.
func told(t testing.TB, e *Entry, question string) string {
	t.Helper()
	var q message.Query
	if q.Parse(message.AppendQuestion(nil, 77, aOf(t, question), 1232)) != message.Answer {
		t.Fatal("not parsed")
	}
	var m dns.Msg
	if err := m.Unpack(e.Append(nil, &q, message.MaxSize, time.Now())); err != nil {
		t.Fatal(err)
	}
	if m.Id != 77 || !m.RecursionAvailable || m.Authoritative || m.AuthenticatedData || m.Question[0].Name != question || m.IsEdns0().UDPSize() != message.MaxSize {
		t.Errorf("head: %v", &m)
	}
	parts := []string{dns.RcodeToString[m.Rcode]}
	for _, rr := range append(m.Answer, m.Ns...) {
		parts = append(parts, strings.Join(strings.Fields(rr.String()), " "))
	}
	return strings.Join(parts, " | ")
}

func expect(t *testing.T, f *Forwarder, question, want string) {
	t.Helper()
	e, err := f.Ask(t.Context(), aOf(t, strings.ToLower(question)))
	if err != nil {
		t.Fatal(err)
	}
	if got := told(t, e, question); got != want {
		t.Errorf("%s: %s, want %s", question, got, want)
	}
}

func TestAnswersAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{answer: func(_ netip.AddrPort, _ string, q *dns.Msg) (*dns.Msg, error) {
			switch q.Question[0].Name {
			case "none.example.":
				return reply(q, dns.RcodeNameError, "auth: example. 500 IN SOA ns. m. 1 2 3 4 60"), nil
			case "empty.example.":
				return reply(q, dns.RcodeSuccess, "auth: example. 20 IN SOA ns. m. 1 2 3 4 60"), nil
			case "bare.example.":
				return reply(q, dns.RcodeNameError), nil
			case "now.example.":
				return reply(q, dns.RcodeSuccess, "now.example. 0 IN A 192.0.2.9"), nil
			}
			return reply(q, dns.RcodeSuccess, "www.example. 100 IN CNAME a.example.", "a.example. 40 IN A 192.0.2.7"), nil
		}}
		f := w.forwarder()
		for _, c := range []struct {
			wait     time.Duration
			question string
			want     string
			asked    int // servers, since the beginning
		}{
			{0, "wWw.Example.", "NOERROR | wWw.Example. 100 IN CNAME a.Example. | a.Example. 40 IN A 192.0.2.7", 1},
			{30 * time.Second, "www.example.", "NOERROR | www.example. 70 IN CNAME a.example. | a.example. 10 IN A 192.0.2.7", 1},
			{10 * time.Second, "www.example.", "NOERROR | www.example. 100 IN CNAME a.example. | a.example. 40 IN A 192.0.2.7", 2},
			{0, "none.example.", "NXDOMAIN | example. 500 IN SOA ns. m. 1 2 3 4 60", 3},
			{59 * time.Second, "none.example.", "NXDOMAIN | example. 441 IN SOA ns. m. 1 2 3 4 60", 3},
			{time.Second, "none.example.", "NXDOMAIN | example. 500 IN SOA ns. m. 1 2 3 4 60", 4},
			{0, "empty.example.", "NOERROR | example. 20 IN SOA ns. m. 1 2 3 4 60", 5},
			{20 * time.Second, "empty.example.", "NOERROR | example. 20 IN SOA ns. m. 1 2 3 4 60", 6},
			{0, "bare.example.", "NXDOMAIN", 7},
			{0, "bare.example.", "NXDOMAIN", 8},
			{0, "now.example.", "NOERROR | now.example. 0 IN A 192.0.2.9", 9},
			{0, "now.example.", "NOERROR | now.example. 0 IN A 192.0.2.9", 10},
		} {
			time.Sleep(c.wait) // of the bubble
			expect(t, f, c.question, c.want)
			if w.count() != c.asked {
				t.Fatalf("%s: servers were asked %d times, want %d: %v", c.question, w.count(), c.asked, w.asked)
			}
		}
	})
}

func TestManyAskOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		w := &world{answer: func(_ netip.AddrPort, _ string, q *dns.Msg) (*dns.Msg, error) {
			<-release
			return reply(q, dns.RcodeSuccess, "a.example. 0 IN A 192.0.2.7"), nil
		}}
		f := w.forwarder()
		var got atomic.Int32
		for range 50 {
			go func() {
				if e, err := f.Ask(t.Context(), aOf(t, "a.example.")); err == nil && e != nil {
					got.Add(1)
				}
			}()
		}
		synctest.Wait()
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := f.Ask(gone, aOf(t, "a.example.")); !errors.Is(err, context.Canceled) {
			t.Errorf("one who does not wait: %v", err)
		}
		close(release)
		synctest.Wait()
		if got.Load() != 50 || w.count() != 1 {
			t.Errorf("%d answers, %d questions", got.Load(), w.count())
		}
	})
}

// The first server is silent: the second answers, and is asked first from then on. Then both are: what was known lasts a day.
func TestServersFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		w := &world{answer: func(server netip.AddrPort, _ string, q *dns.Msg) (*dns.Msg, error) {
			if server == one || down.Load() {
				return nil, nil
			}
			return reply(q, dns.RcodeSuccess, q.Question[0].Name+" 10 IN A 192.0.2.7"), nil
		}}
		f := w.forwarder()
		began := time.Now()
		expect(t, f, "a.example.", "NOERROR | a.example. 10 IN A 192.0.2.7")
		if took := time.Since(began); took != oneServer {
			t.Errorf("took %v", took)
		}
		expect(t, f, "b.example.", "NOERROR | b.example. 10 IN A 192.0.2.7")
		if len(w.asked) != 3 || !strings.HasPrefix(w.asked[2], two.Addr().String()) {
			t.Errorf("asked %v", w.asked)
		}
		down.Store(true)
		time.Sleep(time.Minute)
		began = time.Now()
		expect(t, f, "a.example.", "NOERROR | a.example. 30 IN A 192.0.2.7")
		if took := time.Since(began); took < 4*time.Second || took > patience {
			t.Errorf("took %v", took)
		}
		asked := w.count()
		expect(t, f, "a.example.", "NOERROR | a.example. 30 IN A 192.0.2.7") // at once
		expect(t, f, "never.example.", "SERVFAIL")
		if got := w.count(); got <= asked {
			t.Error("nobody was asked")
		}
		asked = w.count()
		expect(t, f, "never.example.", "SERVFAIL") // at once, for a second
		if got := w.count(); got != asked {
			t.Error("a failure was not remembered")
		}
		time.Sleep(25 * time.Hour)
		expect(t, f, "a.example.", "SERVFAIL")
	})
}

func TestServersAreDifficult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{answer: func(server netip.AddrPort, network string, q *dns.Msg) (*dns.Msg, error) {
			m := reply(q, dns.RcodeSuccess, q.Question[0].Name+" 10 IN A 192.0.2.7")
			switch question := q.Question[0].Name; {
			case question == "cut.example." && network == "udp":
				m = reply(q, dns.RcodeSuccess)
				m.Truncated = true
			case question == "old.example." && q.IsEdns0() != nil:
				return reply(q, dns.RcodeFormatError), nil
			case question == "refused.example." && server == one:
				return reply(q, dns.RcodeRefused), nil
			case question == "spoofed.example." && server == one:
				m.Id++
			case question == "other.example." && server == one:
				m.Question[0].Name = "evil.example."
			case question == "fails.example.":
				return reply(q, dns.RcodeServerFailure), nil
			}
			return m, nil
		}}
		for question, want := range map[string][]string{
			"cut.example.":     {"192.0.2.1 udp cut.example. true", "192.0.2.1 tcp cut.example. true"},
			"old.example.":     {"192.0.2.1 udp old.example. true", "192.0.2.1 udp old.example. false"},
			"refused.example.": {"192.0.2.1 udp refused.example. true", "192.0.2.2 udp refused.example. true"},
			"spoofed.example.": {"192.0.2.1 udp spoofed.example. true", "192.0.2.2 udp spoofed.example. true"},
			"other.example.":   {"192.0.2.1 udp other.example. true", "192.0.2.2 udp other.example. true"},
		} {
			w.asked = nil
			expect(t, w.forwarder(), question, "NOERROR | "+question+" 10 IN A 192.0.2.7")
			if fmt.Sprint(w.asked) != fmt.Sprint(want) {
				t.Errorf("%s: asked %q, want %q", question, w.asked, want)
			}
		}
		w.asked = nil
		expect(t, w.forwarder(), "fails.example.", "SERVFAIL")
		if n := len(w.asked); n < 4 || n > 8 {
			t.Errorf("a name that fails at once was asked %d times", n)
		}
	})
}

func TestNoServers(t *testing.T) {
	f := New(Config{Servers: func() []netip.AddrPort { return nil }})
	expect(t, f, "a.example.", "SERVFAIL")
}

func TestCacheIsBounded(t *testing.T) {
	raw := message.AppendQuestion(nil, 0, message.Asked{Name: []byte("\x01a\x00")}, 0)
	s, err := message.Store(raw)
	if err != nil {
		t.Fatal(err)
	}
	e, now := &Entry{answer: s}, time.Now()
	until := now.Add(time.Hour)
	c := newCache(3, 1<<20)
	for _, k := range []string{"a", "b", "c"} {
		c.put(k, e, until)
	}
	c.get([]byte("a"), now)
	c.put("d", e, until)
	for k, want := range map[string]bool{"a": true, "b": false, "c": true, "d": true} {
		if got, _ := c.get([]byte(k), now); (got != nil) != want {
			t.Errorf("%s: %v", k, got)
		}
	}
	c = newCache(1000, 10*cost("a", e))
	for i := range 100 {
		c.put(string(rune('A'+i%50)), e, until)
	}
	if n := c.order.Len(); n > 10 || n < 9 || len(c.byKey) != n || c.size > c.bytes {
		t.Errorf("%d entries, %d bytes of %d", n, c.size, c.bytes)
	}
}

// Long answers are cut where the client's room ends, and whole records are left.
func TestLongAnswerIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{answer: func(_ netip.AddrPort, _ string, q *dns.Msg) (*dns.Msg, error) {
			m := reply(q, dns.RcodeSuccess)
			for i := range 100 {
				rr, err := dns.NewRR(fmt.Sprintf("a.example. 10 IN A 192.0.2.%d", i))
				if err != nil {
					return nil, err
				}
				m.Answer = append(m.Answer, rr)
			}
			return m, nil
		}}
		e, err := w.forwarder().Ask(t.Context(), aOf(t, "a.example."))
		if err != nil {
			t.Fatal(err)
		}
		for size, want := range map[int]int{512: (512 - 12 - 15) / 16, 4096: 100} {
			var q message.Query
			q.Parse(message.AppendQuestion(nil, 1, aOf(t, "a.example."), 0))
			raw := e.Append([]byte("x"), &q, size, time.Now())[1:]
			var m dns.Msg
			if err := m.Unpack(raw); err != nil || len(raw) > size || len(m.Answer) != want || m.Truncated != (want < 100) {
				t.Errorf("%d bytes of %d, %d answers, truncated %v: %v", len(raw), size, len(m.Answer), m.Truncated, err)
			}
		}
		if bytes.Contains(e.Answer().Raw(), []byte("\x00\x00\x29")) {
			t.Error("the server's EDNS is kept")
		}
	})
}
