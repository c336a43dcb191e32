package doctor

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"

	"github.com/berth-ecs/berth/internal/config"
)

// pool: public addresses of tasks are routes of this machine, so the pool must be of no use to it.
func pool(f Facts) []Finding {
	if to := overlap(f.Routes, f.Settings); to != "" {
		return finding("pool", Fail, fmt.Sprintf("public-pool %s overlaps the machine's route to %s", f.Settings.PublicPool, to),
			"give public-pool a range that the machine has no route to, such as a part of 198.18.0.0/15")
	}
	return ok("pool", f.Settings.PublicPool.String()+" is for public addresses")
}

// overlap finds a route of others that the pool is in the way of. The installation's own lead through links that begin with its name and a dot, or
// nowhere.
func overlap(routes string, s config.Settings) string {
	for line := range strings.Lines(routes) {
		w := strings.Fields(line)
		const fields, mask = 8, 7
		if len(w) < fields || strings.HasPrefix(w[0], s.Name+".") {
			continue
		}
		const reject = 0x0200
		flags, err := strconv.ParseUint(w[3], 16, 32)
		if err != nil || flags&reject != 0 && w[0] == "*" {
			continue
		}
		to, err1 := strconv.ParseUint(w[1], 16, 32)
		of, err2 := strconv.ParseUint(w[mask], 16, 32)
		if err1 != nil || err2 != nil || of == 0 { // the default route is in nobody's way
			continue
		}
		var a [4]byte
		binary.LittleEndian.PutUint32(a[:], uint32(to))
		if p := netip.PrefixFrom(netip.AddrFrom4(a), bits.OnesCount64(of)); p.Overlaps(s.PublicPool) {
			return p.String() + " by " + w[0]
		}
	}
	return ""
}
