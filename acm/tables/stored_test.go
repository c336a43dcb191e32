package tables

import (
	"testing"

	"github.com/berth-ecs/berth/store/storetest"
)

// storedTypes is the version and the form of every record that this wing keeps. A line changes with a new Version of its
// table, never alone: what is on disk must stay readable.
var storedTypes = map[string]string{
	"acm.certificate": "1 9eecd159f2a00dd2",
	"acm.key":         "1 5f13ddcdd701e17d",
	"acm.tags":        "1 d97dfcb2f3587f27",
	"acm.use":         "1 a25b6fea4402e102",
}

func TestStoredTypesAreVersioned(t *testing.T) {
	storetest.CheckStoredTypes(t, Schema(), storedTypes)
}
