package tables

import (
	"testing"

	"github.com/berth-ecs/berth/store/storetest"
)

// storedTypes is the version and the form of every record that this wing keeps. A line changes with a new Version of its
// table, never alone: what is on disk must stay readable.
var storedTypes = map[string]string{
	"vpc.acl":             "1 ab7777c54fad2dda",
	"vpc.address":         "1 d8a290d5b21c66d6",
	"vpc.association":     "1 7be9413ae9fae8da",
	"vpc.base":            "1 a9d39029b745bcce",
	"vpc.changes":         "1 63a996d00a2cc3ae",
	"vpc.deletion":        "1 7e5df06b14e8e810",
	"vpc.dhcpoptions":     "1 0e0134a277cb7a14",
	"vpc.elastic":         "1 546f44047b8de16b",
	"vpc.group":           "1 c2d84b22614fe306",
	"vpc.interface":       "2 8c291fee33f99d5d",
	"vpc.internetgateway": "1 4e10b40aeb276e1b",
	"vpc.natgateway":      "1 6e2939a0fe920b2f",
	"vpc.numbers":         "1 20b18fde70607049",
	"vpc.public":          "1 6dc5b21ab9802247",
	"vpc.routes":          "1 9f232bf152680e82",
	"vpc.rule":            "1 b27b67b402a8aa90",
	"vpc.subnet":          "1 baf3af55762ec549",
	"vpc.tags":            "1 3527df6e7ccb271c",
	"vpc.token":           "1 7fd8aaba256e69d7",
	"vpc.vpc":             "1 d51f9222e376506c",
}

func TestStoredTypesAreVersioned(t *testing.T) {
	storetest.CheckStoredTypes(t, Schema(), storedTypes)
}
