package crash

import (
	"os"
	"strconv"
	"testing"
	"time"
)

const defaultRounds = 3

const defaultPoints = 6

// points answers how many failpoints TestPoints goes through, and until when: BERTH_TEST_POINTS, BERTH_TEST_POINTS_TIME.
func points(t *testing.T) (n int, until time.Time) {
	t.Helper()
	n, patience := defaultPoints, time.Hour
	var err error
	if s := os.Getenv("BERTH_TEST_POINTS"); s != "" {
		if n, err = strconv.Atoi(s); err != nil || n < 0 {
			t.Fatalf("BERTH_TEST_POINTS=%s: want a number", s)
		}
	}
	if s := os.Getenv("BERTH_TEST_POINTS_TIME"); s != "" {
		if patience, err = time.ParseDuration(s); err != nil {
			t.Fatalf("BERTH_TEST_POINTS_TIME: %v", err)
		}
	}
	return n, time.Now().Add(patience)
}
