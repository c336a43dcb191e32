package forward

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func TestMachinesServers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resolv.conf")
	m := &Machine{Path: path}
	expect := func(want string) {
		t.Helper()
		m.looked = time.Time{} // as if long ago
		if got := fmt.Sprint(m.Servers()); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	write := func(text string) {
		t.Helper()
		tmp := path + ".new"
		if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(tmp, path); err != nil {
			t.Fatal(err)
		}
	}
	expect("[127.0.0.1:53]")
	write("# one\nnameserver 127.0.0.53\nnameserver nonsense\nsearch lan\nnameserver fe80::1%eth0\n")
	expect("[127.0.0.53:53 [fe80::1%eth0]:53]")
	write("nameserver 192.0.2.1\n")
	expect("[192.0.2.1:53]")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	expect("[192.0.2.1:53]")
	write("nameserver 192.0.2.2\n")
	m.looked = time.Now()
	if got := fmt.Sprint(m.Servers()); got != "[192.0.2.1:53]" {
		t.Errorf("looked at again at once: %s", got)
	}
}

// Real sockets: an answer to another question, and one from another port, are passed over; what is cut off comes by TCP.
func TestExchangeBySockets(t *testing.T) {
	pc, l := both(t)
	defer pc.Close()
	defer l.Close()
	go func() {
		b := make([]byte, 4096)
		n, from, err := pc.ReadFrom(b)
		if err != nil {
			return
		}
		var q dns.Msg
		_ = q.Unpack(b[:n])
		wrong := reply(&q, dns.RcodeSuccess)
		wrong.Id++
		cut := reply(&q, dns.RcodeSuccess)
		cut.Truncated = true
		for _, m := range []*dns.Msg{wrong, cut} {
			raw, _ := m.Pack()
			_, _ = pc.WriteTo(raw, from)
		}
	}()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		b := make([]byte, 4096)
		n, _ := c.Read(b)
		var q dns.Msg
		_ = q.Unpack(b[2:n])
		raw, _ := reply(&q, dns.RcodeSuccess, "a.example. 5 IN A 192.0.2.7").Pack()
		_, _ = c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(raw))), raw...))
	}()
	at := pc.LocalAddr().(*net.UDPAddr).AddrPort()
	f := New(Config{Servers: func() []netip.AddrPort { return []netip.AddrPort{at} }})
	e, err := f.Ask(context.Background(), aOf(t, "a.example."))
	if err != nil {
		t.Fatal(err)
	}
	if got := told(t, e, "a.example."); got != "NOERROR | a.example. 5 IN A 192.0.2.7" {
		t.Error(got)
	}
}

// both opens sockets of both protocols at one port.
func both(t *testing.T) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 50 { // the port may be somebody's in the other protocol
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if l, err := net.Listen("tcp", pc.LocalAddr().String()); err == nil {
			return pc, l
		}
		_ = pc.Close()
	}
	t.Fatal("no port")
	return nil, nil
}
