package cloudmapapi

import (
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/wire"
	"github.com/berth-ecs/berth/wire/fair"
	shape "github.com/berth-ecs/berth/wire/shape/servicediscovery"
	"github.com/berth-ecs/berth/wire/sigv4"
	"github.com/berth-ecs/berth/wire/wiretest"
)

// badRequests are what AWS refuses, at least one for each operation, with the code and a part of what is said.
var badRequests = []struct{ operation, body, code, text string }{
	{"CreateHttpNamespace", `{}`, "InvalidInput", "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null"},
	{"CreateHttpNamespace", `{"Name":"arn:x"}`, "InvalidInput", "arn:"},
	{"CreateHttpNamespace", `{"Name":"web"}`, "NamespaceAlreadyExists", "web"},
	{"CreateHttpNamespace", `{"Name":"n","Tags":[{"Key":"aws:x","Value":"y"}]}`, "InvalidInput", "reserved"},
	{"CreatePrivateDnsNamespace", `{"Name":"a.internal"}`, "InvalidInput", "'vpc'"},
	{"CreatePrivateDnsNamespace", `{"Name":"a b","Vpc":"vpc-1"}`, "InvalidInput", "'name'"},
	{"CreatePrivateDnsNamespace", `{"Name":"a..b","Vpc":"vpc-1"}`, "InvalidInput", "not a valid domain name"},
	{"CreatePrivateDnsNamespace", `{"Name":"a.b","Vpc":"vpc-1","Properties":{"DnsProperties":{"SOA":{"TTL":-1}}}}`, "InvalidInput", "'properties.dnsProperties.sOA.tTL'"},
	{"CreatePublicDnsNamespace", `{"Name":"com"}`, "InvalidInput", "'name'"},
	{"GetNamespace", `{"Id":"ns-gone"}`, "NamespaceNotFound", "ns-gone"},
	{"GetNamespace", `{"Id":"a/b"}`, "NamespaceNotFound", "a/b"},
	{"ListNamespaces", `{"MaxResults":101}`, "InvalidInput", "less than or equal to 100"},
	{"ListNamespaces", `{"NextToken":"garbage"}`, "InvalidInput", "NextToken"},
	{"ListNamespaces", `{"Filters":[{"Name":"COLOR","Values":["x"]}]}`, "InvalidInput", "COLOR"},
	{"UpdateHttpNamespace", `{"Id":"ns-gone","Namespace":{"Description":"x"}}`, "NamespaceNotFound", "ns-gone"},
	{"UpdatePrivateDnsNamespace", `{"Id":"ns-web","Namespace":{"Description":"x"}}`, "InvalidInput", "of type HTTP"},
	{"UpdatePublicDnsNamespace", `{"Id":"ns-web","Namespace":{"Description":"x"}}`, "InvalidInput", "of type HTTP"},
	{"DeleteNamespace", `{"Id":"ns-web"}`, "ResourceInUse", "ns-web"},

	{"CreateService", `{"Name":"x"}`, "InvalidInput", "Service namespace id cannot be null"},
	{"CreateService", `{"Name":"-x-","NamespaceId":"ns-web"}`, "InvalidInput", "'name'"},
	{"CreateService", `{"Name":"app","NamespaceId":"ns-web"}`, "ServiceAlreadyExists", "app"},
	{"CreateService", `{"Name":"x","NamespaceId":"ns-gone"}`, "NamespaceNotFound", "ns-gone"},
	{"CreateService", `{"Name":"x","NamespaceId":"ns-web","DnsConfig":{"DnsRecords":[{"Type":"A","TTL":1}]}}`, "InvalidInput", "HTTP namespace"},
	{"CreateService", `{"Name":"x","NamespaceId":"ns-web","DnsConfig":{"DnsRecords":[{"Type":"MX","TTL":1}]}}`, "InvalidInput", "MX"},
	{"CreateService", `{"Name":"x","NamespaceId":"ns-web","HealthCheckConfig":{"Type":"TCP","FailureThreshold":11}}`, "InvalidInput", "less than or equal to 10"},
	{"GetService", `{"Id":"srv-gone"}`, "ServiceNotFound", "srv-gone"},
	{"GetService", `{"Id":"arn:aws:servicediscovery:us-east-1:111111111111:service/srv-app"}`, "ServiceNotFound", "111111111111"},
	{"ListServices", `{"Filters":[{"Name":"NAMESPACE_ID","Values":["a","b"]}]}`, "InvalidInput", "exactly one value"},
	{"UpdateService", `{"Id":"srv-app","Service":{"Description":"x"}}`, "InvalidInput", "HTTP namespace"},
	{"DeleteService", `{"Id":"srv-app"}`, "ResourceInUse", "srv-app"},
	{"GetServiceAttributes", `{"ServiceId":"srv-gone"}`, "ServiceNotFound", "srv-gone"},
	{"UpdateServiceAttributes", `{"ServiceId":"srv-app","Attributes":{}}`, "InvalidInput", "greater than or equal to 1"},
	{"UpdateServiceAttributes", `{"ServiceId":"srv-app","Attributes":{"aws:x":"y"}}`, "InvalidInput", "aws:"},
	{"DeleteServiceAttributes", `{"ServiceId":"srv-app","Attributes":[]}`, "InvalidInput", "greater than or equal to 1"},

	{"RegisterInstance", `{"ServiceId":"srv-app","InstanceId":"a b","Attributes":{}}`, "InvalidInput", "'instanceId'"},
	{"RegisterInstance", `{"ServiceId":"srv-gone","InstanceId":"a","Attributes":{}}`, "ServiceNotFound", "srv-gone"},
	{"RegisterInstance", `{"ServiceId":"srv-app","InstanceId":"a","Attributes":{"AWS_INSTANCE_PORT":"high"}}`, "InvalidInput", "AWS_INSTANCE_PORT must be a port"},
	{"RegisterInstance", `{"ServiceId":"srv-app","InstanceId":"a","Attributes":{"AWS_INIT_HEALTH_STATUS":"HEALTHY"}}`, "InvalidInput", "HealthCheckCustomConfig"},
	{"DeregisterInstance", `{"ServiceId":"srv-app","InstanceId":"gone"}`, "InstanceNotFound", "gone"},
	{"GetInstance", `{"ServiceId":"srv-app","InstanceId":"gone"}`, "InstanceNotFound", "gone"},
	{"GetInstance", `{"ServiceId":"srv-app","InstanceId":""}`, "InstanceNotFound", "srv-app"},
	{"ListInstances", `{"ServiceId":"srv-gone"}`, "ServiceNotFound", "srv-gone"},
	{"GetInstancesHealthStatus", `{"ServiceId":"srv-app","Instances":["one","gone"]}`, "InstanceNotFound", "gone"},
	{"UpdateInstanceCustomHealthStatus", `{"ServiceId":"srv-app","InstanceId":"one","Status":"UNKNOWN"}`, "InvalidInput", "[HEALTHY, UNHEALTHY]"},
	{"UpdateInstanceCustomHealthStatus", `{"ServiceId":"srv-app","InstanceId":"one","Status":"HEALTHY"}`, "CustomHealthNotFound", "srv-app"},
	{"DiscoverInstances", `{"NamespaceName":"web","ServiceName":"gone"}`, "ServiceNotFound", "gone"},
	{"DiscoverInstances", `{"NamespaceName":"web","ServiceName":"app","MaxResults":1001}`, "InvalidInput", "1000"},
	{"DiscoverInstances", `{"NamespaceName":"web","ServiceName":"app","HealthStatus":"FINE"}`, "InvalidInput", "FINE"},
	{"DiscoverInstancesRevision", `{"NamespaceName":"gone","ServiceName":"app"}`, "NamespaceNotFound", "gone"},
	{"GetOperation", `{"OperationId":"0-1"}`, "OperationNotFound", "0-1"},
	{"ListOperations", `{"Filters":[{"Name":"STATUS","Condition":"BEGINS_WITH","Values":["S"]}]}`, "InvalidInput", "BEGINS_WITH"},
	{"TagResource", `{"ResourceARN":"arn:aws:servicediscovery:us-east-1:000000000000:service/srv-gone","Tags":[]}`, "ResourceNotFoundException", "srv-gone"},
	{"UntagResource", `{"ResourceARN":"srv-app","TagKeys":["x"]}`, "ResourceNotFoundException", "srv-app"},
	{"ListTagsForResource", `{"ResourceARN":"arn:aws:servicediscovery:us-east-1:000000000000:instance/x"}`, "ResourceNotFoundException", "instance/x"},
}

