package router

import (
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
	"github.com/berth-ecs/berth/nodeconf"
)

// reopen lets go of r as a dying process would, and opens the installation anew.
func reopen(t testing.TB, r *Routers) *Routers {
	t.Helper()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(t.Context(), r.cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = again.Close() })
	return again
}

// stream sends numbered packets to an echo and counts what does not come back.
type stream struct {
	conn net.Conn
	stop chan struct{}
	sent chan int
	got  chan int
}

func startStream(t *testing.T, from Endpoint, addr string) *stream {
	t.Helper()
	s := &stream{stop: make(chan struct{}), sent: make(chan int, 1), got: make(chan int, 1)}
	spacetest.In(t, from.Netns, func() (err error) {
		s.conn, err = net.Dial("udp4", addr)
		return err
	})
	t.Cleanup(func() { _ = s.conn.Close() })
	go func() {
		seen, b := map[uint64]bool{}, make([]byte, 64)
		for {
			k, err := s.conn.Read(b)
			if err != nil {
				s.got <- len(seen)
				return
			}
			if k == 8 {
				seen[binary.BigEndian.Uint64(b)] = true
			}
		}
	}()
	go func() {
		tick := time.NewTicker(200 * time.Microsecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-s.stop:
				s.sent <- i
				return
			case <-tick.C:
			}
			_, _ = s.conn.Write(binary.BigEndian.AppendUint64(nil, uint64(i)))
		}
	}()
	return s
}

func (s *stream) end(t *testing.T) {
	t.Helper()
	close(s.stop)
	sent := <-s.sent
	_ = s.conn.SetReadDeadline(time.Now().Add(moment))
	got := <-s.got
	t.Logf("%d packets, %d answers", sent, got)
	if sent == 0 || sent != got {
		t.Errorf("%d of %d packets were lost", sent-got, sent)
	}
}

func echo(t *testing.T, e Endpoint, port int) {
	t.Helper()
	spacetest.In(t, e.Netns, func() error {
		c, err := net.ListenPacket("udp4", fmt.Sprintf(":%d", port))
		if err != nil {
			return err
		}
		t.Cleanup(func() { _ = c.Close() })
		go func() {
			b := make([]byte, 2048)
			for {
				k, from, err := c.ReadFrom(b)
				if err != nil {
					return
				}
				_, _ = c.WriteTo(b[:k], from)
			}
		}()
		return nil
	})
}

func TestRestartUnderLiveFlows(t *testing.T) {
	t.Parallel()
	r := open(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	n.group("vpc-1", "sg-echo", allow(17, 7, 7, anywhere))
	n.iface("eni-client", "vpc-1a")
	n.iface("eni-echo", "vpc-1b", "sg-echo")
	n.public("eni-client", pool(r, 1))
	n.public("eni-echo", pool(r, 2))
	n.apply(t, r)
	client, server := wait(t, r, "eni-client"), wait(t, r, "eni-echo")
	echo(t, server, 7)
	inside := startStream(t, client, at(server, 7))
	outside := startStream(t, client, public(pool(r, 2), 7))
	for i := range 5 {
		r = reopen(t, r)
		n.apply(t, r)
		for _, e := range []Endpoint{client, server} {
			if again := wait(t, r, e.ID); fmt.Sprint(again) != fmt.Sprint(e) {
				t.Errorf("after a restart %+v, before %+v", again, e)
			}
		}
		// Every rule of the router anew, and a few changes of them.
		n.iface(fmt.Sprintf("eni-more%d", i), "vpc-1a")
		n.group("vpc-1", "sg-echo", allow(17, 7, int32(8+i), anywhere))
		n.apply(t, r)
		r.mu.Lock()
		r.vpcs["vpc-1"].whole = false
		r.mu.Unlock()
		n.apply(t, r)
	}
	inside.end(t)
	outside.end(t)
}

func TestRemovedRuleLeavesFlowsAlone(t *testing.T) {
	t.Parallel()
	r := open(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	n.group("vpc-1", "sg-web", allow(6, 80, 80, anywhere))
	n.iface("eni-client", "vpc-1a")
	n.iface("eni-web", "vpc-1b", "sg-web")
	n.apply(t, r)
	client, web := wait(t, r, "eni-client"), wait(t, r, "eni-web")
	spacetest.Space(web.Netns).Serve(t, "tcp", ":80", web.ID)
	talk := converse(t, client, at(web, 80))
	if err := talk.say("before"); err != nil {
		t.Fatal(err)
	}
	n.group("vpc-1", "sg-web")
	n.apply(t, r)
	if err := talk.say("after"); err != nil {
		t.Errorf("the connection ended with the rule: %v", err)
	}
	wantSilence(t, client, "tcp", at(web, 80))
	// A connection that is cut stays cut: nothing in the middle of one makes it known again.
	if err := r.vpcs["vpc-1"].endFlows(client.Addresses); err != nil {
		t.Fatal(err)
	}
	if talk.say("cut") == nil {
		t.Error("the connection goes on after it was forgotten")
	}
}

func TestTooBigIsSaid(t *testing.T) {
	t.Parallel()
	r := open(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	n.group("vpc-1", "sg-in", allow(6, 80, 80, anywhere))
	n.iface("eni-client", "vpc-1a")
	small := n.iface("eni-small", "vpc-1b", "sg-in")
	small.MTU = 1400
	n.Interfaces["eni-small"] = small
	n.apply(t, r)
	client, server := wait(t, r, "eni-client"), wait(t, r, "eni-small")
	spacetest.Space(server.Netns).Serve(t, "tcp", ":80", server.ID)
	spacetest.In(t, client.Netns, func() error {
		c, err := net.DialTimeout("tcp4", at(server, 80), patience)
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }()
		_ = c.SetDeadline(time.Now().Add(patience))
		data := strings.Repeat("x", 1<<20)
		go func() { _, _ = c.Write([]byte(data)) }()
		b := make([]byte, 1<<16)
		for got := 0; got < len(data); {
			k, err := c.Read(b)
			if err != nil {
				return fmt.Errorf("after %d bytes: %w", got, err)
			}
			got += k
		}
		return nil
	})
}

func TestPoolIsTheInstallationsOwn(t *testing.T) {
	t.Parallel()
	r := open(t)
	c := testConfig(t)
	c.PublicPool = r.cfg.PublicPool
	if other, err := Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), "overlaps") {
		t.Errorf("a pool that another installation has: %v", err)
		_ = other.Destroy(t.Context())
	}
	if _, err := Open(t.Context(), r.cfg); err == nil {
		t.Error("a second process opens the same installation")
	}
}

func TestChangeOfAnotherVersion(t *testing.T) {
	t.Parallel()
	r := open(t)
	if _, err := r.Apply(t.Context(), nodeconf.Delta{From: 3, To: 4}); err == nil {
		t.Error("a change before there is a configuration")
	}
	n := newNet("vpc-1", "10.0.0.0/16")
	n.apply(t, r)
	if _, err := r.Apply(t.Context(), nodeconf.Delta{From: 77, To: 78}); err == nil {
		t.Error("a change of another version")
	}
}
