package relay

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/internal/whole"
	"github.com/berth-ecs/berth/node/proxy/probe"
)

// kept is how a target was, for the next process of the node: it does not begin with targets of which it knows nothing.
type kept struct {
	probe.Key
	probe.Health
}

func healthFile(c Config) string { return filepath.Join(c.RunDir, "health.json") }

// loadHealth answers what the process before knew; nothing, if that cannot be read: the next looks will say.
func loadHealth(c Config) map[probe.Key]probe.Health {
	out := map[probe.Key]probe.Health{}
	text, err := os.ReadFile(healthFile(c))
	if err != nil {
		return out
	}
	var all []kept
	if json.Unmarshal(text, &all) != nil {
		return out
	}
	for _, one := range all {
		out[one.Key] = one.Health
	}
	return out
}

// saveHealth keeps it. What fails costs the next process a look at each target.
func saveHealth(c Config, all map[probe.Key]probe.Health) {
	list := make([]kept, 0, len(all))
	for k, h := range all {
		list = append(list, kept{k, h})
	}
	slices.SortFunc(list, func(a, b kept) int {
		if n := strings.Compare(a.Part+a.Endpoints, b.Part+b.Endpoints); n != 0 {
			return n
		}
		return a.Addr.Compare(b.Addr)
	})
	text, err := json.Marshal(list)
	if err != nil {
		return
	}
	if old, rerr := os.ReadFile(healthFile(c)); rerr == nil && bytes.Equal(old, text) {
		return
	}
	if err := whole.Write(healthFile(c), text, 0o600); err != nil {
		c.Log.Debug("what is known of targets is not kept", "error", err)
	}
}
