package dns

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/berth-ecs/berth/node/dns/forward"
	"github.com/berth-ecs/berth/node/dns/message"
	"github.com/berth-ecs/berth/node/dns/view"
)

// maxOutside is the longest datagram that is sent out of the machine: one packet on every way.
const maxOutside = 1232

// maxTCP is the longest message that a stream carries.
const maxTCP = 1<<16 - 1

// responder answers one message at a time.
type responder struct {
	q message.Query
	a view.Answer
}

func newResponder() *responder {
	r := &responder{}
	r.a.Draw = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())).IntN //nolint:gosec // which value comes first, no secret
	return r
}

// responders for questions that wait.
var responders = sync.Pool{New: func() any { return newResponder() }}

// outcome is what became of a message.
type outcome int

const (
	answered outcome = iota
	dropped
	waits // it must be asked elsewhere
)

// now answers a message behind out from what is known. limit is the longest answer, 0 for what the client takes.
func (r *responder) now(res *resolver, p, out []byte, limit int) ([]byte, outcome) {
	switch r.q.Parse(p) {
	case message.Drop:
		return out, dropped
	case message.Malformed:
		reply := message.Reply{Rcode: message.FormatError}
		return reply.Append(out, &r.q, message.MinSize), answered
	case message.Answer: // below
	}
	if limit == 0 {
		limit = r.q.Size
		if res.vpc == view.Everything { // who asks may not be who says so
			limit = min(limit, maxOutside)
		}
	}
	res.s.view.Load().Answer(res.vpc, &r.q, &r.a)
	switch {
	case r.a.Silent:
		return out, dropped
	case r.a.Forward == nil:
		return r.a.Append(out, &r.q, limit), answered
	case res.vpc == view.Everything:
		return r.alone(out, limit), answered
	}
	if e := res.s.forward.Known(r.asked()); e != nil {
		return r.with(e, out, limit)
	}
	return out, waits
}

// alone answers without asking others: where a zone leads out of all zones as far as that, and with a refusal where none has the name.
func (r *responder) alone(out []byte, limit int) []byte {
	if len(r.a.Answers) > 0 {
		return r.a.Append(out, &r.q, limit)
	}
	reply := message.Reply{Rcode: message.Refused}
	return reply.Append(out, &r.q, limit)
}

func (r *responder) asked() message.Asked {
	return message.Asked{Name: r.a.Forward, Type: r.q.Type, DO: r.q.DO, CD: r.q.CD}
}

// later answers a message that must be asked elsewhere.
func (r *responder) later(ctx context.Context, res *resolver, p []byte, limit int) ([]byte, outcome) {
	out, o := r.now(res, p, nil, limit)
	if o != waits {
		return out, o
	}
	if limit == 0 {
		limit = r.q.Size
	}
	e, err := res.s.forward.Ask(ctx, r.asked())
	if err != nil {
		return nil, dropped // nobody waits any more
	}
	return r.with(e, nil, limit)
}

// with makes the answer of what is known here and what others said.
func (r *responder) with(e *forward.Entry, out []byte, limit int) ([]byte, outcome) {
	now := time.Now()
	if len(r.a.Answers) == 0 {
		return e.Append(out, &r.q, limit, now), answered
	}
	var q message.Query
	var m, more dns.Msg
	raw := message.AppendQuestion(nil, r.q.ID, r.asked(), 0)
	if q.Parse(raw) != message.Answer || more.Unpack(e.Append(nil, &q, maxTCP, now)) != nil || m.Unpack(r.a.Append(nil, &r.q, maxTCP)) != nil {
		return out, dropped
	}
	m.Answer, m.Ns, m.Rcode = append(m.Answer, more.Answer...), more.Ns, more.Rcode
	m.Truncate(limit)
	b, err := m.Pack()
	if err != nil {
		return out, dropped
	}
	return append(out, b...), answered
}

// loops says whether we asked ourselves, and then writes behind out that we do not answer that.
func (r *responder) loops(res *resolver, from netip.AddrPort, out []byte) ([]byte, bool) {
	if !res.s.forward.Own(from) {
		return out, false
	}
	reply := message.Reply{Rcode: message.Refused}
	return reply.Append(out, &r.q, message.MinSize), true
}
