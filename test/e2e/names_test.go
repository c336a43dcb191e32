package e2e

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Tasks without an interface of their own are answered as in the VPC that the machine counts as in.
func TestNamesOnTheMachinesNetwork(t *testing.T) {
	t.Parallel()
	for _, mode := range []types.NetworkMode{types.NetworkModeBridge, types.NetworkModeHost} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			d := define(t, script("main", `grep nameserver /etc/resolv.conf; nslookup -type=a ip-172-31-0-9.ec2.internal; nslookup -type=ptr 9.0.31.172.in-addr.arpa`))
			d.NetworkMode = mode
			out := output(t, *finished(t, d).TaskArn, "main")
			for _, want := range []string{"Address: 172.31.0.9\n", "name = ip-172-31-0-9.ec2.internal\n"} {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in\n%s", want, out)
				}
			}
		})
	}
}
