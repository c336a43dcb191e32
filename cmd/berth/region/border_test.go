package region

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/ecs"
)

// operations are all that are served: a new one is tried without anybody thinking of it.
func operations(t *testing.T) (all [][2]string) {
	t.Helper()
	for _, c := range newWorld(t).mux.Coverage() {
		if c.Served {
			all = append(all, [2]string{c.Service, c.Operation})
		}
	}
	return all
}

// Whoever is in another account or another region can neither see nor touch what the owner has, whatever operation is
// called and however the owner's things are named. Strangers who have things of the same names get at their own.
func TestNothingCrossesTheBorder(t *testing.T) {
	for _, op := range operations(t) {
		for _, from := range []ecs.Home{stranger, abroad} {
			for _, furnished := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s.%s/from %s %s/furnished %v", op[0], op[1], from.Account, from.Region, furnished), func(t *testing.T) {
					w := newWorld(t)
					w.give(op[0], owner, secret)
					if furnished {
						w.give(op[0], from, "pebble")
					}
					w.tryAll(op[0], op[1], from)
				})
			}
		}
	}
}

// give gives somebody what operations of a service can be about, and the owner the tasks, too.
func (w *world) give(service string, who ecs.Home, word string) {
	w.Helper()
	if service == "ec2" {
		used, spare := w.network(who, word)
		if who == owner {
			w.used, w.spare = used, spare
		}
		return
	}
	if service == "elbv2" {
		found := w.balanced(who, word)
		if who == owner {
			w.found = found
		}
		return
	}
	if service == "servicediscovery" || service == "route53" {
		found := w.discovery(who, word)
		if who == owner {
			w.found = found
		}
		return
	}
	if service == "acm" {
		arn := w.identity(who, word)
		if who == owner {
			w.certificate = arn
		}
		return
	}
	w.furnish(who, word)
	if who == owner {
		w.work()
	}
}

func (w *world) tryAll(service, operation string, from ecs.Home) {
	w.Helper()
	s := serviceOf(w.mux, service)
	before := w.property()
	if !strings.Contains(before, secret) {
		w.Fatal("the owner has nothing")
	}
	for _, a := range w.aims(s, operation) {
		in, err := a.input(s, operation)
		if err != nil {
			w.Fatal(err)
		}
		got := w.call(s, operation, from, in)
		if strings.Contains(got.body, secret) {
			w.Errorf("asked with %v, it tells: %s", in, got.body)
		}
		if got.status >= 500 {
			w.Errorf("asked with %v: %d %s", in, got.status, got.body)
		}
		if after := w.property(); after != before {
			w.Fatalf("asked with %v, it changed what the owner has:\n%s\nto\n%s", in, before, after)
		}
	}
}

// The same requests are about what the owner has, or the test above would prove nothing: each is granted to the owner
// in one of its forms, and those that show something show the secret.
func TestTheOwnerMayWhatStrangersMayNot(t *testing.T) {
	refusesEverybody := []string{"DeleteCluster", "UpdateContainerAgent"}
	shown, changed := 0, 0
	for _, op := range operations(t) {
		if slices.Contains(refusesEverybody, op[1]) || op[0] == "ecr" && needsLayers[op[1]] || op[0] == "ec2" && ec2Refuses[op[1]] != "" || op[1] == "GetChange" {
			continue
		}
		w := newWorld(t)
		w.give(op[0], owner, secret)
		s := serviceOf(w.mux, op[0])
		before := w.property()
		granted, last := false, answer{}
		for _, a := range w.aims(s, op[1]) {
			in, err := a.input(s, op[1])
			if err != nil {
				t.Fatal(err)
			}
			last = w.call(s, op[1], owner, in)
			granted = granted || last.status == 200 && !strings.Contains(last.body, `"MISSING"`)
			if strings.Contains(last.body, secret) {
				shown++
				break
			}
		}
		if !granted {
			t.Errorf("%s.%s refuses the owner: %d %s; say in special what it needs", op[0], op[1], last.status, last.body)
		}
		if w.property() != before {
			changed++
		}
	}
	if shown < 12 || changed < 15 {
		t.Errorf("%d operations show the secret and %d change something", shown, changed)
	}
}

// needsLayers are operations of ECR that are about an image or a layer, of which the owner has none here.
var needsLayers = map[string]bool{
	"BatchCheckLayerAvailability": true, "BatchDeleteImage": true, "BatchGetImage": true, "CompleteLayerUpload": true, "GetDownloadUrlForLayer": true,
	"PutImage": true, "UploadLayerPart": true, "DescribeImages": true, "GetLifecyclePolicyPreview": true, "GetLifecyclePolicy": true,
	"DeleteLifecyclePolicy": true, "GetRepositoryPolicy": true, "DeleteRepositoryPolicy": true, "StartLifecyclePolicyPreview": true,
}

// The requests reach everything: an ARN of each kind is among them.
func TestTheAimsNameEveryKind(t *testing.T) {
	w := newWorld(t)
	w.furnish(owner, secret)
	w.work()
	for name, v := range w.arns() {
		if v == "" || strings.HasSuffix(fmt.Sprint(v), "/") {
			t.Errorf("%s is %q", name, v)
		}
	}
}
