package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/installation"
)

// Two tasks talk by their own addresses, as far as security groups let them; containers of one share localhost.
func TestAwsvpcTasksTalk(t *testing.T) {
	t.Parallel()
	open := group(t, "open", 80)
	a := runningVPC(t, define(t, peer("one", "tcp:80"), peer("two", "tcp:81")), open)
	b := runningVPC(t, define(t, peer("other", "tcp:80")), open)
	if a.address == b.address {
		t.Fatalf("both have %s", a.address)
	}
	toA := "http://" + a.address
	answersFrom(t, b, toA+":80", "one")
	answersFrom(t, b, inside(toA+":80", "http://127.0.0.1:81"), "two")
	if got, err := b.fetchFrom(toA + ":81"); err == nil {
		t.Errorf("a port that the group does not open answers %q", got)
	}
	answersFrom(t, b, inside(toA+":80", "http://"+b.address+":80"), "other")
	c := a.Containers[0]
	equal(t, "bindings", len(c.NetworkBindings), 0)
	if len(c.NetworkInterfaces) != 1 || aws.ToString(c.NetworkInterfaces[0].PrivateIpv4Address) != a.address {
		t.Errorf("networkInterfaces %+v", c.NetworkInterfaces)
	}
	if _, err := fetch(toA + ":80"); err == nil {
		t.Error("the machine reaches a private address, which it does not on AWS")
	}
}

func answersFrom(t testing.TB, v vpcTask, url, want string) {
	t.Helper()
	installation.Eventually(t, url, func(context.Context) error {
		got, err := v.fetchFrom(url)
		if err == nil && got != want {
			err = fmt.Errorf("it answers %q, want %q", got, want)
		}
		return err
	})
}

// A rule that is taken away or added counts for tasks that run.
func TestAwsvpcSecurityGroupChanges(t *testing.T) {
	t.Parallel()
	g := group(t, "none", 0)
	a := runningVPC(t, define(t, peer("one", "tcp:80")), g)
	b := runningVPC(t, define(t, script("idle", idle)), g)
	if got, err := b.fetchFrom("http://" + a.address); err == nil {
		t.Fatalf("a group without rules lets %q through", got)
	}
	ec2(t, "AuthorizeSecurityGroupIngress", "GroupId", g, "IpPermissions.1.IpProtocol", "tcp", "IpPermissions.1.FromPort", "80",
		"IpPermissions.1.ToPort", "80", "IpPermissions.1.Groups.1.GroupId", g)
	answersFrom(t, b, "http://"+a.address, "one")
	ec2(t, "RevokeSecurityGroupIngress", "GroupId", g, "IpPermissions.1.IpProtocol", "tcp", "IpPermissions.1.FromPort", "80",
		"IpPermissions.1.ToPort", "80", "IpPermissions.1.Groups.1.GroupId", g)
	installation.Eventually(t, "the rule to be gone", func(context.Context) error {
		if got, err := b.fetchFrom("http://" + a.address); err == nil {
			return fmt.Errorf("it answers %q", got)
		}
		return nil
	})
}

// Names, files and the resolver, as a task sees them.
func TestAwsvpcNames(t *testing.T) {
	t.Parallel()
	out := printedVPC(t, script("main", `cat /etc/resolv.conf; hostname; cat /etc/hosts | tail -1; nslookup "$(hostname)" 2>&1 | grep Address; ip -4 -o addr show eth0 | grep -o 'inet [0-9./]*'`), group(t, "g", 0))
	lines := strings.Split(out, "\n")
	host := ""
	for _, l := range lines {
		if strings.HasPrefix(l, "ip-172-31-") && strings.HasSuffix(l, ".ec2.internal") {
			host = l
		}
	}
	if host == "" || !strings.Contains(out, "nameserver 172.31.0.2\n") || !strings.Contains(out, "search ec2.internal\n") {
		t.Fatalf("the task sees\n%s", out)
	}
	addr := strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(host, "ip-"), ".ec2.internal"), "-", ".")
	if !strings.Contains(out, addr+"\t"+host) && !strings.Contains(out, addr+" "+host) || !strings.Contains(out, "inet "+addr+"/20") || !strings.Contains(out, "Address: "+addr) {
		t.Errorf("its address is not %s everywhere:\n%s", addr, out)
	}
}

// What other modes have works with an interface of its own: order, health, exit codes.
func TestAwsvpcOrderAndHealth(t *testing.T) {
	t.Parallel()
	g := group(t, "g", 0)
	server := peer("server", "tcp:80")
	server.HealthCheck = &types.HealthCheck{Command: []string{"CMD", "/peer", "get", "http://127.0.0.1:80"}, Interval: aws.Int32(5), Retries: aws.Int32(3)}
	client := script("client", `wget -q -O - http://127.0.0.1:80; exit 3`, depends("init", types.ContainerConditionSuccess), depends("server", types.ContainerConditionHealthy))
	task := region.AwaitTask(t, startVPC(t, define(t, script("init", "true", optional), server, client), g), "STOPPED")
	equal(t, "exit code", aws.ToInt32(containerOf(t, task, "client").ExitCode), 3)
	equal(t, "output", strings.TrimSpace(output(t, *task.TaskArn, "client")), "server")
	equal(t, "stopCode", task.StopCode, types.TaskStopCodeEssentialContainerExited)
	equal(t, "attachment", aws.ToString(task.Attachments[0].Status), "DELETED")
}

