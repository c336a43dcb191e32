package hub_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/ecs"
)

// An agent opens the sessions of container instances of its own account and region only.
func TestSessionsDoNotCrossTheBorder(t *testing.T) {
	w := newWorld(t)
	for name, of := range map[string]ecs.Home{
		"another account": {Account: "111111111111", Region: home.Region}, "another region": {Account: home.Account, Region: "eu-west-1"},
	} {
		arn := of.InstanceARN(cluster, instanceID)
		for path, q := range map[string]url.Values{"/acs/ws": {"containerInstanceArn": {arn}}, "/tcs/ws": {"containerInstance": {arn}}} {
			_, refusal, err := w.dial(path, q)
			if err == nil || !strings.Contains(refusal, "AccessDeniedException") || !strings.Contains(refusal, name) {
				t.Errorf("%s of %s: %v %s", path, name, err, refusal)
			}
		}
	}
}
