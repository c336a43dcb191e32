package ecs

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestServiceDeploymentIDsSortNewestFirst(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var ids []string
	for i := range 300 {
		ids = append(ids, DeploymentHistoryID(at.Add(time.Duration(i*i)*time.Microsecond), fmt.Sprintf("%032x", 7*i)))
	}
	for _, id := range ids {
		if len(id) != 21 || strings.Trim(id, alphabet) != "" {
			t.Fatalf("id %q", id)
		}
	}
	slices.Reverse(ids)
	if !slices.IsSorted(ids[:299]) {
		t.Error("newer ones do not sort first")
	}
	if DeploymentHistoryID(at, strings.Repeat("a", 32)) == DeploymentHistoryID(at, strings.Repeat("b", 32)) {
		t.Error("two of one moment are alike")
	}
}

func TestFailureThreshold(t *testing.T) {
	for desired, want := range map[int32]int32{0: 3, 1: 3, 6: 3, 7: 4, 25: 13, 400: 200, 800: 200} {
		if got := FailureThreshold(desired); got != want {
			t.Errorf("of %d: %d, want %d", desired, got, want)
		}
	}
}
