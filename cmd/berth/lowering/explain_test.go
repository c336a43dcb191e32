package lowering_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/cmd/berth/lowering"
	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/route"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/wire/sigv4"
)

func TestExplainPage(t *testing.T) {
	s := mem.Open(append(tables.Schema(), machines), mem.Options{})
	t.Cleanup(func() { _ = s.Close() })
	l := &elb.LoadBalancer{Home: home, ID: "0123456789abcdef", Name: "web", DNSName: "web-1.us-east-1.elb.amazonaws.com", Type: elb.TypeApplication, VPC: "vpc-1", Zones: []elb.Zone{{Name: "a"}}}
	forward := []elb.Action{{Type: "forward", Groups: []elb.Weighted{{Group: "g2", Weight: 1}}}}
	err := s.Update(t.Context(), func(tx store.Tx) error {
		tables.LoadBalancers.Put(tx, l)
		tables.Statuses.Put(tx, &elb.LoadBalancerStatus{Home: home, LoadBalancer: l.ID, Nodes: []elb.Node{{Zone: "a", Interface: "eni-1", Machine: "m", Private: netip.MustParseAddr("10.0.0.3"), Serving: true}}})
		tables.Listeners.Put(tx, &elb.Listener{Home: home, LoadBalancer: l.ID, ID: "l", Port: 80, Protocol: elb.HTTP, Default: []elb.Action{{Fixed: &elb.Fixed{Status: "404"}}}})
		tables.Rules.Put(tx, &elb.Rule{Home: home, LoadBalancer: l.ID, Listener: "l", ID: "r", Priority: 1, Actions: forward, Conditions: []elb.Condition{{Field: "http-header", Header: "X-A", Values: []string{"b c"}}}})
		tables.TargetGroups.Put(tx, &elb.TargetGroup{Home: home, ID: "g2", Name: "g2", Type: elb.TargetInstance, Protocol: elb.HTTP, Check: elb.Check{Enabled: true}})
		k := elb.TargetKey{ID: "i-1", Port: 32768}
		tables.Targets.Put(tx, &elb.Target{Home: home, Group: "g2", TargetKey: k, Place: "a"})
		tables.TargetHealths.Put(tx, &elb.TargetHealth{Home: home, Group: "g2", TargetKey: k, Addr: netip.MustParseAddr("192.0.2.9"), LoadBalancer: l.ID, Zone: "a", Interface: "eni-1", State: elb.Healthy})
		machines.Put(tx, &machine{"i-1", "192.0.2.9"})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	caller := sigv4.Identity{Key: sigv4.Key{Account: home.Account, Principal: "arn:aws:iam::000000000000:root"}, Scope: sigv4.Scope{Region: home.Region}}
	var refusal error
	x := lowering.Explainer{Store: s, Machines: places{}, Log: slog.New(slog.DiscardHandler), Verify: func(*http.Request) (sigv4.Identity, error) { return caller, refusal }}
	ask := func(v url.Values) (int, string) {
		rec := httptest.NewRecorder()
		x.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/?"+v.Encode(), nil))
		return rec.Code, rec.Body.String()
	}
	for _, name := range []string{l.Name, l.ARN(), strings.ToUpper(l.DNSName)} {
		code, body := ask(url.Values{"name": {name}, "url": {"http://x/"}, "header": {"x-a: b c"}, "from": {"10.0.0.1"}, "method": {"PUT"}})
		var a route.Answer
		if err := json.Unmarshal([]byte(body), &a); err != nil || code != http.StatusOK || !a.Served || !strings.Contains(a.Text(), "i-1:32768 at 192.0.2.9:32768 in a: it is healthy") {
			t.Errorf("%s: %d %s\n%s", name, code, body, a.Text())
		}
	}
	code, body := ask(url.Values{"name": {"web"}, "url": {"http://x"}})
	if code != http.StatusOK || !strings.Contains(body, "answered with 404") {
		t.Errorf("%d %s", code, body)
	}
	for want, v := range map[string]url.Values{
		"no load balancer": {"name": {"other"}, "url": {"http://x/"}}, "no URL": {"name": {"web"}, "url": {"/x"}}, "ftp": {"name": {"web"}, "url": {"ftp://x/"}}, "99999": {"name": {"web"}, "url": {"http://x:99999/"}},
		"NAME: VALUE": {"name": {"web"}, "url": {"http://x/"}, "header": {"x"}}, "no address": {"name": {"web"}, "url": {"http://x/"}, "from": {"x"}}, "from 1 to": {"name": {"web"}, "url": {"tcp://x"}},
	} {
		if code, body := ask(v); code != http.StatusBadRequest || !strings.Contains(body, want) {
			t.Errorf("%v: %d %s, want %q", v, code, body, want)
		}
	}
	caller.Key.Principal = "arn:aws:iam::000000000000:user/x"
	if code, _ := ask(url.Values{"name": {"web"}, "url": {"http://x/"}}); code != http.StatusForbidden {
		t.Errorf("a user was answered: %d", code)
	}
	caller.Key.Principal, refusal = "arn:aws:iam::000000000000:root", errors.New("unsigned")
	if code, _ := ask(url.Values{"name": {"web"}, "url": {"http://x/"}}); code != http.StatusForbidden {
		t.Errorf("a stranger was answered: %d", code)
	}
}
