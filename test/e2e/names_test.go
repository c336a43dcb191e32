package e2e

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/installation"
)

// Tasks without an interface of their own are answered as in the VPC that the machine counts as in.
func TestNamesOnTheMachinesNetwork(t *testing.T) {
	t.Parallel()
	for _, mode := range []types.NetworkMode{types.NetworkModeBridge, types.NetworkModeHost} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			d := define(t, script("main", `nslookup -type=a ip-172-31-0-9.ec2.internal; nslookup -type=ptr 9.0.31.172.in-addr.arpa`))
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

// call calls an operation of Cloud Map; pairs are members of the request.
func call(t testing.TB, operation string, into any, pairs ...any) {
	t.Helper()
	if err := region.AskCloudMap(detached(t), operation, members(pairs), into); err != nil {
		t.Fatal(err)
	}
}

func members(pairs []any) map[string]any {
	in := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		in[pairs[i].(string)] = pairs[i+1]
	}
	return in
}

// done waits for what an operation of Cloud Map does, and answers what it was about.
func done(t testing.TB, operation string, pairs ...any) map[string]string {
	t.Helper()
	var begun struct{ OperationID string }
	call(t, operation, &begun, pairs...)
	var got struct {
		Operation struct {
			Status, ErrorMessage string
			Targets              map[string]string
		}
	}
	installation.Eventually(t, operation, func(ctx context.Context) error {
		err := region.AskCloudMap(ctx, "GetOperation", map[string]string{"OperationId": begun.OperationID}, &got)
		if err == nil && got.Operation.Status != "SUCCESS" {
			err = fmt.Errorf("it is %s: %s", got.Operation.Status, got.Operation.ErrorMessage)
		}
		return err
	})
	return got.Operation.Targets
}

// domainOf is a name of the test's own, each time. What is made of it ends with the installation.
func domainOf(t testing.TB) string {
	return fmt.Sprintf("%s-%s.test", strings.ToLower(family(t)), strings.ToLower(rand.Text()[:6]))
}

// names is a namespace of the default VPC with two services: web, of addresses, and api, of ports.
type names struct{ domain, namespace, web, api string }

func nameThings(t testing.TB) names {
	t.Helper()
	_, vpc := subnet(t)
	n := names{domain: domainOf(t)}
	n.namespace = done(t, "CreatePrivateDnsNamespace", "Name", n.domain, "Vpc", vpc)["NAMESPACE"]
	make := func(name, kind string) string {
		var made struct{ Service struct{ ID string } }
		call(t, "CreateService", &made, "Name", name, "NamespaceId", n.namespace, "HealthCheckCustomConfig", map[string]any{},
			"DnsConfig", map[string]any{"RoutingPolicy": "MULTIVALUE", "DnsRecords": []any{map[string]any{"Type": kind, "TTL": 5}}})
		return made.Service.ID
	}
	n.web, n.api = make("web", "A"), make("api", "SRV")
	return n
}

func (n names) register(t testing.TB, service, id string, attributes map[string]string) {
	t.Helper()
	done(t, "RegisterInstance", "ServiceId", service, "InstanceId", id, "Attributes", attributes)
}

