package wire

import (
	"encoding/base64"
	"errors"
	"testing"
)

// A token is refused, or names a key that an answer to the same question gave out; a page goes on behind it, forwards or
// backwards, and never holds it again.
func FuzzPageToken(f *testing.F) {
	given := PageRequest{Limit: 1, Filter: FilterHash("ListTasks", "default")}
	f.Add(*given.token("b"), given.Filter, int32(1), false)
	f.Add(*given.token("\xff\x00"), given.Filter, int32(3), true)
	f.Add(base64.RawURLEncoding.EncodeToString([]byte("short")), given.Filter, int32(0), false)
	f.Add("", "", int32(-1), true)
	f.Fuzz(func(t *testing.T, token, filter string, most int32, descending bool) {
		r := PageRequest{Token: &token, Max: &most, Limit: 3, Filter: filter, Descending: descending}
		after, err := r.After()
		if err == nil && token != "" && *r.token(after) != token {
			t.Errorf("token %q is taken for the one of key %q", token, after)
		}
		page, next, err := Page(r, list([]string{"a", "b", "c", "d"}, descending))
		if invalid, ok := errors.AsType[*Invalid](err); err != nil && (!ok || invalid.Rule == "") {
			t.Fatalf("not the client's error: %v", err)
		}
		if err != nil {
			return
		}
		if len(page) > int(most) || next != nil && len(page) != int(most) {
			t.Errorf("%d items on a page of %d, next %v", len(page), most, next)
		}
		if next != nil {
			again := PageRequest{Token: next, Limit: 3, Filter: filter, Descending: descending}
			rest, _, err := Page(again, list([]string{"a", "b", "c", "d"}, descending))
			if err != nil || len(rest) > 0 && rest[0] == page[len(page)-1] {
				t.Errorf("after %v comes %v (%v)", page, rest, err)
			}
		}
	})
}
