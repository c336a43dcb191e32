package prune

import (
	"strings"
	"testing"
	"time"
)

func TestRulesChoose(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	ago := func(h int) time.Time { return now.Add(-time.Duration(h) * time.Hour) }
	all := func() []candidate {
		return []candidate{{"young", ago(0), false}, {"old", ago(5), false}, {"older", ago(6), false}, {"needed", ago(9), true}, {"oldest", ago(7), false}}
	}
	for want, p := range map[string]Rules{
		"oldest older":           {MinimumAge: time.Hour, Most: 2},
		"oldest older old":       {MinimumAge: time.Hour, Most: 9},
		"oldest":                 {MinimumAge: 7 * time.Hour, Most: 9},
		"oldest older old young": {Most: 9},
		"":                       {MinimumAge: 8 * time.Hour, Most: 9},
	} {
		if got := strings.Join(p.chosen(all(), now), " "); got != want {
			t.Errorf("%+v: %q, want %q", p, got, want)
		}
	}
}
