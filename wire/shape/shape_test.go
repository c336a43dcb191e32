package shape

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTimeRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.Int64Range(-1e13, 253402300799000).Draw(t, "ms")
		want := At(time.UnixMilli(ms))
		b, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Time
		if err := json.Unmarshal(b, &got); err != nil || !got.Equal(want.Time) {
			t.Fatalf("%s: got %v, %v; want %v", b, got, err, want)
		}
	})
}

func TestTimeForm(t *testing.T) {
	for ms, want := range map[int64]string{0: "0.000", 1: "0.001", -1: "-0.001", -1500: "-1.500", 1763714200123: "1763714200.123", 1763714200000: "1763714200.000"} {
		if b, _ := At(time.UnixMilli(ms)).MarshalJSON(); string(b) != want {
			t.Errorf("%d ms: %s, want %s", ms, b, want)
		}
	}
	if got := At(time.Date(2026, 1, 1, 1, 0, 0, 1999999, time.FixedZone("", 3600))); got.Location() != time.UTC || got.Nanosecond() != 1000000 {
		t.Errorf("At = %v, want UTC cut to milliseconds", got)
	}
}

func TestTimeRefuses(t *testing.T) {
	for _, s := range []string{`"2026-01-01"`, `true`, `1e300`, `{}`} {
		var got Time
		if err := json.Unmarshal([]byte(s), &got); err == nil {
			t.Errorf("%s: accepted as %v", s, got)
		}
	}
	got := Time{time.Unix(1, 0)}
	if err := json.Unmarshal([]byte("null"), &got); err != nil || got.Unix() != 1 {
		t.Errorf("null: %v, %v", got, err)
	}
}

func TestValAndPtr(t *testing.T) {
	if Val[int](nil) != 0 || Val(Ptr("a")) != "a" {
		t.Error("Val and Ptr are not each other's inverse")
	}
}

func TestStatus(t *testing.T) {
	for info, want := range map[ErrorInfo]int{{}: 400, {Fault: true}: 500, {HTTPStatus: 403, Fault: true}: 403} {
		if got := info.Status(); got != want {
			t.Errorf("%+v: %d, want %d", info, got, want)
		}
	}
}
