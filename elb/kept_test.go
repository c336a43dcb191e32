package elb

import (
	"path"
	"slices"
	"testing"
)

// What is said to be kept can be set.
func TestWhatIsKept(t *testing.T) {
	known := map[string][]string{}
	for _, a := range balancerAttributes {
		known["load balancer"] = append(known["load balancer"], a.key)
	}
	for _, a := range groupAttributes {
		known["target group"] = append(known["target group"], a.key)
	}
	for _, a := range (&Listener{Protocol: "HTTPS"}).attributes() {
		known["HTTPS listener"] = append(known["HTTPS listener"], a.key)
	}
	for _, k := range Kept() {
		if !slices.ContainsFunc(known[k.Of], func(key string) bool { ok, _ := path.Match(k.Key, key); return ok }) {
			t.Errorf("no %s has an attribute %s", k.Of, k.Key)
		}
	}
}
