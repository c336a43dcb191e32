package nodeconf

import (
	"encoding/json"
	"errors"
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

func configs(version int64) *rapid.Generator[*Config] {
	return rapid.Custom(func(t *rapid.T) *Config {
		c := &Config{Version: version}
		id := rapid.SampledFrom([]string{"a", "b", "c"})
		c.VPCs = rapid.MapOf(id, rapid.Map(rapid.Uint32Range(1, 3), func(n uint32) VPC { return VPC{ID: "v", Net: n} })).Draw(t, "vpcs")
		c.Members = rapid.MapOf(id, rapid.Just(Member{"g", netip.MustParseAddr("10.0.0.4")})).Draw(t, "members")
		c.Groups = rapid.MapOf(id, rapid.Map(rapid.Int32Range(-1, 1), func(n int32) Group {
			return Group{ID: "g", Ingress: []Allow{{Match: Match{n, -1, -1}, Group: "g"}}}
		})).Draw(t, "groups")
		return c
	})
}

// The change between two configurations, sent as JSON, leads from the first to the second.
func TestDiffThenApply(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := configs(7).Draw(t, "a"), configs(9).Draw(t, "b")
		raw, err := json.Marshal(Diff(a, b))
		if err != nil {
			t.Fatal(err)
		}
		var d Delta
		if err := json.Unmarshal(raw, &d); err != nil {
			t.Fatal(err)
		}
		if err := a.Apply(d); err != nil {
			t.Fatal(err)
		}
		if a.Version != 9 || a.Text() != b.Text() {
			t.Fatalf("after %s:\n%swant\n%s", raw, a.Text(), b.Text())
		}
		if d := Diff(a, b); !d.Empty() {
			t.Fatalf("left: %+v", d)
		}
	})
}

func TestStaleDelta(t *testing.T) {
	c := &Config{Version: 3, Resources: Resources{VPCs: map[string]VPC{"v": {ID: "v"}}}}
	before := c.Text()
	err := c.Apply(Delta{From: 2, To: 4, Gone: []Key{{"VPCs", "v"}}})
	if stale, ok := errors.AsType[*StaleError](err); !ok || stale.Have != 3 || c.Version != 3 || c.Text() != before {
		t.Errorf("%v, then version %d: %s", err, c.Version, c.Text())
	}
	if err := c.Apply(Delta{From: 3, To: 4, Gone: []Key{{"Balloons", "x"}, {"VPCs", "v"}}}); err != nil || c.Len() != 0 {
		t.Errorf("%v, then %s", err, c.Text())
	}
	if err := c.Apply(Delta{To: 9, Set: Resources{VPCs: map[string]VPC{"w": {ID: "w"}}}}); err != nil || c.Version != 9 || len(c.VPCs) != 1 {
		t.Errorf("a whole configuration: %v, then %s", err, c.Text())
	}
}
