package doctor

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNftDrops(t *testing.T) {
	const answer = `{"nftables": [
		{"metainfo": {"version": "1.0.6"}},
		{"chain": {"family": "ip", "table": "filter", "name": "FORWARD", "handle": 2, "type": "filter", "hook": "forward", "prio": 0, "policy": "drop"}},
		{"chain": {"family": "ip", "table": "filter", "name": "INPUT", "handle": 1, "type": "filter", "hook": "input", "prio": 0, "policy": "drop"}},
		{"chain": {"family": "ip", "table": "filter", "name": "DOCKER-USER", "handle": 3}},
		{"chain": {"family": "inet", "table": "berth", "name": "forward", "handle": 1, "type": "filter", "hook": "forward", "prio": 0, "policy": "drop"}},
		{"chain": {"family": "inet", "table": "firewalld", "name": "filter_FORWARD", "handle": 1, "type": "filter", "hook": "forward", "prio": 10, "policy": "accept"}}
	]}`
	got, err := nftDrops([]byte(answer), "berth")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"ip filter FORWARD"}, got); diff != "" {
		t.Error(diff)
	}
	if _, err := nftDrops([]byte("no json"), "berth"); err == nil {
		t.Error("nonsense was accepted")
	}
}

func TestLegacyDrops(t *testing.T) {
	if got := legacyDrops("-P FORWARD DROP\n-A FORWARD -j DOCKER-USER\n"); len(got) != 1 {
		t.Errorf("got %v", got)
	}
	if got := legacyDrops("-P FORWARD ACCEPT\n"); got != nil {
		t.Errorf("got %v", got)
	}
}
