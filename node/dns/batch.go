package dns

import (
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	batchSize = 32
	maxQuery  = 1232 // bytes; a question with all its options is a tenth of that
)

// message header of recvmmsg and sendmmsg.
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
	_   [4]byte
}

// batch is the memory for many datagrams that are read by one call of the system, and their answers, which are written by one.
type batch struct {
	raw syscall.RawConn

	in    [batchSize][maxQuery]byte
	names [batchSize]unix.RawSockaddrInet6 // IPv4's are shorter
	iov   [batchSize]unix.Iovec
	msgs  [batchSize]mmsghdr

	out     []byte
	ends    [batchSize]int // of answers, in out
	to      [batchSize]int // which datagram each answers
	n       int
	outIov  [batchSize]unix.Iovec
	outMsgs [batchSize]mmsghdr

	got, sent int
	errno     syscall.Errno
	recv      func(fd uintptr) bool
	send      func(fd uintptr) bool
}

func newBatch(c *net.UDPConn) (*batch, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	b := &batch{raw: raw}
	b.recv = func(fd uintptr) bool {
		b.got, b.errno = mmsg(unix.SYS_RECVMMSG, fd, b.msgs[:])
		return b.errno != unix.EAGAIN
	}
	b.send = func(fd uintptr) bool {
		var n int
		n, b.errno = mmsg(unix.SYS_SENDMMSG, fd, b.outMsgs[b.sent:b.n])
		b.sent += n
		return b.errno != unix.EAGAIN
	}
	return b, nil
}

func mmsg(call, fd uintptr, msgs []mmsghdr) (int, syscall.Errno) {
	for {
		n, _, errno := unix.Syscall6(call, fd, uintptr(unsafe.Pointer(&msgs[0])), uintptr(len(msgs)), unix.MSG_DONTWAIT, 0, 0) //nolint:gosec // the system call takes the messages where they are
		switch errno {
		case 0:
			return int(n), 0
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

// read waits for datagrams and reads those there are.
func (b *batch) read() (int, error) {
	for {
		for i := range b.msgs {
			b.iov[i].Base = &b.in[i][0]
			b.iov[i].SetLen(maxQuery)
			h := &b.msgs[i].hdr
			h.Name, h.Namelen, h.Iov, h.Flags = (*byte)(unsafe.Pointer(&b.names[i])), unix.SizeofSockaddrInet6, &b.iov[i], 0 //nolint:gosec // as the kernel wants it
			h.SetIovlen(1)
		}
		if err := b.raw.Read(b.recv); err != nil {
			return 0, err
		}
		switch b.errno {
		case 0:
			return b.got, nil
		case unix.ECONNREFUSED, unix.EHOSTUNREACH, unix.ENETUNREACH: // what became of an answer; nothing to do with this read
		default:
			return 0, b.errno
		}
	}
}

// packet is a datagram; one that was longer than there is room for is empty.
func (b *batch) packet(i int) []byte {
	if b.msgs[i].hdr.Flags&unix.MSG_TRUNC != 0 {
		return nil
	}
	return b.in[i][:b.msgs[i].n]
}

// from is where a datagram is from.
func (b *batch) from(i int) netip.AddrPort {
	six := &b.names[i]
	port := binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&six.Port))[:]) //nolint:gosec // in network order
	if six.Family == unix.AF_INET {
		four := (*unix.RawSockaddrInet4)(unsafe.Pointer(six)) //nolint:gosec // the family says so
		return netip.AddrPortFrom(netip.AddrFrom4(four.Addr), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom16(six.Addr), port)
}

// begin forgets the answers.
func (b *batch) begin() { b.out, b.n = b.out[:0], 0 }

// answer notes that out, which is b.out and more, ends with the answer to a datagram.
func (b *batch) answer(i int, out []byte) {
	b.out, b.ends[b.n], b.to[b.n] = out, len(out), i
	b.n++
}

// write sends the answers. One that the system refuses to send is left out, and told of.
func (b *batch) write() (refused error) {
	begin := 0
	for i := range b.n {
		b.outIov[i].Base = &b.out[begin]
		b.outIov[i].SetLen(b.ends[i] - begin)
		begin = b.ends[i]
		from := &b.msgs[b.to[i]].hdr
		h := &b.outMsgs[i].hdr
		h.Name, h.Namelen, h.Iov = from.Name, from.Namelen, &b.outIov[i]
		h.SetIovlen(1)
	}
	for b.sent = 0; b.sent < b.n; {
		if err := b.raw.Write(b.send); err != nil {
			return net.ErrClosed
		}
		if b.errno != 0 {
			refused = b.errno
			b.sent++
		}
	}
	return refused
}
