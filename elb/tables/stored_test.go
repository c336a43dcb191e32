package tables

import (
	"testing"

	"github.com/berth-ecs/berth/store/storetest"
)

// storedTypes is the version and the form of every record that this wing keeps. A line changes with a new Version of its
// table, never alone: what is on disk must stay readable.
var storedTypes = map[string]string{
	"elb.attributes":   "1 797a66b9a79c2d26",
	"elb.certificate":  "1 4ecee79e98f009ba",
	"elb.changes":      "1 f4b778a39fac3f0d",
	"elb.listener":     "1 d96751880306cedb",
	"elb.loadbalancer": "1 59e01617f03e2499",
	"elb.name":         "1 0bfe3987d921ad73",
	"elb.place":        "1 08842c5b96c0d9c8",
	"elb.rule":         "1 d38eea0d8943e64f",
	"elb.status":       "1 6a0a503e2ce4f81e",
	"elb.tags":         "1 6c929c8d893a3dec",
	"elb.target":       "1 4548138d08f7b96a",
	"elb.targetgroup":  "1 0cb0da4a769389fd",
	"elb.targethealth": "1 f5cd8dba8e9cc942",
}

func TestStoredTypesAreVersioned(t *testing.T) {
	storetest.CheckStoredTypes(t, Schema(), storedTypes)
}
