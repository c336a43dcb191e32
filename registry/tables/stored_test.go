package tables

import (
	"testing"

	"github.com/berth-ecs/berth/store/storetest"
)

// storedTypes is the version and the form of every record that this wing keeps. A line changes with a new Version of its
// table, never alone: what is on disk must stay readable.
var storedTypes = map[string]string{
	"registry.contents":   "1 cc9c6f8435c16bee",
	"registry.expiry":     "1 16343275676b9961",
	"registry.image":      "1 de2f0c91a1bd6636",
	"registry.layer":      "1 8927fd083b0f535c",
	"registry.preview":    "1 c973b00f744f4ecf",
	"registry.pull":       "1 8fc13c0681f81e29",
	"registry.repository": "1 44fd0696c31faa22",
	"registry.secret":     "1 642c8e71a5cc10d4",
	"registry.tag":        "1 e6875ce5d39d6048",
	"registry.upload":     "1 85b8f3794835248a",
}

func TestStoredTypesAreVersioned(t *testing.T) {
	storetest.CheckStoredTypes(t, Schema(), storedTypes)
}
