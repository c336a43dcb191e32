package message

import (
	"bytes"
	"encoding/binary"
)

// Record is a record of an answer.
type Record struct {
	Owner []byte // as labels; nil for the question's own name
	Type  uint16
	TTL   uint32
	Data  []byte // names in it are not compressed
}

// Reply is what a question is answered.
type Reply struct {
	Rcode      int
	Ready      Ready // before Answers
	Answers    []Record
	Authority  []Record
	Additional []Record // left out where it does not fit
}

// Ready are records of the question's own name as AppendRecord wrote them, all of one length: runs of them, one after the other.
type Ready struct {
	Each int // bytes of one
	Runs [][]byte
}

// AppendRecord writes a record of the question's own name behind b, as it is in an answer.
func AppendRecord(b []byte, r Record) []byte {
	b = append(b, 0xc0, HeaderLen, byte(r.Type>>8), byte(r.Type), 0, byte(ClassIN), byte(r.TTL>>24), byte(r.TTL>>16), byte(r.TTL>>8), byte(r.TTL),
		byte(len(r.Data)>>8), byte(len(r.Data)))
	return append(b, r.Data...)
}

// Append writes the answer behind b, at most limit bytes, and returns both.
func (r *Reply) Append(b []byte, q *Query, limit int) []byte {
	w := writer{b: b, start: len(b), limit: limit}
	if q.EDNS {
		w.limit -= optLen
	}
	w.header(q, r.Rcode)
	if !w.ready(&r.Ready) || !w.section(r.Answers, 6) {
		w.b[w.start+2] |= byte(bitTC >> 8)
	} else {
		w.section(r.Authority, 8)
		w.section(r.Additional, 10)
	}
	w.opt(q, r.Rcode)
	return w.b
}

const optLen = 11

// targets is how many names an answer may refer to by their place.
const targets = 8

type writer struct {
	b      []byte
	start  int // of the message
	limit  int
	places [targets]place // where names are that later records may have
	n      int
}

type place struct {
	name []byte
	at   int
}

func (w *writer) header(q *Query, rcode int) {
	flags := bitQR | bitRA | uint16(q.Opcode)<<opcodeShift | uint16(rcode&15)
	if q.RD {
		flags |= bitRD
	}
	if q.CD {
		flags |= bitCD
	}
	questions := byte(0)
	if q.Question != nil {
		questions = 1
	}
	w.b = append(w.b, byte(q.ID>>8), byte(q.ID), byte(flags>>8), byte(flags), 0, questions, 0, 0, 0, 0, 0, 0)
	w.b = append(w.b, q.Question...)
}

// ready writes runs of records, of the last as many as fit.
func (w *writer) ready(r *Ready) (whole bool) {
	for _, run := range r.Runs {
		fit := min(len(run), max(0, w.limit-(len(w.b)-w.start))/r.Each*r.Each)
		w.b = append(w.b, run[:fit]...)
		c := w.b[w.start+6:]
		binary.BigEndian.PutUint16(c, binary.BigEndian.Uint16(c)+uint16(fit/r.Each))
		if fit < len(run) {
			return false
		}
	}
	return true
}

// section writes records as long as they fit and counts them in the header.
func (w *writer) section(records []Record, counter int) (whole bool) {
	for _, r := range records {
		if !w.record(r) {
			return false
		}
		w.count(counter)
	}
	return true
}

// record writes a record, or nothing when it does not fit.
func (w *writer) record(r Record) bool {
	before := len(w.b)
	w.owner(r.Owner)
	w.b = append(w.b, byte(r.Type>>8), byte(r.Type), 0, byte(ClassIN), byte(r.TTL>>24), byte(r.TTL>>16), byte(r.TTL>>8), byte(r.TTL),
		byte(len(r.Data)>>8), byte(len(r.Data)))
	at := len(w.b) - w.start
	w.b = append(w.b, r.Data...)
	if len(w.b)-w.start > w.limit {
		w.b = w.b[:before]
		return false
	}
	if r.Type == TypeCNAME && w.n < targets && at < 0x4000 {
		w.places[w.n] = place{r.Data, at}
		w.n++
	}
	return true
}

func (w *writer) owner(name []byte) {
	if name == nil {
		w.b = append(w.b, 0xc0, HeaderLen)
		return
	}
	for _, p := range w.places[:w.n] {
		if bytes.Equal(p.name, name) {
			w.b = append(w.b, 0xc0|byte(p.at>>8), byte(p.at))
			return
		}
	}
	w.b = append(w.b, name...)
}

// count adds a record to one of the header's counters.
func (w *writer) count(at int) {
	c := w.b[w.start+at:]
	binary.BigEndian.PutUint16(c, binary.BigEndian.Uint16(c)+1)
}

func (w *writer) opt(q *Query, rcode int) {
	if !q.EDNS {
		return
	}
	do := byte(0)
	if q.DO {
		do = 0x80
	}
	w.b = append(w.b, 0, 0, byte(TypeOPT), MaxSize>>8, MaxSize&0xff, byte(rcode>>4), 0, do, 0, 0, 0)
	w.count(10)
}