// discovered are the addresses of the healthy instances of a service, as the API tells them.
func (n names) discovered(t testing.TB, service string) string {
	t.Helper()
	var got struct {
		Instances []struct{ Attributes map[string]string }
	}
	call(t, "DiscoverInstances", &got, "NamespaceName", n.domain, "ServiceName", service, "HealthStatus", "HEALTHY_OR_ELSE_ALL")
	var out []string
	for _, i := range got.Instances {
		out = append(out, i.Attributes["AWS_INSTANCE_IPV4"])
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// dig asks as people do, in a network namespace or, with "", on the machine.
func dig(netns, server string, question ...string) (string, error) {
	argv := append([]string{"dig", "+short", "+tries=2", "+time=5", "@" + server}, question...)
	if at, err := netip.ParseAddrPort(server); err == nil {
		argv = append([]string{"dig", "+short", "+tries=2", "+time=5", "@" + at.Addr().String(), "-p", strconv.Itoa(int(at.Port()))}, question...)
	}
	if netns != "" {
		argv = append([]string{"nsenter", "--net=" + netns}, argv...)
	}
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	lines := strings.Fields(strings.ReplaceAll(strings.TrimSpace(string(out)), " ", "_"))
	slices.Sort(lines)
	return strings.ReplaceAll(strings.Join(lines, " "), "_", " "), err
}

// lookScript asks for the names of a namespace by every resolver there is.
const lookScript = `for who in go musl glibc; do echo "$who: $(look-$who web.%[1]s)"; echo "$who none: $(look-$who none.%[1]s >/dev/null 2>&1; echo $?)"; done
echo "srv: $(look-go -srv api.%[1]s | tr '\n' ';')"
echo "target: $(look-glibc one.api.%[1]s)"
echo "busybox: $(nslookup -type=a web.%[1]s | grep '^Address: ' | cut -d' ' -f2 | sort | tr '\n' ' ')"
`

// Every client in every network mode, dig on the machine and in a task's namespace, and the API say the same.
func TestNamesAreTheSameForAll(t *testing.T) {
	t.Parallel()
	needLook(t)
	n := nameThings(t)
	for id, address := range map[string]string{"one": "10.9.0.1", "two": "10.9.0.2", "ill": "10.9.0.3"} {
		n.register(t, n.web, id, map[string]string{"AWS_INSTANCE_IPV4": address})
	}
	n.register(t, n.api, "one", map[string]string{"AWS_INSTANCE_IPV4": "10.9.0.1", "AWS_INSTANCE_PORT": "8080"})
	n.register(t, n.api, "two", map[string]string{"AWS_INSTANCE_IPV4": "10.9.0.2", "AWS_INSTANCE_PORT": "8081"})
	call(t, "UpdateInstanceCustomHealthStatus", nil, "ServiceId", n.web, "InstanceId", "ill", "Status", "UNHEALTHY")
	const want = "10.9.0.1 10.9.0.2"
	equal(t, "what DiscoverInstances tells", n.discovered(t, "web"), want)
	asked := func(what, netns, server string) {
		installation.Eventually(t, what, func(context.Context) error {
			a, err := dig(netns, server, "web."+n.domain)
			srv, serr := dig(netns, server, "api."+n.domain, "SRV")
			if want := fmt.Sprintf("1 1 8080 one.api.%[1]s. 1 1 8081 two.api.%[1]s.", n.domain); a != "10.9.0.1 10.9.0.2" || srv != want {
				return errors.Join(fmt.Errorf("web is %q, api is %q", a, srv), err, serr)
			}
			return nil
		})
	}
	asked("dig on the machine", "", region.DNS)
	v := runningVPC(t, define(t, script("idle", idle)), group(t, "g", 0))
	asked("dig in a task's namespace", v.netns(), "172.31.0.2")
	asked("dig in a task's namespace, by TCP", v.netns(), "169.254.169.253")
	if out, err := dig(v.netns(), "172.31.0.2", "+noshort", "+noall", "+comments", "none."+n.domain); err != nil || !strings.Contains(out, "NXDOMAIN") {
		t.Errorf("a name that is not there: %v\n%s", err, out)
	}
	for _, mode := range []types.NetworkMode{types.NetworkModeAwsvpc, types.NetworkModeBridge, types.NetworkModeHost} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			n.asTask(t, mode, want)
		})
	}
}

// asTask asks from inside a task.
func (n names) asTask(t *testing.T, mode types.NetworkMode, want string) {
	t.Helper()
	c := script("main", fmt.Sprintf(lookScript, n.domain))
	c.Image = aws.String(lookImage)
	var out string
	if mode == types.NetworkModeAwsvpc {
		out = printedVPC(t, c, group(t, "g", 0))
	} else {
		d := define(t, c)
		d.NetworkMode = mode
		out = output(t, *finished(t, d).TaskArn, "main")
	}
	out += "\n"
	for _, line := range []string{
		"go: " + want, "musl: " + want, "glibc: " + want, "go none: 1", "musl none: 1", "glibc none: 1",
		fmt.Sprintf("srv: 1 1 8080 one.api.%[1]s.;1 1 8081 two.api.%[1]s.;", n.domain), "target: 10.9.0.1", "busybox: " + want,
	} {
		if !strings.Contains(out, line+"\n") && !strings.Contains(out, line+" \n") {
			t.Errorf("%s: no %q in\n%s", mode, line, out)
		}
	}
}

// A namespace of another VPC is nobody's business: neither its names nor that it is there.
func TestNamesOfAnotherVPCAreNotSeen(t *testing.T) {
	t.Parallel()
	vpc, _ := ownVPC(t)
	domain := domainOf(t)
	done(t, "CreatePrivateDnsNamespace", "Name", domain, "Vpc", vpc)
	installation.Eventually(t, "the machine to know the zone", func(context.Context) error {
		out, err := dig("", region.DNS, domain, "SOA")
		if err == nil && !strings.HasPrefix(out, "ns-1536.awsdns-00.co.uk. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400") {
			err = fmt.Errorf("SOA %q", out)
		}
		return err
	})
	v := runningVPC(t, define(t, script("idle", idle)), group(t, "g", 0))
	if out, err := dig(v.netns(), "172.31.0.2", domain, "SOA"); err != nil || strings.Contains(out, "awsdns-hostmaster") {
		t.Errorf("in the default VPC: %v %q", err, out)
	}
}
