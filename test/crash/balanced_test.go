package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/berth-ecs/berth/test/audit/inventory"
	"github.com/berth-ecs/berth/test/rounds"
)

// place is a node of a load balancer: its hidden task and interface.
type place struct {
	Task, Interface, Private, Public string
}

// interfaces are those of load balancers, by the last part of what they are described as.
func (w *world) interfaces(ctx context.Context) (map[string][]place, error) {
	var found struct {
		All []struct {
			ID          string `xml:"networkInterfaceId"`
			Description string `xml:"description"`
			Private     string `xml:"privateIpAddress"`
			Public      string `xml:"association>publicIp"`
		} `xml:"networkInterfaceSet>item"`
	}
	if err := w.AskEC2(ctx, &found, "DescribeNetworkInterfaces", "Filter.1.Name", "description", "Filter.1.Value.1", "ELB *"); err != nil {
		return nil, err
	}
	out := map[string][]place{}
	for _, i := range found.All {
		of := strings.TrimPrefix(i.Description, "ELB ")
		out[of] = append(out[of], place{Interface: i.ID, Private: i.Private, Public: i.Public})
	}
	return out, nil
}

// hidden are the tasks of load balancers that the node says it has, by id, with their interfaces' addresses.
func (w *world) hidden(ctx context.Context) (map[string]string, error) {
	if w.balancing == nil {
		return nil, nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+w.Introspection+"/v1/tasks", nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	var said struct {
		Tasks []struct {
			Arn, Family, KnownStatus string
			Containers               []struct {
				Networks []struct{ IPv4Addresses []string }
			}
		}
	}
	if err := json.Unmarshal(text, &said); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, t := range said.Tasks {
		if t.Family != "@amazon-elb" || t.KnownStatus == "STOPPED" {
			continue
		}
		if t.KnownStatus != "RUNNING" || len(t.Containers) != 1 || len(t.Containers[0].Networks) != 1 || len(t.Containers[0].Networks[0].IPv4Addresses) != 1 {
			return nil, fmt.Errorf("hidden task %+v", t)
		}
		out[rounds.ShortID(t.Arn)] = t.Containers[0].Networks[0].IPv4Addresses[0]
	}
	return out, nil
}

// nodes: every load balancer that there is to be is active, has one node, and there are no others. It answers them by name.
func (w *world) nodes(ctx context.Context) (map[string]place, error) {
	if w.balancing == nil {
		return nil, nil
	}
	hidden, err := w.hidden(ctx)
	if err != nil {
		return nil, err
	}
	has, err := w.interfaces(ctx)
	if err != nil {
		return nil, err
	}
	all, err := w.balancing.c.DescribeLoadBalancers(ctx, &elbv2.DescribeLoadBalancersInput{})
	if err != nil {
		return nil, err
	}
	out := map[string]place{}
	for _, b := range all.LoadBalancers {
		want, there := w.balancerNow(*b.LoadBalancerName)
		_, of, _ := strings.Cut(*b.LoadBalancerArn, ":loadbalancer/")
		mine := has[of]
		if !there || *want.LoadBalancerArn != *b.LoadBalancerArn || b.State.Code != types.LoadBalancerStateEnumActive || len(mine) != 1 {
			return nil, fmt.Errorf("load balancer %s is %s (%s) and has interfaces %v; wanted: %t", of, b.State.Code, aws.ToString(b.State.Reason), mine, there)
		}
		n := mine[0]
		for id, address := range hidden {
			if address == n.Private {
				n.Task = id
			}
		}
		if n.Task == "" {
			return nil, fmt.Errorf("load balancer %s has no task at %s: %v", of, n.Private, hidden)
		}
		out[*b.LoadBalancerName] = n
	}
	w.book.mu.Lock()
	wanted := len(w.balancing.balancers)
	w.balancing.seen = out
	w.book.mu.Unlock()
	if len(out) != wanted || len(has) != wanted || len(hidden) != wanted {
		return nil, fmt.Errorf("%d load balancers are wanted; there are %d, interfaces of %v, tasks %v", wanted, len(out), has, hidden)
	}
	return out, nil
}

// placesSeen are the nodes of load balancers as they were seen last.
func (w *world) placesSeen() map[string]place {
	if w.balancing == nil {
		return nil
	}
	w.book.mu.Lock()
	defer w.book.mu.Unlock()
	return w.balancing.seen
}

// runningNodes are the containers of load balancers' tasks, as the audit names them.
func runningNodes(nodes map[string]place) (out []inventory.Running) {
	for _, n := range nodes {
		out = append(out, inventory.Running{TaskID: n.Task, ID: n.Task + "-0", Endpoint: n.Interface})
	}
	return out
}

// behindFront: the targets are the tasks that run behind the load balancer, they are healthy, and there are no others.
func (w *world) behindFront(ctx context.Context, live []ecstypes.Task) error {
	if w.balancing == nil {
		return nil
	}
	said, err := w.balancing.c.DescribeTargetHealth(ctx, &elbv2.DescribeTargetHealthInput{TargetGroupArn: &w.balancing.group})
	if err != nil {
		return err
	}
	var got, want []string
	for _, t := range said.TargetHealthDescriptions {
		got = append(got, fmt.Sprintf("%s:%d %s", *t.Target.Id, *t.Target.Port, t.TargetHealth.State))
	}
	for _, t := range live {
		if service, _ := strings.CutPrefix(aws.ToString(t.Group), "service:"); w.targets(service) != nil {
			want = append(want, detail(t, "privateIPv4Address")+":80 healthy")
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return fmt.Errorf("targets %v; tasks behind the load balancer %v", got, want)
	}
	return nil
}

// envoys: there is one Envoy while a load balancer is there, and never two.
func envoys(v inventory.Inventory, nodes map[string]place) []string {
	if n := countEnvoys(v); n > 1 || n == 0 && len(nodes) > 0 {
		return []string{fmt.Sprintf("%d Envoys run for %d load balancers", n, len(nodes))}
	}
	return nil
}

func countEnvoys(v inventory.Inventory) (n int) {
	for _, p := range v.Of(inventory.Process) {
		if strings.HasPrefix(p.Key, "envoy ") {
			n++
		}
	}
	return n
}

// frontAddress is where the load balancer that nobody changes answers; "" where there is none.
func (w *world) frontAddress(ctx context.Context) (string, error) {
	if w.balancing == nil {
		return "", nil
	}
	b, there := w.balancerNow(front)
	if !there {
		return "", nil
	}
	has, err := w.interfaces(ctx)
	_, of, _ := strings.Cut(*b.LoadBalancerArn, ":loadbalancer/")
	if err != nil || len(has[of]) != 1 {
		return "", fmt.Errorf("load balancer %s has interfaces %v (%w)", of, has[of], err)
	}
	return has[of][0].Public, nil
}
