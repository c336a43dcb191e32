package shortcut

import (
	"bytes"
	"encoding/binary"
	"os"
	"testing"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

const router, lo = 7, 1

// tested is a table and what sees packets come in, as the kernel runs it on a packet of the test's.
func tested(t *testing.T) (*Table, *Router) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root: loads programs")
	}
	x, err := open()
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(x.Close)
	x.serial.Store(router - 1)
	r, err := x.router()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return x, r
}

func packet() []byte {
	b := make([]byte, headers+20)
	b[ethType], b[version], b[17], b[fragment], b[timeLive], b[proto] = 8, 0x45, 60, 0x40, 64, unix.IPPROTO_TCP
	copy(b[source:], []byte{10, 0, 1, 4, 10, 0, 2, 4, 0x90, 1, 0, 80})
	b[tcpLength], b[tcpFlags] = 0x50, ack
	seal4(b)
	return b
}

// seal4 puts the header's checksum in.
func seal4(b []byte) {
	b[checksum], b[checksum+1] = 0, 0
	binary.BigEndian.PutUint16(b[checksum:], ^sum4(b))
}

func sum4(b []byte) uint16 {
	s := uint32(0)
	for i := version; i < ports; i += 2 {
		s += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for s>>16 != 0 {
		s = s&0xffff + s>>16
	}
	return uint16(s)
}

var ether = []byte{2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8}

// laid puts a lane of packet's in the table, sealed for a key or not.
func laid(t *testing.T, x *Table, change func(key, lane []byte)) {
	t.Helper()
	o := binary.NativeEndian
	k, l := make([]byte, keySize), make([]byte, laneSize)
	o.PutUint32(k, router)
	o.PutUint32(k[4:], lo)
	copy(k[8:], packet()[source:source+12])
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC_COARSE, &now); err != nil {
		t.Fatal(err)
	}
	o.PutUint64(l[laneBorn:], uint64(now.Nano()))
	o.PutUint32(l[laneLink:], lo)
	o.PutUint32(l[laneMTU:], 1500)
	copy(l[laneEther:], ether)
	o.PutUint64(l[laneSeal:], sealOf(k, l))
	change(k, l)
	if err := x.lanes.Put(k, l); err != nil {
		t.Fatal(err)
	}
}

func sealOf(key, lane []byte) (h uint64) {
	o := binary.NativeEndian
	for _, w := range []uint64{o.Uint64(key), o.Uint64(key[8:]), uint64(o.Uint32(key[16:]))} {
		h = h*factor + w
	}
	for i := 0; i < laneSeal; i += 8 {
		h = h*factor + o.Uint64(lane[i:])
	}
	return h
}

// see has the program see a packet and says whether it took a lane.
func see(t *testing.T, p *ebpf.Program, b []byte) (out []byte, taken bool) {
	t.Helper()
	o := ebpf.RunOptions{Data: b, DataOut: make([]byte, len(b)+64)}
	verdict, err := p.Run(&o)
	if err != nil {
		t.Fatal(err)
	}
	const redirect = 7
	return o.DataOut, verdict == redirect
}

func TestLaneIsTaken(t *testing.T) {
	t.Parallel()
	x, r := tested(t)
	laid(t, x, func(_, _ []byte) {})
	for _, tos := range []byte{0, 3, 0xb8} {
		for id := range 3000 { // checksums of every kind
			in := packet()
			in[15] = tos
			binary.BigEndian.PutUint16(in[18:], uint16(id*22))
			seal4(in)
			out, taken := see(t, r.arrive, in)
			if !taken {
				laid(t, x, func(_, _ []byte) {}) // a second is over
				continue
			}
			if sum4(out) != 0xffff {
				t.Fatalf("id %d: checksum %x of %x", id, out[checksum:checksum+2], out[version:ports])
			}
			want := bytes.Clone(in)
			copy(want, ether)
			want[timeLive]--
			copy(want[checksum:], out[checksum:checksum+2])
			if !bytes.Equal(out, want) {
				t.Fatalf("%x, not %x", out, want)
			}
		}
	}
}

func TestLaneIsNotTaken(t *testing.T) {
	t.Parallel()
	lanes := map[string]func(k, l []byte){
		"of another epoch": func(k, l []byte) { l[laneEpoch]++; binary.NativeEndian.PutUint64(l[laneSeal:], sealOf(k, l)) },
		"old": func(k, l []byte) {
			binary.NativeEndian.PutUint64(l, 1)
			binary.NativeEndian.PutUint64(l[laneSeal:], sealOf(k, l))
		},
		"of another router":   func(k, _ []byte) { k[0]++ },
		"of another link":     func(k, _ []byte) { k[4]++ },
		"replaced while read": func(k, l []byte) { l[laneLink]++ },
		"of another one's key": func(k, l []byte) {
			o := bytes.Clone(k)
			o[8]++
			binary.NativeEndian.PutUint64(l[laneSeal:], sealOf(o, l))
		},
	}
	for name, change := range lanes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x, r := tested(t)
			laid(t, x, change)
			if _, taken := see(t, r.arrive, packet()); taken {
				t.Error("taken")
			}
		})
	}
	packets := map[string]func(b []byte){
		"for another machine": func(b []byte) { b[5] = 1 },
		"IPv6":                func(b []byte) { b[ethType], b[ethType+1] = 0x86, 0xdd },
		"options":             func(b []byte) { b[version] = 0x46 },
		"a first fragment":    func(b []byte) { b[fragment] = 0x20 },
		"a later fragment":    func(b []byte) { b[fragment+1] = 1 },
		"UDP":                 func(b []byte) { b[proto] = unix.IPPROTO_UDP },
		"the last hop":        func(b []byte) { b[timeLive] = 1 },
		"another source":      func(b []byte) { b[source+3]++ },
		"another port":        func(b []byte) { b[ports+3]++ },
		"FIN":                 func(b []byte) { b[tcpFlags] = fin | ack },
		"RST":                 func(b []byte) { b[tcpFlags] = rst },
		"SYN":                 func(b []byte) { b[tcpFlags] = syn },
		"nothing":             func(b []byte) { b[tcpFlags] = 0 },
	}
	for name, change := range packets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x, r := tested(t)
			laid(t, x, func(_, _ []byte) {})
			b := packet()
			change(b)
			seal4(b)
			out, taken := see(t, r.arrive, b)
			if taken || !bytes.Equal(out, b) {
				t.Errorf("taken %v, %x", taken, out)
			}
		})
	}
}

// A change between two looks at the epoch would have a lane of what was so before it count as one of after.
func TestLeaveLooksAtTheEpochOnce(t *testing.T) {
	t.Parallel()
	x, r := tested(t)
	for _, peer := range []bool{false, true} {
		n := 0
		for _, i := range x.leave(router, r.epoch.FD(), peer) {
			if i.IsLoadFromMap() && int(int32(i.Constant)) == r.epoch.FD() {
				n++
			}
		}
		if n != 1 {
			t.Errorf("it looks %d times", n)
		}
	}
}
