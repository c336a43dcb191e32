package tables

import (
	"testing"

	"github.com/berth-ecs/berth/store/storetest"
)

// storedTypes is the version and the form of every record that this wing keeps. A line changes with a new Version of its table, never alone.
var storedTypes = map[string]string{
	"joining.machine": "1 f60ba91289858aba",
	"joining.offer":   "2 65d6c28bdbc49346",
	"joining.owner":   "1 43ee496e346c4799",
	"joining.pass":    "1 f0de1c9c71927a24",
	"joining.place":   "2 048cc3fe7d257329",
}

func TestStoredTypesAreVersioned(t *testing.T) {
	storetest.CheckStoredTypes(t, Schema(), storedTypes)
}
