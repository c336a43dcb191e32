package tables

import (
	"testing"

	"github.com/berth-ecs/berth/store/storetest"
)

// storedTypes is the version and the form of every record that this wing keeps. A
// line changes with a new Version of its table, never alone: what is on disk must
// stay readable.
var storedTypes = map[string]string{
	"ecs.account.setting":           "1 d463a0787ddfc66c",
	"ecs.cluster":                   "2 45e1e81209c371e1",
	"ecs.family":                    "1 286f1bffec0a41d7",
	"ecs.instance":                  "1 89dc5bcf87c8a1e1",
	"ecs.instance.state":            "1 855a6ed0088a17d8",
	"ecs.ledger":                    "2 36d6f3f1b7618762",
	"ecs.server":                    "1 88762dd4979dd284",
	"ecs.service":                   "3 3284f274989a0898",
	"ecs.service.event":             "1 845a1d7faaed70aa",
	"ecs.service.status":            "4 22f4603ebd355894",
	"ecs.service.revision":          "3 e76fc590c4d00d13",
	"ecs.service.deployment":        "1 acec58386b2128a8",
	"ecs.service.deployment.status": "1 5450174d5e5ab470",
	"ecs.service.deployment.stop":   "1 341c55f4519eb225",
	"ecs.task":                      "6 b22646d6b533fcb9",
	"ecs.task.desired":              "2 6c3659b621335916",
	"ecs.task.protection":           "1 9aeed651cdc9168a",
	"ecs.task.status":               "3 77ffeb2e76c04d2b",
	"ecs.task.tags":                 "1 e2c9ea4932fd9a27",
	"ecs.taskdefinition":            "1 e6a3b7bdf1f28555",
	"ecs.token":                     "1 85152d8f70979d68",
}

func TestStoredTypesAreVersioned(t *testing.T) {
	storetest.CheckStoredTypes(t, Schema(), storedTypes)
}
