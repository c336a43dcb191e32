package hosts_test

import (
	"testing"

	"github.com/berth-ecs/berth/test/hosts"
)

// What the systemd unit takes from a server it does not need.
func TestAServerNeedsFewRights(t *testing.T) {
	t.Parallel()
	h := hosts.New(t).Host()
	h.FirstConfined()
	if err := createCluster(t.Context(), h.ECS(), "confined"); err != nil {
		t.Fatal(err)
	}
	h.Must("ticket", "node")
}