func TestBadRequests(t *testing.T) {
	s := mem.Open(tables.Schema(), mem.Options{})
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		n := &cloudmap.Namespace{Home: here, ID: "ns-web", Name: "web", Type: "HTTP"}
		v := &cloudmap.Service{Home: here, ID: "srv-app", Namespace: n.ID, Name: "app", Type: "HTTP"}
		if err := tables.TakeNames(tx, n); err != nil {
			return err
		}
		tables.Namespaces.Put(tx, n)
		tables.Services.Put(tx, v)
		if err := tables.TakeName(tx, n, v); err != nil {
			return err
		}
		_, err := tables.RegisterInstance(tx, tables.Registration{Home: here, Service: v.ID, Instance: "one"})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	ask, mux := edge(t, s, wire.Limits{})
	var tried []string
	for _, b := range badRequests {
		tried = append(tried, b.operation)
		w := ask(b.operation, b.body)
		if code := w.Header().Get("X-Amzn-Errortype"); w.Code != 400 || code != b.code || !strings.Contains(w.Body.String(), b.text) {
			t.Errorf("%s %s: %d %s %s; want %s: %s", b.operation, b.body, w.Code, code, w.Body, b.code, b.text)
		}
	}
	for _, c := range mux.Coverage() {
		if c.Served && !slices.Contains(tried, c.Operation) {
			t.Errorf("no bad request of %s", c.Operation)
		}
	}
}

