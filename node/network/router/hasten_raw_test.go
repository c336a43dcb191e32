package router

import (
	"bytes"
	"encoding/binary"
	"net"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
)

// wire is a packet socket on a task's interface.
type wire struct {
	t  *testing.T
	fd int
	to unix.SockaddrLinklayer
}

func tap(t *testing.T, e Endpoint) *wire {
	t.Helper()
	w := &wire{t: t}
	const all = unix.ETH_P_ALL<<8 | unix.ETH_P_ALL>>8
	spacetest.In(t, e.Netns, func() error {
		l, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		w.to = unix.SockaddrLinklayer{Ifindex: l.Attrs().Index, Protocol: all}
		if w.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, all); err != nil {
			return err
		}
		return unix.Bind(w.fd, &w.to)
	})
	t.Cleanup(func() { _ = unix.Close(w.fd) })
	return w
}

func (w *wire) put(frame []byte) {
	w.t.Helper()
	if err := unix.Sendto(w.fd, frame, 0, &w.to); err != nil {
		w.t.Fatal(err)
	}
}

// hears says whether a segment with a word in it comes.
func (w *wire) hears(word string, d time.Duration) bool {
	w.t.Helper()
	limit := unix.NsecToTimeval(int64(moment))
	if err := unix.SetsockoptTimeval(w.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit); err != nil {
		w.t.Fatal(err)
	}
	b := make([]byte, 1<<16)
	for end := time.Now().Add(d); time.Now().Before(end); {
		if n, _, err := unix.Recvfrom(w.fd, b, 0); err == nil && bytes.Contains(b[:n], []byte(word)) {
			return true
		}
	}
	return false
}

// segment is a frame of a conversation's client that its server takes for one that came before; tag is what is between addresses and type.
func (v *conversation) segment(e Endpoint, word string, tag ...byte) []byte {
	v.t.Helper()
	mac, err := net.ParseMAC(e.MAC)
	if err != nil {
		v.t.Fatal(err)
	}
	from, to := v.c.LocalAddr().(*net.TCPAddr), v.c.RemoteAddr().(*net.TCPAddr)
	ip := append([]byte{0x45, 0, 0, byte(40 + len(word)), 0, 0, 0x40, 0, 64, unix.IPPROTO_TCP, 0, 0}, from.IP.To4()...)
	ip = append(ip, to.IP.To4()...)
	binary.BigEndian.PutUint16(ip[10:], ^sum(0, ip))
	tcp := binary.BigEndian.AppendUint16(nil, uint16(from.Port))
	tcp = binary.BigEndian.AppendUint16(tcp, uint16(to.Port))
	tcp = append(tcp, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 16, 0, 0, 0, 0, 0)
	tcp = append(tcp, word...)
	pseudo := append(append([]byte{}, ip[12:20]...), 0, unix.IPPROTO_TCP, 0, byte(len(tcp)))
	binary.BigEndian.PutUint16(tcp[16:], ^sum(sum(0, pseudo), tcp))
	frame := append(append([]byte{}, routerMAC...), mac...)
	frame = append(append(frame, tag...), 0x08, 0)
	return append(append(frame, ip...), tcp...)
}

// sum is the internet's, of an even number of bytes.
func sum(first uint16, b []byte) uint16 {
	s := uint32(first)
	for i := 0; i+1 < len(b); i += 2 {
		s += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for s>>16 != 0 {
		s = s&0xffff + s>>16
	}
	return uint16(s)
}

// shortened is a connection that takes short cuts, and both its ends.
func shortened(t *testing.T, r *Routers) (n *net4, talk *conversation, client Endpoint, from, to *wire) {
	t.Helper()
	needLanes(t, r)
	n = newNet("vpc-1", "10.0.0.0/16")
	n.iface("eni-client", "vpc-1a")
	n.iface("eni-server", "vpc-1b")
	n.apply(t, r)
	client, server := wait(t, r, "eni-client"), wait(t, r, "eni-server")
	spacetest.Space(server.Netns).Serve(t, "tcp", ":80", server.ID)
	talk = converse(t, client, at(server, 80))
	talk.goes(words(20)...)
	return n, talk, client, tap(t, client), tap(t, server)
}

// What a VLAN's tag was taken off is not what the router lets through, whatever connection it says it is of.
func TestShortCutsTakeNoTaggedFrames(t *testing.T) {
	t.Parallel()
	_, talk, client, from, to := shortened(t, open(t))
	talk.goes("there is a lane")
	from.put(talk.segment(client, "tagged", 0x81, 0, 0, 5))
	if to.hears("tagged", 2*moment) {
		t.Error("a frame with a tag arrived")
	}
	from.put(talk.segment(client, "as it is"))
	if !to.hears("as it is", patience) {
		t.Error("a frame without one did not")
	}
}

// An interface that another process does not want sends nothing once that is reported, however young the lanes of the process before.
func TestShortCutsOfAnEarlierProcessEnd(t *testing.T) {
	t.Parallel()
	r := open(t)
	n, talk, client, from, to := shortened(t, r)
	_ = r.Close()
	r = openWith(t, r.cfg)
	r.digging.Lock() // its link stays for now
	defer r.digging.Unlock()
	delete(n.Interfaces, "eni-client")
	talk.goes("there is a lane")
	from.put(talk.segment(client, "before"))
	if !to.hears("before", patience) {
		t.Error("nothing arrived before")
	}
	n.apply(t, r)
	from.put(talk.segment(client, "after"))
	if to.hears("after", 2*moment) {
		t.Error("an interface that is gone sends")
	}
}

// Where the kernel has no programs everything is as it is without short cuts, and those of another process are taken away.
func TestWithoutShortCuts(t *testing.T) {
	t.Parallel()
	r := open(t)
	n, talk, _, _, _ := shortened(t, r)
	_ = r.Close()
	r = openWith(t, r.cfg)
	r.lanes.Close()
	r.lanes = nil
	n.apply(t, r)
	v := r.vpcs["vpc-1"]
	for _, p := range v.ports {
		q, err := v.nl.QdiscList(p.link)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range q {
			if d.Type() == "clsact" {
				t.Errorf("%s has programs", p.conf.ID)
			}
		}
	}
	talk.goes(words(20)...)
	n.shutACL("vpc-1b", true)
	n.apply(t, r)
	talk.silent("the ACL lets nothing in")
}
