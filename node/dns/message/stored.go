package message

import (
	"encoding/binary"
	"errors"
)

// Stored is an answer of another server, without what is between us and it (EDNS), to be given to clients. It never changes.
type Stored struct {
	raw     []byte
	records []stored
	answers int
}

type stored struct{ ttl, end int } // places

var errBroken = errors.New("message: broken answer")

// Store keeps an answer that has no OPT record.
func Store(raw []byte) (*Stored, error) {
	if len(raw) < HeaderLen || binary.BigEndian.Uint16(raw[4:]) != 1 {
		return nil, errBroken
	}
	s := &Stored{raw: raw, answers: int(binary.BigEndian.Uint16(raw[6:]))}
	at := skipName(raw, HeaderLen) + 4
	if at < HeaderLen+4 {
		return nil, errBroken
	}
	n := s.answers + int(binary.BigEndian.Uint16(raw[8:])) + int(binary.BigEndian.Uint16(raw[10:]))
	for range n {
		if at = skipName(raw, at); at < 0 || at+10 > len(raw) {
			return nil, errBroken
		}
		ttl := at + 4
		at += 10 + int(binary.BigEndian.Uint16(raw[at+8:]))
		s.records = append(s.records, stored{ttl, at})
	}
	if at != len(raw) {
		return nil, errBroken
	}
	return s, nil
}

// Len is the length in bytes.
func (s *Stored) Len() int { return len(s.raw) }

// Rcode is the answer's code.
func (s *Stored) Rcode() int { return int(s.raw[3] & 15) }

// Raw are the bytes; they must not be changed.
func (s *Stored) Raw() []byte { return s.raw }

// Append writes the answer to a question with the same name behind b, at most limit bytes, and returns both. Each of its times is what
// ttl makes of it.
func (s *Stored) Append(b []byte, q *Query, limit int, ttl func(uint32) uint32) []byte {
	w := writer{b: b, start: len(b), limit: limit}
	if q.EDNS {
		w.limit -= optLen
	}
	end, fit := HeaderLen+len(q.Question), 0
	for ; fit < len(s.records) && s.records[fit].end <= w.limit; fit++ {
		end = s.records[fit].end
	}
	w.header(q, s.Rcode())
	w.b = append(w.b, s.raw[HeaderLen+len(q.Question):end]...)
	if fit < s.answers {
		w.b[w.start+2] |= byte(bitTC >> 8)
	}
	left := fit
	for _, counter := range []int{6, 8, 10} {
		n := min(left, int(binary.BigEndian.Uint16(s.raw[counter:])))
		binary.BigEndian.PutUint16(w.b[w.start+counter:], uint16(n))
		left -= n
	}
	for _, r := range s.records[:fit] {
		t := w.b[w.start+r.ttl:]
		binary.BigEndian.PutUint32(t, ttl(binary.BigEndian.Uint32(t)))
	}
	w.opt(q, s.Rcode())
	return w.b
}

// AppendQuestion writes a question of ours behind b, for a server that may answer up to size bytes; size 0 for no EDNS.
func AppendQuestion(b []byte, id uint16, q Asked, size uint16) []byte {
	flags, beside := bitRD, byte(0)
	if q.CD {
		flags |= bitCD
	}
	if size > 0 {
		beside = 1
	}
	b = append(b, byte(id>>8), byte(id), byte(flags>>8), byte(flags), 0, 1, 0, 0, 0, 0, 0, beside)
	b = append(append(b, q.Name...), byte(q.Type>>8), byte(q.Type), 0, byte(ClassIN))
	if size > 0 {
		do := byte(0)
		if q.DO {
			do = 0x80
		}
		b = append(b, 0, 0, byte(TypeOPT), byte(size>>8), byte(size), 0, 0, do, 0, 0, 0)
	}
	return b
}

// Asked is what is asked of another server.
type Asked struct {
	Name   []byte // as labels, in lower case
	Type   uint16
	DO, CD bool
}
