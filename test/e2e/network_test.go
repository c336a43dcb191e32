package e2e

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func TestContainersOfABridgeTaskDoNotShareLocalhost(t *testing.T) {
	t.Parallel()
	task := running(t, define(t, peer("one", "tcp:80"), peer("two", "tcp:81")))
	one, two := "http://127.0.0.1:"+hostPort(t, task, "one", 80), "http://127.0.0.1:"+hostPort(t, task, "two", 81)
	answers(t, inside(one, "http://127.0.0.1:80"), "one")
	answers(t, inside(two, "http://127.0.0.1:81"), "two")
	if got, err := fetch(inside(one, "http://127.0.0.1:81")); err == nil {
		t.Errorf("one reaches two on its own localhost: %q", got)
	}
}

// What is not published is no business of the machine's own loopback either.
func TestContainerDoesNotReachTheMachinesLoopback(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	out := printed(t, script("main", "wget -T 2 -O - http://127.0.0.1:"+port+" 2>/dev/null || echo unreachable; ip -4 -o addr show eth0 | grep -c 'inet 10.213'"))
	equal(t, "output", out, "unreachable\n1")
}

func TestHostMode(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	c := peer("main", "tcp:"+text(int(port)))
	c.PortMappings = []types.PortMapping{{ContainerPort: &port}}
	d := define(t, c)
	d.NetworkMode = types.NetworkModeHost
	task := running(t, d)
	equal(t, "host port", hostPort(t, task, "main", port), text(int(port)))
	base := "http://127.0.0.1:" + text(int(port))
	answers(t, base, "main")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "loopback") }))
	defer server.Close()
	answers(t, inside(base, server.URL), "loopback") // the machine's loopback is the task's
}

func TestNoneModeHasLoopbackOnly(t *testing.T) {
	t.Parallel()
	d := define(t, script("main", `ls /sys/class/net | tr '\n' ' '; ip -4 -o addr | grep -o 127.0.0.1; echo "[$ECS_CONTAINER_METADATA_URI_V4]"`))
	d.NetworkMode = types.NetworkModeNone
	task := finished(t, d)
	equal(t, "output", strings.Fields(output(t, *task.TaskArn, "main"))[0], "lo")
	if out := output(t, *task.TaskArn, "main"); !strings.HasPrefix(out, "lo 127.0.0.1\n[]") {
		t.Errorf("output %q", out)
	}
}
