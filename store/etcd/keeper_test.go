package etcd

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCompactionTargets(t *testing.T) {
	for name, c := range map[string]struct{ minutes, want []int64 }{
		"keeps five minutes":          {[]int64{10, 20, 30, 40, 50, 60, 70}, []int64{0, 0, 0, 0, 0, 10, 20}},
		"idle compacts nothing twice": {[]int64{10, 10, 10, 10, 10, 10, 10, 10}, []int64{0, 0, 0, 0, 0, 10, 0, 0}},
		"a burst is bounded":          {[]int64{10, keepAtMost + 100, keepAtMost + 150}, []int64{0, 100, 150}},
	} {
		var k keeper
		var got []int64
		for _, r := range c.minutes {
			got = append(got, k.target(r))
			for range markEvery - 1 {
				if at := k.target(r); at != 0 {
					t.Errorf("%s: compacts at %d between minutes", name, at)
				}
			}
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestABurstIsCompactedBetweenMinutes(t *testing.T) {
	k := keeper{}
	k.target(1)
	if at := k.target(keepAtMost + burstStep + 1); at != burstStep+1 {
		t.Errorf("compacts at %d", at)
	}
	if at := k.target(keepAtMost + burstStep + 100); at != 0 {
		t.Errorf("compacts again at %d", at)
	}
}

func TestOldVersionsAreRefused(t *testing.T) {
	for version, ok := range map[string]bool{
		"3.5.13": true, "3.5.12": false, "3.4.40": false, "3.6.0": true, "3.7.3": true, "4.0.0": true, "": false, "main": false,
	} {
		if err := versionAllowed("e", version); (err == nil) != ok {
			t.Errorf("version %q: %v", version, err)
		}
	}
}
