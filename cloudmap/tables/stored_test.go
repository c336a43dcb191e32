package tables

import (
	"testing"

	"github.com/berth-ecs/berth/store/storetest"
)

// storedTypes is the version and the form of every record that this wing keeps. A line changes with a new Version of its
// table, never alone: what is on disk must stay readable.
var storedTypes = map[string]string{
	"cloudmap.attributes": "1 3370d09ae52c9105",
	"cloudmap.busy":       "1 2f73717479072e3f",
	"cloudmap.changes":    "1 f4b778a39fac3f0d",
	"cloudmap.health":     "1 e2d67a328b20c6c2",
	"cloudmap.instance":   "1 cda7cabe21c36be5",
	"cloudmap.name":       "1 dac8def8a1a78919",
	"cloudmap.namespace":  "1 dc055d44d56e137d",
	"cloudmap.operation":  "1 d129c1567824b8f6",
	"cloudmap.service":    "1 729602eaad0b340f",
	"cloudmap.status":     "1 cacfa5ec61cb74b0",
	"cloudmap.tags":       "1 3527df6e7ccb271c",
	"cloudmap.token":      "1 e962a96f6b44f349",
}

func TestStoredTypesAreVersioned(t *testing.T) {
	storetest.CheckStoredTypes(t, Schema(), storedTypes)
}
