package shape

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Time is a timestamp member. As JSON it is a number: seconds since the epoch with milliseconds as the fraction, the form in which AWS's
// JSON protocols answer. What is finer than a millisecond is cut off when it is written.
type Time struct{ time.Time }

// At returns t as a member, in UTC and cut to milliseconds, so that what is kept equals what is answered.
func At(t time.Time) *Time { return &Time{t.UTC().Truncate(time.Millisecond)} }

// AppendEpoch appends t's JSON form to b.
func (t Time) AppendEpoch(b []byte) []byte {
	ms := t.UnixMilli()
	if ms < 0 {
		b, ms = append(b, '-'), -ms
	}
	b = strconv.AppendInt(b, ms/1000, 10)
	return fmt.Appendf(b, ".%03d", ms%1000)
}

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) { return t.AppendEpoch(nil), nil }

// UnmarshalJSON implements json.Unmarshaler; null leaves t as it is.
func (t *Time) UnmarshalJSON(b []byte) error {
	if bytes.Equal(b, []byte("null")) {
		return nil
	}
	parsed, err := ParseEpoch(string(b))
	if err != nil {
		return err
	}
	*t = parsed
	return nil
}

// ParseEpoch reads a JSON number of seconds; it rounds to the millisecond.
func ParseEpoch(s string) (Time, error) {
	f, err := strconv.ParseFloat(s, 64)
	// The bound keeps the year within four digits: 9999-12-31.
	if err != nil || math.IsNaN(f) || math.Abs(f) > 253402300799 {
		return Time{}, fmt.Errorf("timestamp %q is not a number of seconds since the epoch", s)
	}
	return Time{time.UnixMilli(int64(math.Round(f * 1000))).UTC()}, nil
}
