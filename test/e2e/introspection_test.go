package e2e

import (
	"encoding/json"
	"net"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func TestIntrospection(t *testing.T) {
	t.Parallel()
	task := running(t, define(t, peer("main", "tcp:80")))
	body, err := fetch("http://" + region.Introspection + "/v1/tasks?taskarn=" + *task.TaskArn)
	if err != nil {
		t.Fatal(err)
	}
	var told struct {
		Arn, KnownStatus string
		Containers       []struct{ DockerID, Name string }
	}
	if err := json.Unmarshal([]byte(strings.ReplaceAll(body, "DockerId", "DockerID")), &told); err != nil {
		t.Fatal(err)
	}
	equal(t, "task", told.Arn, *task.TaskArn)
	equal(t, "status", told.KnownStatus, "RUNNING")
	equal(t, "container", told.Containers[0].DockerID, aws.ToString(task.Containers[0].RuntimeId))
	// As with the agent, a container asks at its gateway; what is from outside is not answered.
	_, port, _ := net.SplitHostPort(region.Introspection)
	base := "http://127.0.0.1:" + hostPort(t, task, "main", 80)
	mine := document(t, base, "")["Networks"].([]any)[0].(map[string]any)["IPv4Addresses"].([]any)[0].(string)
	gateway := mine[:strings.LastIndexByte(mine, '.')] + ".1"
	got, err := fetch(inside(base, "http://"+gateway+":"+port+"/v1/metadata"))
	if err != nil || !strings.Contains(got, aws.ToString(task.ContainerInstanceArn)) {
		t.Errorf("at the gateway: %s, %v", got, err)
	}
	if out, err := fromOutside(t, "http://198.51.100.1:"+port+"/v1/metadata"); err == nil {
		t.Errorf("from outside: %s", out)
	}
}

// fromOutside fetches as another machine would, which is a link away.
func fromOutside(t *testing.T, url string) (string, error) {
	t.Helper()
	ns, link := region.Name+"out", region.Name+"o"
	for _, args := range []string{
		"netns add " + ns, "link add " + link + " type veth peer name out0 netns " + ns,
		"addr add 198.51.100.1/30 dev " + link, "link set " + link + " up",
		"-n " + ns + " addr add 198.51.100.2/30 dev out0", "-n " + ns + " link set out0 up",
	} {
		if out, err := exec.CommandContext(t.Context(), "ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v %s", args, err, out)
		}
	}
	t.Cleanup(func() {
		if out, err := exec.CommandContext(detached(t), "ip", "netns", "del", ns).CombinedOutput(); err != nil {
			t.Errorf("ip netns del: %v %s", err, out)
		}
	})
	out, err := exec.CommandContext(t.Context(), "ip", "netns", "exec", ns, "curl", "-sS", "-m", "3", url).CombinedOutput()
	if err != nil && !strings.Contains(string(out), "Empty reply") && !strings.Contains(string(out), "reset") {
		t.Fatalf("the way from outside does not work: %s", out) // the test would tell nothing
	}
	return string(out), err
}
