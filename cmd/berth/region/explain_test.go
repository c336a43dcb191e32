package region

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/path"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire/sigv4"
)

func TestExplain(t *testing.T) {
	s := mem.Open(tables.Schema(), mem.Options{})
	t.Cleanup(func() { _ = s.Close() })
	home := vpc.Home{Account: "000000000000", Region: "us-east-1"}
	err := s.Update(t.Context(), func(tx store.Tx) error {
		all := []vpc.ACLEntry{{Number: 100, Match: vpc.Match{Protocol: -1, From: -1, To: -1}, CIDR: netip.MustParsePrefix("0.0.0.0/0"), Allow: true}}
		tables.VPCs.Put(tx, &vpc.VPC{Home: home, ID: "vpc-1", Blocks: []vpc.Block{{CIDR: netip.MustParsePrefix("10.0.0.0/16")}}, MainACL: "acl-1"})
		tables.Subnets.Put(tx, &vpc.Subnet{Home: home, ID: "subnet-1", VPC: "vpc-1", CIDR: netip.MustParsePrefix("10.0.0.0/24")})
		tables.ACLs.Put(tx, &vpc.ACL{Home: home, ID: "acl-1", VPC: "vpc-1", Ingress: all, Egress: all})
		for _, egress := range []bool{false, true} {
			id := map[bool]string{false: "sgr-in", true: "sgr-out"}[egress]
			tables.Rules.Put(tx, &vpc.Rule{Home: home, ID: id, Group: "sg-1", Egress: egress, Match: vpc.Match{Protocol: 17, From: 53, To: 53}, Peer: vpc.Peer{Group: "sg-1"}})
		}
		for _, id := range []string{"4", "5"} {
			tables.Interfaces.Put(tx, &vpc.Interface{Home: home, ID: "eni-" + id, VPC: "vpc-1", Subnet: "subnet-1", Node: "n", Groups: []string{"sg-1"},
				Owner: "arn:aws:ecs:us-east-1:000000000000:task/c/" + id, Private: []vpc.Private{{Addr: netip.MustParseAddr("10.0.0." + id)}}})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	caller := sigv4.Identity{Key: sigv4.Key{Account: home.Account, Principal: "arn:aws:iam::000000000000:root"}, Scope: sigv4.Scope{Region: home.Region}}
	var refusal error
	x := explainer{store: s, log: slog.New(slog.DiscardHandler), verify: func(*http.Request) (sigv4.Identity, error) { return caller, refusal }}
	ask := func(query string) (int, string) {
		rec := httptest.NewRecorder()
		x.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/?"+query, nil))
		return rec.Code, rec.Body.String()
	}
	for query, want := range map[string]bool{
		"from=eni-4&to=10.0.0.5&protocol=udp&port=53":                                                           true,
		"from=4&to=arn:aws:ecs:us-east-1:000000000000:task/c/5&protocol=udp&port=53&source-port=4000&vpc=vpc-1": true,
		"from=eni-4&to=10.0.0.5&protocol=tcp&port=53":                                                           false,
		"from=eni-4&to=internet&protocol=icmp":                                                                  false,
	} {
		code, body := ask(query)
		var trace path.Trace
		if err := json.Unmarshal([]byte(body), &trace); err != nil || code != http.StatusOK || trace.Open != want || trace.Verdict == "" {
			t.Errorf("%s: %d %s", query, code, body)
		}
	}
	for query, want := range map[string]string{
		"from=eni-9&to=eni-5&protocol=tcp&port=1": "eni-9", "from=eni-4&to=eni-5&protocol=tcp&port=99999": "99999", "from=eni-4&to=eni-5&protocol=sctp&port=1": "sctp",
		"from=internet&to=192.0.2.1&protocol=tcp&port=1": "neither", "from=eni-4&to=eni-5&protocol=tcp&port=1&source-port=0": "port",
	} {
		if code, body := ask(query); code != http.StatusBadRequest || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s, want %q", query, code, body, want)
		}
	}
	caller.Key.Principal = "arn:aws:iam::000000000000:user/x"
	if code, _ := ask("from=eni-4&to=eni-5&protocol=tcp&port=1"); code != http.StatusForbidden {
		t.Errorf("a user was answered: %d", code)
	}
	refusal = errors.New("unsigned")
	if code, _ := ask("from=eni-4&to=eni-5&protocol=tcp&port=1"); code != http.StatusForbidden {
		t.Errorf("a stranger was answered: %d", code)
	}
}
