package crash

import (
	"hash/fnv"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

const defaultRounds = 3

// seed answers the run's seed: BERTH_TEST_SEED, else one drawn from the commit, so that a commit always has the same rounds.
func seed(t *testing.T) uint64 {
	t.Helper()
	if s := os.Getenv("BERTH_TEST_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("BERTH_TEST_SEED: %v", err)
		}
		return n
	}
	commit, err := exec.CommandContext(t.Context(), "git", "rev-parse", "HEAD").Output()
	if err != nil {
		return 1 // a source archive has no commit
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(strings.TrimSpace(string(commit)))) // never fails
	return uint64(h.Sum32())
}

func rounds(t *testing.T) int {
	t.Helper()
	s := os.Getenv("BERTH_TEST_ROUNDS")
	if s == "" {
		return defaultRounds
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		t.Fatalf("BERTH_TEST_ROUNDS=%s: want a number from 1", s)
	}
	return n
}

// source is the randomness of one purpose in one round: what one draws does not move what another gets.
func source(seed uint64, round int, purpose uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(round)<<8|purpose))
}

// between answers a number from low to high.
func between(r *rand.Rand, low, high int) int { return low + r.IntN(high-low+1) }

func millis(r *rand.Rand, low, high int) time.Duration {
	return time.Duration(between(r, low, high)) * time.Millisecond
}

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
