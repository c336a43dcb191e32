package nodeconf

import (
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The parts of a change are small, and together they are the change.
func TestSplitThenJoin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Diff(configs(7).Draw(t, "a"), configs(9).Draw(t, "b"))
		const size, one = 200, 200 // no resource here takes more than one
		parts := d.Split(size)
		var back Delta
		for _, p := range parts {
			raw, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			if len(raw) > size+one {
				t.Fatalf("a part of %d bytes: %s", len(raw), raw)
			}
			var sent Delta
			if err := json.Unmarshal(raw, &sent); err != nil {
				t.Fatal(err)
			}
			back.Join(sent)
		}
		if back.From != d.From || back.To != d.To || back.Set.Text() != d.Set.Text() || !slices.Equal(back.Gone, d.Gone) {
			t.Fatalf("%d parts:\n%s%v\nwant\n%s%v", len(parts), back.Set.Text(), back.Gone, d.Set.Text(), d.Gone)
		}
		if raw, _ := json.Marshal(d); len(raw) > 4*size && len(parts) == 1 {
			t.Fatalf("%d bytes are one part", len(raw))
		}
	})
}

func TestNothingIsOnePart(t *testing.T) {
	if p := (Delta{From: 3, To: 4}).Split(1); len(p) != 1 || p[0].From != 3 || p[0].To != 4 || !p[0].Empty() {
		t.Errorf("%+v", p)
	}
}
