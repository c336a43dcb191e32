package router

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
	"github.com/berth-ecs/berth/node/network/router/rules"
	"github.com/berth-ecs/berth/node/network/router/ruleset"
)

// forged is a UDP packet of a VPC in VXLAN, as the node at from would send it for an interface.
func forged(number uint32, from, to netip.Addr, src, dst netip.AddrPort, text string) []byte {
	b := []byte{8, 0, 0, 0, byte(number >> 16), byte(number >> 8), byte(number), 0}
	b = append(append(append(b, rules.NodeMAC(to)...), rules.NodeMAC(from)...), 8, 0)
	ip := make([]byte, 20)
	ip[0], ip[8], ip[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(ip[2:], uint16(28+len(text)))
	copy(ip[12:], src.Addr().AsSlice())
	copy(ip[16:], dst.Addr().AsSlice())
	sum := uint32(0)
	for i := 0; i < 20; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(ip[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	binary.BigEndian.PutUint16(ip[10:], ^uint16(sum))
	b = append(b, ip...)
	for _, v := range []uint16{src.Port(), dst.Port(), uint16(8 + len(text)), 0} {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return append(b, text...)
}

// mailbox is what arrives at a port.
func mailbox(t *testing.T, e Endpoint, port int) <-chan string {
	t.Helper()
	out := make(chan string, 64)
	spacetest.In(t, e.Netns, func() error {
		c, err := net.ListenPacket("udp4", fmt.Sprintf(":%d", port))
		if err != nil {
			return err
		}
		t.Cleanup(func() { _ = c.Close() })
		go func() {
			b := make([]byte, 256)
			for {
				k, _, err := c.ReadFrom(b)
				if err != nil {
					return
				}
				out <- string(b[:k])
			}
		}()
		return nil
	})
	return out
}

// throw sends a packet from a namespace again and again until it arrives, or the time is over.
func throw(t *testing.T, from string, to netip.AddrPort, packet []byte, box <-chan string, timeout time.Duration) (arrived bool) {
	t.Helper()
	spacetest.In(t, from, func() error {
		c, err := net.Dial("udp", to.String())
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }()
		end, tick := time.After(timeout), time.NewTicker(10*time.Millisecond)
		defer tick.Stop()
		for {
			_, _ = c.Write(packet) // refused where the guard is on the way out
			select {
			case <-box:
				arrived = true
				return nil
			case <-end:
				return nil
			case <-tick.C:
			}
		}
	})
	return arrived
}

// VXLAN does not ask who sends it: the guard does. Everything that it keeps out gets in without it.
func TestForgedPacketsStayOutside(t *testing.T) {
	t.Parallel()
	u := newUnderlay(t, 1500, false)
	a, b, stranger := u.node(t), u.node(t), u.host(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	f := newFleet(n, a, b)
	f.place(a, "eni-task", "vpc-1a")
	f.public("eni-task", pool(a.r, 1))
	f.place(b, "eni-victim", "vpc-1b")
	f.apply(t)
	task, victim := f.wait(t, "eni-task"), f.wait(t, "eni-victim")
	box := mailbox(t, victim, 9000)
	to := netip.AddrPortFrom(b.addr, rules.OverlayPort)
	src, dst := netip.AddrPortFrom(task.Addresses[0], 9000), netip.AddrPortFrom(victim.Addresses[0], 9000)
	packet := forged(n.VPCs["vpc-1"].Net, a.addr, b.addr, src, dst, "forged")
	from := map[string]string{"a stranger on the underlay": stranger.path(), "a task": task.Netns, "a process on a node": a.path()}
	for who, path := range from {
		if throw(t, path, to, packet, box, moment) {
			t.Errorf("what %s forged got in", who)
		}
	}
	wantMail := func() {
		t.Helper()
		if !throw(t, task.Netns, dst, []byte("true"), box, patience) {
			t.Error("what the task itself sends does not arrive")
		}
	}
	wantMail()

	// A node says of an interface that it has only what it may: not in the name of one that is elsewhere, or nowhere.
	ofNobody := forged(n.VPCs["vpc-1"].Net, a.addr, b.addr, netip.MustParseAddrPort("10.0.1.250:9000"), dst, "forged")
	ofItself := forged(n.VPCs["vpc-1"].Net, a.addr, b.addr, netip.AddrPortFrom(dst.Addr(), 9001), dst, "forged")
	lift(t, a)
	for _, p := range [][]byte{ofNobody, ofItself} {
		if throw(t, a.path(), to, p, box, moment) {
			t.Error("a source that its node does not have got in")
		}
	}
	if !throw(t, a.path(), to, packet, box, patience) {
		t.Error("without the guard of its own node, a process on a node cannot forge: the guard is not what keeps it out")
	}
	if !throw(t, task.Netns, to, packet, box, patience) {
		t.Error("without the guard of its own node, a task cannot forge: the guard is not what keeps it out")
	}
	if throw(t, stranger.path(), to, packet, box, moment) {
		t.Error("what a stranger forged got in")
	}
	lift(t, b)
	if !throw(t, stranger.path(), to, packet, box, patience) {
		t.Error("without the guard a stranger cannot forge: the guard is not what keeps it out")
	}
	for _, x := range f.nodes { // the next process puts it back
		_ = x.r.Close()
		x.open(t, x.r.cfg)
		f.applyTo(t, x)
	}
	for len(box) > 0 {
		<-box
	}
	for who, path := range from {
		if throw(t, path, to, packet, box, moment) {
			t.Errorf("after a restart, what %s forged got in", who)
		}
	}
	wantMail()
}

// A node may send only of VPCs of which it has interfaces, and others' VXLAN is none of our business.
func TestGuardKnowsVPCs(t *testing.T) {
	t.Parallel()
	u := newUnderlay(t, 1500, true)
	a, b, c := u.node(t), u.node(t), u.node(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	n.addVPC("vpc-2", "10.0.0.0/16")
	f := newFleet(n, a, b, c)
	f.place(a, "eni-a", "vpc-1a")
	victim := f.place(b, "eni-victim", "vpc-1b")
	f.place(b, "eni-b", "vpc-2b")
	f.place(c, "eni-c", "vpc-2a")
	f.apply(t)
	box := mailbox(t, f.wait(t, "eni-victim"), 9000)
	lift(t, c)
	to := netip.AddrPortFrom(b.addr, rules.OverlayPort)
	dst := netip.AddrPortFrom(victim.Addresses[0], 9000)
	packet := forged(n.VPCs["vpc-1"].Net, a.addr, b.addr, netip.AddrPortFrom(n.Interfaces["eni-a"].Addresses[0], 9000), dst, "forged")
	if throw(t, c.path(), to, packet, box, moment) {
		t.Error("a node got into a VPC that it has nothing of")
	}
	spacetest.Space(b.path()).Serve(t, "udp", fmt.Sprintf(":%d", rules.OverlayPort+1), "other") // the port itself is the kernel's
	if !throw(t, f.wait(t, "eni-a").Netns, dst, []byte("true"), box, patience) {
		t.Error("what the VPC's own node sends does not arrive")
	}
}

// lift takes the guard of a node away.
func lift(t *testing.T, n *node) {
	t.Helper()
	n.do(t, func() error { return ruleset.Remove(n.r.cfg.guardTable(), dialHere) })
}

// guarded says whether a node has a guard.
func guarded(t *testing.T, n *node) (is bool) {
	t.Helper()
	n.do(t, func() error {
		conn, err := dialHere()
		if err != nil {
			return err
		}
		defer func() { _ = conn.CloseLasting() }()
		tables, err := conn.ListTables()
		for _, x := range tables {
			is = is || x.Name == n.r.cfg.guardTable()
		}
		return err
	})
	return is
}
