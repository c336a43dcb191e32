package tables

import (
	"errors"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/internal/release"
	"github.com/berth-ecs/berth/joining"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

// Servers are replaced one by one, each a level up or down; who skips one is told the rule.
func TestServersAreOneReleaseApart(t *testing.T) {
	s := mem.Open(Schema(), mem.Options{})
	defer s.Close()
	for _, c := range []struct {
		name  string
		level int
		ok    bool
	}{
		{"a", 0, true}, {"b", 0, true}, // programs that said none
		{"a", 2, true}, {"a", 3, false}, {"b", 2, true}, // a is one up; two up are refused until b is there
		{"c", 4, false}, {"c", 3, true}, {"b", 1, false}, {"a", 3, true}, {"b", 3, true}, {"a", 4, true},
		{"a", 2, false}, // its own records are of 4
		{"b", 2, false}, {"a", 3, true},
	} {
		err := s.Update(t.Context(), func(tx store.Tx) error { return Settle(tx, joining.Place{Name: c.name, Level: c.level}) })
		if (err == nil) != c.ok || err != nil && (!errors.Is(err, ErrRelease) || !strings.Contains(err.Error(), release.Rule)) {
			t.Errorf("%s at level %d: %v", c.name, c.level, err)
		}
	}
}

// A server that is alone may skip levels: its records are upgraded when they are read.
func TestAServerAloneMaySkipReleases(t *testing.T) {
	s := mem.Open(Schema(), mem.Options{})
	defer s.Close()
	for _, level := range []int{1, 7} {
		if err := s.Update(t.Context(), func(tx store.Tx) error { return Settle(tx, joining.Place{Name: "a", Level: level}) }); err != nil {
			t.Error(err)
		}
	}
}