// A container whose restart policy starts it again is in the same namespace.
func TestAwsvpcRestart(t *testing.T) {
	t.Parallel()
	if os.Getenv("BERTH_TEST_LONG") == "" {
		t.Skip("the shortest attempt period is a minute: set BERTH_TEST_LONG")
	}
	c := script("main", `ip -4 -o addr show eth0 | grep -o 'inet [0-9.]*'; [ -f /again ] && exec sleep 1000; touch /again; sleep 61; exit 1`)
	c.RestartPolicy = &types.ContainerRestartPolicy{Enabled: aws.Bool(true), RestartAttemptPeriod: aws.Int32(60)}
	v := runningVPC(t, define(t, c), group(t, "g", 0))
	want := "inet " + v.address + "\n"
	deadline := time.Now().Add(2 * time.Minute)
	for got := ""; got != want+want && time.Now().Before(deadline); {
		got = output(t, *v.TaskArn, "main")
		if got != want && got != want+want {
			t.Fatalf("printed %q", got)
		}
	}
}

// The metadata endpoint tells a task of its interface; version 2 knows it by its address.
func TestAwsvpcMetadata(t *testing.T) {
	t.Parallel()
	g := group(t, "open", 80)
	v := runningVPC(t, define(t, peer("main", "tcp:80"), script("side", idle)), g)
	other := runningVPC(t, define(t, peer("main", "tcp:80")), g)
	base := "http://" + v.address
	read := func(from vpcTask, url string) map[string]any {
		t.Helper()
		body, err := from.fetchFrom(url)
		if err != nil {
			t.Fatal(err)
		}
		var out map[string]any
		if err := json.Unmarshal([]byte(body), &out); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		return out
	}
	uri, err := v.fetchFrom(base + "/env?name=ECS_CONTAINER_METADATA_URI_V4")
	if err != nil {
		t.Fatal(err)
	}
	_, vpc := subnet(t)
	c := read(v, uri)
	n, _ := c["Networks"].([]any)[0].(map[string]any)
	equal(t, "NetworkMode", n["NetworkMode"], any("awsvpc"))
	equal(t, "IPv4Addresses", fmt.Sprint(n["IPv4Addresses"]), "["+v.address+"]")
	equal(t, "MACAddress", n["MACAddress"], any(v.mac))
	equal(t, "AttachmentIndex", n["AttachmentIndex"], any(0.0))
	equal(t, "IPv4SubnetCIDRBlock", n["IPv4SubnetCIDRBlock"], any("172.31.0.0/20"))
	equal(t, "SubnetGatewayIpv4Address", n["SubnetGatewayIpv4Address"], any("172.31.0.1/20"))
	equal(t, "DomainNameServers", fmt.Sprint(n["DomainNameServers"]), "[172.31.0.2]")
	equal(t, "DomainNameSearchList", fmt.Sprint(n["DomainNameSearchList"]), "[ec2.internal]")
	equal(t, "PrivateDNSName", n["PrivateDNSName"], any("ip-"+strings.ReplaceAll(v.address, ".", "-")+".ec2.internal"))
	task := read(v, uri+"/task")
	equal(t, "VPCID", task["VPCID"], any(vpc))
	two := read(v, "http://169.254.170.2/v2/metadata")
	equal(t, "version 2", two["TaskARN"], any(*v.TaskArn))
	equal(t, "containers of version 2", len(two["Containers"].([]any)), 2)
	equal(t, "stats of version 2", len(read(v, "http://169.254.170.2/v2/stats")), 2)
	equal(t, "version 2 from the other", read(other, "http://169.254.170.2/v2/metadata")["TaskARN"], any(*other.TaskArn))
	if body, err := other.fetchFrom(uri); err == nil {
		t.Errorf("another task reads %s", body)
	}
	if body, err := fetch(uri); err == nil {
		t.Errorf("the machine reads %s", body)
	}
}

// What a task must not reach.
func TestAwsvpcIsClosed(t *testing.T) {
	t.Parallel()
	v := runningVPC(t, define(t, script("idle", idle)), group(t, "g", 0))
	_, port, _ := strings.Cut(strings.TrimPrefix(region.Endpoint, "http://"), ":")
	targets := []string{"169.254.169.254:80", "127.0.0.1:" + port, "172.31.0.1:" + port, "169.254.170.1:" + port, "172.31.0.2:" + port}
	for _, a := range machineAddresses(t) {
		targets = append(targets, a+":"+port, a+":2379", a+":22")
	}
	var tries sync.WaitGroup
	for _, target := range targets {
		tries.Go(func() {
			if c, err := v.dial(t.Context(), "tcp", target); err == nil {
				_ = c.Close()
				t.Errorf("a task reaches %s", target)
			}
		})
	}
	tries.Wait()
}

// Nothing of a task's interface is left when the task is, and its address rests.
func TestAwsvpcStopLeavesNothing(t *testing.T) {
	t.Parallel()
	g := group(t, "g", 0)
	v := runningVPC(t, define(t, script("idle", idle)), g)
	stop(t, *v.TaskArn)
	installation.Eventually(t, "the interface to be gone", func(context.Context) error {
		if _, err := os.Stat(v.netns()); err == nil {
			return fmt.Errorf("%s is there", v.netns())
		}
		if out, err := ec2Try("DescribeNetworkInterfaces", "NetworkInterfaceId.1", v.eni); err == nil {
			return fmt.Errorf("%+v", out.Interfaces)
		}
		return nil
	})
	if next := runningVPC(t, define(t, script("idle", idle)), g); next.address == v.address {
		t.Errorf("%s was given again at once", v.address)
	}
}
