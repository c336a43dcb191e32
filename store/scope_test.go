package store_test

import (
	"testing"

	"github.com/berth-ecs/berth/store"
)

func TestScopeKeys(t *testing.T) {
	for want, got := range map[string]string{
		"r/000000000000/us-east-1/a/b": store.Regional("000000000000", "us-east-1").Key("a", "b"),
		"a/000000000000/role":          store.AccountWide("000000000000").Key("role"),
		"z/us-east-1/node":             store.RegionWide("us-east-1").Key("node"),
		"i/server":                     store.Installation().Key("server"),
		"i/":                           store.Installation().Prefix(),
		"i/a/":                         store.Installation().Prefix("a"),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestScopePanics(t *testing.T) {
	for name, fn := range map[string]func(){
		"slash in a part":  func() { store.Installation().Key("a/b") },
		"empty part":       func() { store.Installation().Key("a", "") },
		"no part":          func() { store.Installation().Key() },
		"zero scope":       func() { _ = store.Scope{}.Key("a") },
		"slash in account": func() { store.Regional("a/b", "r") },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			fn()
		})
	}
}
