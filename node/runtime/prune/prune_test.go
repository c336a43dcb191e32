package prune

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/images"
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

// An image that somebody got after it was asked who has it may be in use, however long ago that was.
func TestPulledSinceItWasChosen(t *testing.T) {
	asked := time.Now().Add(-time.Minute)
	f := &Flying{last: map[string]time.Time{"x": asked.Add(time.Second)}}
	if gone, err := (Node{Flying: f}).removeImage(t.Context(), "x", asked); gone || err != nil { // it would need a client
		t.Error(gone, err)
	}
}

// Names that lead to no image are not remembered for ever.
func TestFlyingForgets(t *testing.T) {
	at := time.Now()
	f := &Flying{last: map[string]time.Time{"there": at.Add(-time.Hour), "gone": at.Add(-time.Hour), "new": at.Add(time.Second)}}
	f.forget([]images.Image{{Name: "there"}}, at)
	if got := slices.Sorted(maps.Keys(f.last)); !slices.Equal(got, []string{"new", "there"}) {
		t.Error(got)
	}
}
