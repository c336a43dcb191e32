package message

import "encoding/binary"

// Numbers of DNS that are used here.
const (
	TypeA, TypeNS, TypeCNAME, TypeSOA, TypePTR, TypeAAAA, TypeSRV, TypeOPT uint16 = 1, 2, 5, 6, 12, 28, 33, 41

	TypeIXFR, TypeAXFR, TypeANY uint16 = 251, 252, 255

	ClassIN uint16 = 1

	Success, FormatError, ServerFailure, NameError, NotImplemented, Refused, BadVersion = 0, 1, 2, 3, 4, 5, 16
)

// Sizes of messages in bytes.
const (
	HeaderLen = 12
	MinSize   = 512  // what every client takes
	MaxSize   = 4096 // the longest datagram that is sent, and what is said to be taken
	maxName   = 255
)

// Bits of the header's second word.
const (
	bitQR, bitTC, bitRD, bitRA, bitCD uint16 = 1 << 15, 1 << 9, 1 << 8, 1 << 7, 1 << 4

	opcodeShift = 11
)

// Query is a question that was read. It refers to the packet's memory.
type Query struct {
	ID          uint16
	Opcode      int
	RD, CD      bool
	Type, Class uint16
	EDNS, DO    bool
	Version     uint8  // of EDNS
	Size        int    // of the longest datagram the client takes
	Question    []byte // as it came: name, type, class

	lower [maxName]byte
	n     int
}

// Name is the name that is asked for, in lower case, as labels with their lengths before them and an empty one at the end.
func (q *Query) Name() []byte { return q.lower[:q.n] }

// Verdict says what may be done with a packet.
type Verdict int

// Verdicts.
const (
	Answer Verdict = iota // the query is whole
	Drop                  // it is no question: no answer, lest two servers talk to each other for ever
	Malformed
)

// Parse reads a packet. After Malformed only ID and Opcode are set.
func (q *Query) Parse(p []byte) Verdict {
	if len(p) < HeaderLen {
		return Drop
	}
	flags := binary.BigEndian.Uint16(p[2:])
	if flags&bitQR != 0 {
		return Drop
	}
	q.ID, q.Opcode = binary.BigEndian.Uint16(p), int(flags>>opcodeShift&15)
	q.RD, q.CD = flags&bitRD != 0, flags&bitCD != 0
	q.EDNS, q.DO, q.Version, q.Size, q.Question, q.n = false, false, 0, MinSize, nil, 0
	if q.Opcode != 0 {
		return Answer // "not implemented", whatever follows
	}
	if binary.BigEndian.Uint16(p[4:]) != 1 || binary.BigEndian.Uint16(p[6:]) != 0 {
		return Malformed
	}
	end, ok := q.name(p[HeaderLen:])
	if !ok || len(p) < HeaderLen+end+4 {
		return Malformed
	}
	rest := p[HeaderLen+end:]
	q.Type, q.Class, q.Question = binary.BigEndian.Uint16(rest), binary.BigEndian.Uint16(rest[2:]), p[HeaderLen:HeaderLen+end+4]
	records := int(binary.BigEndian.Uint16(p[8:])) + int(binary.BigEndian.Uint16(p[10:]))
	if !q.beside(p, HeaderLen+end+4, records) {
		q.Question = nil
		return Malformed
	}
	return Answer
}

// name reads the question's name and answers how long it is there.
func (q *Query) name(p []byte) (int, bool) {
	for i := 0; ; {
		if i >= len(p) {
			return 0, false
		}
		l := int(p[i])
		if l > 63 || i+l+1 >= maxName && l > 0 || i+l >= len(p) { // no pointers: there is nothing before to point at
			return 0, false
		}
		q.lower[i] = p[i]
		for j := i + 1; j <= i+l; j++ {
			q.lower[j] = lower(p[j])
		}
		i += l + 1
		if l == 0 {
			q.n = i
			return i, true
		}
	}
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// beside passes over the records after the question, of which only OPT says something.
func (q *Query) beside(p []byte, at, records int) bool {
	for ; records > 0; records-- {
		start := at
		if at = skipName(p, at); at < 0 || at+10 > len(p) {
			return false
		}
		kind, class, ttl := binary.BigEndian.Uint16(p[at:]), binary.BigEndian.Uint16(p[at+2:]), binary.BigEndian.Uint32(p[at+4:])
		at += 10 + int(binary.BigEndian.Uint16(p[at+8:]))
		if at > len(p) {
			return false
		}
		if kind != TypeOPT {
			continue
		}
		if q.EDNS || p[start] != 0 {
			return false
		}
		q.EDNS, q.DO, q.Version = true, ttl&(1<<15) != 0, uint8(ttl>>16)
		q.Size = min(max(int(class), MinSize), MaxSize)
	}
	return true
}

// skipName is where the name at a place ends; -1 when it does not.
func skipName(p []byte, at int) int {
	for at < len(p) {
		switch l := int(p[at]); {
		case l == 0:
			return at + 1
		case l >= 0xc0:
			if at+2 > len(p) {
				return -1
			}
			return at + 2
		case l > 63:
			return -1
		default:
			at += l + 1
		}
	}
	return -1
}
