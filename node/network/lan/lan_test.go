package lan_test

import (
	"crypto/rand"
	"encoding/hex"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/berth-ecs/berth/node/network/lan"
	"github.com/berth-ecs/berth/node/network/netspace"
)

// two are machines of a wire of a test's own.
func two(t *testing.T) (lan.Wire, [2]lan.Machine) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: it makes namespaces and links")
	}
	var b [2]byte
	_, _ = rand.Read(b[:])
	name := "w" + hex.EncodeToString(b[:])
	w := lan.Wire(name + "w")
	t.Cleanup(func() {
		if err := lan.Remove(name); err != nil {
			t.Error(err)
		}
		if left, _ := filepath.Glob("/run/netns/" + name + "*"); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	})
	var all [2]lan.Machine
	for i := range all {
		all[i] = lan.Machine{
			Name: name + string(rune('a'+i)), Port: "p" + string(rune('a'+i)),
			Address: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 99, 0, byte(1 + i)}), 24), Router: netip.AddrFrom4([4]byte{10, 99, 0, 254}),
		}
	}
	build(t, w, all)
	return w, all
}

// build is what is called again after anything.
func build(t *testing.T, w lan.Wire, all [2]lan.Machine) {
	t.Helper()
	if err := w.Make(); err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if err := w.Plug(m); err != nil {
			t.Fatal(err)
		}
	}
}

// line sends from one machine and reads on the other.
type line struct {
	t        *testing.T
	from, to *net.UDPConn
}

func between(t *testing.T, a, b lan.Machine) line {
	t.Helper()
	l := line{t: t}
	var err error
	if err := netspace.InsideAt(lan.Space(b.Name), func() error {
		l.to, err = net.ListenUDP("udp4", &net.UDPAddr{IP: b.Address.Addr().AsSlice()})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	at := l.to.LocalAddr().(*net.UDPAddr)
	if err := netspace.InsideAt(lan.Space(a.Name), func() error {
		l.from, err = net.DialUDP("udp4", nil, at)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = l.from.Close(), l.to.Close() })
	return l
}

// arrives sends until something of it arrives, and says how long that took at least. What was sent before does not count.
func (l line) arrives() time.Duration {
	l.t.Helper()
	began := time.Now()
	for range 200 {
		sent := time.Now()
		text, _ := sent.MarshalBinary()
		if _, err := l.from.Write(text); err != nil {
			continue // the link is down
		}
		if at, ok := l.heard(100*time.Millisecond, began); ok {
			return time.Since(at)
		}
	}
	l.t.Fatal("nothing arrives")
	return 0
}

// silent sends some and expects none of it.
func (l line) silent() {
	l.t.Helper()
	began := time.Now()
	for range 20 {
		text, _ := time.Now().MarshalBinary()
		_, _ = l.from.Write(text)
	}
	if _, ok := l.heard(200*time.Millisecond, began); ok {
		l.t.Fatal("it arrives")
	}
}

// heard reads until something arrives that was sent since then, and answers when it was.
func (l line) heard(within time.Duration, since time.Time) (at time.Time, ok bool) {
	l.t.Helper()
	room := make([]byte, 100)
	_ = l.to.SetReadDeadline(time.Now().Add(within))
	for {
		n, err := l.to.Read(room)
		if err != nil {
			return at, false
		}
		if err := at.UnmarshalBinary(room[:n]); err != nil {
			l.t.Fatal(err)
		}
		if !at.Before(since.Round(0)) {
			return at, true
		}
	}
}

func TestLinksAreWhatTheyAreTold(t *testing.T) {
	w, all := two(t)
	l := between(t, all[0], all[1])
	l.arrives()
	port := all[1].Port
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	must(w.Cut(port, true))
	l.silent()
	must(w.Cut(port, false))
	l.arrives()

	const delay = 30 * time.Millisecond
	r, err := w.Relay(port, lan.Shape{Delay: delay})
	must(err)
	if took := l.arrives(); took < delay {
		t.Errorf("it arrives after %v", took)
	}
	r.Set(lan.Shape{Loss: 100})
	l.silent()
	r.Set(lan.Shape{})
	l.arrives()
	must(w.Cut(port, true))
	l.silent()
	must(w.Cut(port, false))
	l.arrives()
	must(r.Close())
	l.arrives()

	// Whoever comes after a crash calls the same again: nothing is there twice, and a machine that was half removed is whole.
	build(t, w, all)
	l.arrives()
	must(w.Unplug(all[0]))
	build(t, w, all)
	between(t, all[0], all[1]).arrives()
}

// A relay whose process ended leaves its port cut, and plugging it again makes it whole.
func TestARelayEndsWithItsProcess(t *testing.T) {
	w, all := two(t)
	l := between(t, all[0], all[1])
	r, err := w.Relay(all[1].Port, lan.Shape{})
	if err != nil {
		t.Fatal(err)
	}
	l.arrives()
	r.Abandon()
	l.silent()
	build(t, w, all)
	l.arrives()
}

// This machine reaches those on the wire by its door, and the door goes away with its rules.
func TestTheDoor(t *testing.T) {
	w, all := two(t)
	name := string(w)
	d := lan.Door{Link: name + ".x", Table: name, Address: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 99, 0, 254}), 24)}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if _, err := net.InterfaceByName(d.Link); err == nil {
			t.Error("the link stays")
		}
	})
	for range 2 {
		if err := w.Door(d); err != nil {
			t.Fatal(err)
		}
	}
	l := line{t: t}
	var err error
	if err := netspace.InsideAt(lan.Space(all[0].Name), func() error {
		l.to, err = net.ListenUDP("udp4", &net.UDPAddr{IP: all[0].Address.Addr().AsSlice()})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if l.from, err = net.DialUDP("udp4", nil, l.to.LocalAddr().(*net.UDPAddr)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = l.from.Close(), l.to.Close() })
	l.arrives()
}
