package flows

import (
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"
	"pgregory.net/rapid"
)

// A connection is a stray when one of its addresses is of the VPC and nobody's, and no other is.
func TestStrays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		addr := rapid.Map(rapid.SampledFrom([]string{"10.0.1.5", "10.0.1.6", "10.1.0.7", "192.0.2.1", "198.18.0.4"}), netip.MustParseAddr)
		s := Strays{Ranges: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16"), netip.MustParsePrefix("10.1.0.0/16")}, Known: map[netip.Addr]bool{}}
		for _, a := range rapid.SliceOf(addr).Draw(t, "known") {
			s.Known[a] = true
		}
		four := rapid.SliceOfN(addr, 4, 4).Draw(t, "addresses")
		f := &netlink.ConntrackFlow{}
		f.Forward.SrcIP, f.Forward.DstIP, f.Reverse.SrcIP, f.Reverse.DstIP = four[0].AsSlice(), four[1].AsSlice(), four[2].AsSlice(), four[3].AsSlice()
		want := false
		for _, a := range four {
			inside := a.As4()[0] == 10
			want = want || inside && !s.Known[a]
		}
		if got := s.MatchConntrackFlow(f); got != want {
			t.Errorf("%v, known %v: %v, want %v", four, s.Known, got, want)
		}
	})
}
