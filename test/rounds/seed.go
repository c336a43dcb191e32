package rounds

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Seed answers the run's seed: BERTH_TEST_SEED, else one drawn from the commit, so that a commit always has the same rounds.
func Seed(t testing.TB) uint64 {
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

// Count is BERTH_TEST_ROUNDS, or what it is unless told.
func Count(t testing.TB, unless int) int {
	t.Helper()
	s := os.Getenv("BERTH_TEST_ROUNDS")
	if s == "" {
		return unless
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		t.Fatalf("BERTH_TEST_ROUNDS=%s: want a number from 1", s)
	}
	return n
}

// Source is the randomness of one purpose in one round: what one draws does not move what another gets.
func Source(seed uint64, round int, purpose uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(round)<<8|purpose))
}

// Between answers a number from low to high.
func Between(r *rand.Rand, low, high int) int { return low + r.IntN(high-low+1) }

// Millis is a time of so many milliseconds.
func Millis(r *rand.Rand, low, high int) time.Duration {
	return time.Duration(Between(r, low, high)) * time.Millisecond
}

// Wait waits, at most until the context ends.
func Wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// Until is when no further round begins: BERTH_TEST_ROUNDS_TIME from now, or two hours.
func Until(t testing.TB) time.Time {
	t.Helper()
	most := 2 * time.Hour
	if s := os.Getenv("BERTH_TEST_ROUNDS_TIME"); s != "" {
		var err error
		if most, err = time.ParseDuration(s); err != nil {
			t.Fatalf("BERTH_TEST_ROUNDS_TIME: %v", err)
		}
	}
	return time.Now().Add(most)
}