// edge serves a store's records, and answers how to ask it.
func edge(t *testing.T, s store.Store, limits wire.Limits) (ask func(operation, body string) *httptest.ResponseRecorder, mux *wire.Mux) {
	t.Helper()
	mux = wire.NewMux()
	New(Config{Store: s}).Bind(mux)
	keys := sigv4.Credentials{AccessKey: "AKIA0", Secret: "secret"}
	e, err := wire.NewEdge(wire.Config{Mux: mux, Authorizer: wire.RootOnly{}, Regions: []string{here.Region}, Limits: limits,
		Keys: sigv4.Table{keys.AccessKey: {Secret: keys.Secret, Account: here.Account, Principal: "arn:aws:iam::" + here.Account + ":root"}}})
	if err != nil {
		t.Fatal(err)
	}
	return func(operation, body string) *httptest.ResponseRecorder {
		t.Helper()
		info, _ := shape.Model.Operation(operation)
		r, err := wiretest.Request(t.Context(), &shape.Model, info, wiretest.Sent{Input: json.RawMessage(body), Keys: keys, Region: here.Region})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		return w
	}, mux
}

func TestTooManyRequests(t *testing.T) {
	s := mem.Open(tables.Schema(), mem.Options{})
	t.Cleanup(func() { _ = s.Close() })
	ask, _ := edge(t, s, wire.Limits{Read: fair.Rate{PerSecond: 0.001, Burst: 1}})
	for i, want := range []string{"NamespaceNotFound", "RequestLimitExceeded"} {
		if got := ask("DiscoverInstances", `{"NamespaceName":"web","ServiceName":"app"}`).Header().Get("X-Amzn-Errortype"); got != want {
			t.Errorf("request %d: %s, want %s", i, got, want)
		}
	}
}
