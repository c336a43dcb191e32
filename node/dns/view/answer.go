package view

import (
	"bytes"

	"github.com/berth-ecs/berth/node/dns/message"
)

// Answer is the answer to a question. It is used again and again by one reader: what it holds is good until the next question.
type Answer struct {
	message.Reply
	Silent  bool   // the resolver does not answer at all
	Forward []byte // the name, as labels, that is to be asked elsewhere; nil when the answer is whole

	Draw func(n int) int // a number from 0 to n-1, evenly

	room [512]byte
	used int
}

const (
	maxValues = 8 // of one set in an answer
	maxChain  = 8 // CNAMEs in a row
)

func (a *Answer) reset() {
	a.Reply = message.Reply{Ready: message.Ready{Runs: a.Ready.Runs[:0]}, Answers: a.Answers[:0], Authority: a.Authority[:0], Additional: a.Additional[:0]}
	a.Silent, a.Forward, a.used = false, nil, 0
}

// space answers n bytes that are good until the next question.
func (a *Answer) space(n int) []byte {
	if a.used+n > len(a.room) {
		return make([]byte, n)
	}
	a.used += n
	return a.room[a.used-n : a.used : a.used]
}

// Answer answers a question that came to the resolver of a VPC, or of the machine.
// id is the VPC's, Machine or Everything.
func (v *View) Answer(id string, q *message.Query, a *Answer) {
	a.reset()
	if v == nil {
		v = &View{}
	}
	p := v.vpcs[id]
	switch {
	case id == Machine:
		p = v.ofMachine()
	case id == Everything:
		p = &vpc{zones: v.all}
	case p == nil || p.names == nil || !p.names.support:
		a.Silent = true
		return
	}
	if a.Rcode = refuse(q); a.Rcode != message.Success {
		return
	}
	name, owner := q.Name(), []byte(nil)
	for range maxChain {
		l := v.look(p, name, q.Type, a)
		a.take(owner, l, &a.Answers)
		switch {
		case l.elsewhere:
			a.Forward = name
			return
		case l.next == nil:
			a.finish(v, p, l)
			return
		}
		name, owner = l.next, l.data
	}
	a.reset()
	a.Rcode = message.ServerFailure
}

// refuse is the code of questions that are answered with a code alone.
func refuse(q *message.Query) int {
	switch {
	case q.Opcode != 0:
		return message.NotImplemented
	case q.EDNS && q.Version > 0:
		return message.BadVersion
	case q.Class != message.ClassIN, q.Type == message.TypeAXFR, q.Type == message.TypeIXFR, q.Type == message.TypeOPT:
		return message.Refused
	}
	return message.Success
}

// finish says why there is no answer, or adds the addresses of what an answer names.
func (a *Answer) finish(v *View, p *vpc, l look) {
	a.Rcode = l.rcode
	if l.set == nil && l.data == nil && l.all == nil {
		a.Authority = append(a.Authority, message.Record{Owner: l.zone, Type: message.TypeSOA, TTL: l.negative, Data: l.soa})
		return
	}
	if l.set == nil || l.set.kind != message.TypeSRV {
		return
	}
	answered := len(a.Answers)
	for i, rec := range a.Answers[:answered] {
		if rec.Type != message.TypeSRV || earlier(a.Answers[:i], rec.Data[6:]) {
			continue
		}
		name := a.lowered(rec.Data[6:])
		for _, kind := range []uint16{message.TypeA, message.TypeAAAA} {
			if l := v.look(p, name, kind, a); !l.elsewhere && l.next == nil {
				a.take(rec.Data[6:], l, &a.Additional)
			}
		}
	}
}

func earlier(records []message.Record, target []byte) bool {
	for _, r := range records {
		if r.Type == message.TypeSRV && bytes.Equal(r.Data[6:], target) {
			return true
		}
	}
	return false
}

func (a *Answer) lowered(name []byte) []byte {
	out := a.space(len(name))
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		out[i] = c
	}
	return out
}

// take adds what was found to a section.
func (a *Answer) take(owner []byte, l look, to *[]message.Record) {
	switch s := l.set; {
	case l.data != nil: // one record
		*to = append(*to, message.Record{Owner: owner, Type: l.kind, TTL: l.ttl, Data: l.data})
	case s == nil:
		for _, data := range l.all {
			*to = append(*to, message.Record{Owner: owner, Type: l.kind, TTL: l.ttl, Data: data})
		}
	case s.weighted > 0:
		v := s.draw(a.Draw)
		*to = append(*to, message.Record{Owner: owner, Type: s.kind, TTL: v.ttl, Data: v.data})
	default:
		a.several(owner, s, to)
	}
}

// draw chooses a value, each as likely.
func (s *set) draw(draw func(int) int) *value {
	p := s.answered()
	at := 0
	if p.n > 1 {
		at = draw(p.n)
	}
	c := p.from(at)
	return c.next()
}

// several adds up to eight values, beginning anywhere. What two instances have in common is one record.
func (a *Answer) several(owner []byte, s *set, to *[]message.Record) {
	p := s.answered()
	at := 0
	if p.n > 1 {
		at = a.Draw(p.n)
	}
	c := p.from(at)
	if p.each > 0 && owner == nil && to == &a.Answers {
		a.Ready.Each = p.each
		for left := min(p.n, maxValues); left > 0; {
			run := c.run(left)
			a.Ready.Runs = append(a.Ready.Runs, run)
			left -= len(run) / p.each
		}
		return
	}
	var first, last []byte
	for left, room := p.n, maxValues; left > 0 && room > 0; left-- {
		v := c.next()
		if bytes.Equal(v.data, last) || bytes.Equal(v.data, first) {
			continue
		}
		if last = v.data; first == nil {
			first = v.data
		}
		*to = append(*to, message.Record{Owner: owner, Type: s.kind, TTL: v.ttl, Data: v.data})
		room--
	}
}
