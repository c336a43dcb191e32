package region

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/blobs/dir"
	"github.com/berth-ecs/berth/cloudmap/route53api"
	"github.com/berth-ecs/berth/cmd/berth/balancing"
	"github.com/berth-ecs/berth/cmd/berth/identities"
	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/ecsapi"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/registry/registryapi"
	"github.com/berth-ecs/berth/registry/shelf"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	"github.com/berth-ecs/berth/wire/sigv4"
	"github.com/berth-ecs/berth/wire/wiretest"
)

// The owner of what others must not see; who tries from another account, and who from another region.
var (
	owner    = ecs.Home{Account: "000000000000", Region: "us-east-1"}
	stranger = ecs.Home{Account: "111111111111", Region: "us-east-1"}
	abroad   = ecs.Home{Account: "000000000000", Region: "eu-west-1"}
)

// secret is in everything that the owner has, and in no request of anybody else.
const secret = "moonstone"

// world is a server without sockets in which the owner has one of everything.
type world struct {
	*testing.T
	store store.Store
	mux   *wire.Mux
	edge  *wire.Edge

	instance, task       string // ids
	deployment, revision string // ARNs, of the service

	used, spare aim // what the owner has of EC2, by the members that name it
	found       aim // of Cloud Map
	certificate string
}

func keysOf(account string) sigv4.Credentials {
	return sigv4.Credentials{AccessKey: "AKIA" + account, Secret: "the root of " + account}
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, store: mem.Open(Schema(), mem.Options{})}
	t.Cleanup(func() { _ = w.store.Close() })
	b, err := dir.Open(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	w.mux = NewMux(ecsapi.New(ecsapi.Config{Store: w.store, Wings: tables.Wings{Network: network{}}}),
		registryapi.New(registryapi.Config{Shelf: &shelf.Shelf{Store: w.store, Blobs: b}, Endpoint: "http://127.0.0.1:4566"}),
		newVPC(config.Settings{Region: owner.Region, Regions: []string{owner.Region, abroad.Region}, PublicPool: netip.MustParsePrefix("198.18.0.0/15")}, w.store),
		newCloudMap(config.Settings{}, w.store), route53api.New(w.store), identities.New(w.store, testKeyring(t)), balancing.New(w.store, registrants{}))
	table := sigv4.Table{}
	for _, account := range []string{owner.Account, stranger.Account} {
		k := keysOf(account)
		table[k.AccessKey] = sigv4.Key{Secret: k.Secret, Account: account, Principal: "arn:aws:iam::" + account + ":root"}
	}
	w.edge, err = wire.NewEdge(wire.Config{Mux: w.mux, Keys: table, Authorizer: wire.RootOnly{}, Regions: []string{owner.Region, abroad.Region}})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// answer is what an operation answered.
type answer struct {
	status int
	body   string
}

func (w *world) call(s *aws.Service, operation string, who ecs.Home, input any) answer {
	w.Helper()
	info, ok := s.Operation(operation)
	if !ok {
		w.Fatalf("no operation %s", operation)
	}
	r, err := wiretest.Request(w.Context(), s, info, wiretest.Sent{Input: input, Keys: keysOf(who.Account), Region: who.Region})
	if err != nil {
		w.Fatalf("%s: %v", operation, err)
	}
	rec := httptest.NewRecorder()
	w.edge.ServeHTTP(rec, r)
	return answer{rec.Code, rec.Body.String()}
}

func (w *world) ecs(operation string, who ecs.Home, input string) {
	w.Helper()
	w.serve("ecs", operation, who, input)
}

// serve calls an operation that has to succeed.
func (w *world) serve(service, operation string, who ecs.Home, input string) {
	w.Helper()
	var in any
	if err := json.Unmarshal([]byte(input), &in); err != nil {
		w.Fatal(err)
	}
	if a := w.call(serviceOf(w.mux, service), operation, who, in); a.status != 200 {
		w.Fatalf("%s: %d %s", operation, a.status, a.body)
	}
}

func serviceOf(m *wire.Mux, name string) *aws.Service {
	for _, s := range m.Services() {
		if s.Package == name {
			return s
		}
	}
	return nil
}

// furnish gives somebody a cluster, a definition, a service, an instance and a task, with a word in all of them.
func (w *world) furnish(who ecs.Home, word string) {
	w.Helper()
	tags := fmt.Sprintf(`[{"key":"word","value":%q}]`, word)
	w.ecs("CreateCluster", who, `{"clusterName":"blue","tags":`+tags+`}`)
	w.ecs("RegisterTaskDefinition", who, `{"family":"web","tags":`+tags+`,"containerDefinitions":[{"name":"app","image":"`+word+`:1","memory":64}]}`)
	w.ecs("RegisterTaskDefinition", who, `{"family":"web","containerDefinitions":[{"name":"app","image":"`+word+`:2","memory":64}]}`)
	w.ecs("DeregisterTaskDefinition", who, `{"taskDefinition":"web:2"}`)
	w.ecs("CreateService", who, `{"cluster":"blue","serviceName":"web","taskDefinition":"web:1","desiredCount":1,"tags":`+tags+`}`)
	w.ecs("RegisterContainerInstance", who, `{"cluster":"blue","tags":`+tags+`,"attributes":[{"name":"word","value":"`+word+`"}],
		"versionInfo":{"agentVersion":"1.1.1"},"totalResources":[{"name":"CPU","type":"INTEGER","integerValue":1024},{"name":"MEMORY","type":"INTEGER","integerValue":1024}]}`)
	w.serve("ecr", "CreateRepository", who, `{"repositoryName":"blue","tags":[{"Key":"word","Value":"`+word+`"}]}`)
	w.ecs("PutAccountSetting", who, `{"name":"containerInsights","value":"enhanced"}`)
}

// work makes the owner's tasks: of the service, and the one that was started alone.
func (w *world) work() {
	w.Helper()
	w.update(func(tx store.Tx) {
		for _, i := range tables.Instances.List(tx, tables.At(owner).Prefix("blue"), "") {
			w.instance = i.ID
		}
		tables.MarkConnected(tx, tables.MemberKey(owner, "blue", w.instance), "s", true)
		s, _ := tables.Services.Peek(tx, tables.MemberKey(owner, "blue", "web"))
		w.revision = owner.ServiceRevisionARN("blue", "web", s.Target.ID)
		for _, d := range tables.ServiceDeployments.List(tx, tables.At(owner).Prefix("blue", "web"), "") {
			w.deployment = d.ARN()
		}
		d, _ := tables.TaskDefinitions.Peek(tx, tables.RevisionKey(owner, "web", 1))
		ts, _, err := tables.Launch(tx, tables.Wings{}, launch.Spec{Home: owner, Cluster: "blue", Definition: d, Count: 1, Service: "web", Deployment: s.Target.ID, Group: "service:web", StartedBy: secret})
		if err != nil || len(ts) != 1 {
			w.Fatalf("%d tasks: %v", len(ts), err)
		}
		w.task = ts[0].ID
		tables.TaskTags.Put(tx, &ecs.TaskTags{Home: owner, Cluster: "blue", ID: w.task, Tags: s.Tags})
	})
}

func (w *world) update(fn func(store.Tx)) {
	w.Helper()
	if err := w.store.Update(w.Context(), func(tx store.Tx) error { fn(tx); return nil }); err != nil {
		w.Fatal(err)
	}
}

// property is everything the owner has: its own records, and the ledgers of its region.
func (w *world) property() string {
	w.Helper()
	var b strings.Builder
	err := w.store.View(w.Context(), store.Fresh, func(tx store.Tx) error {
		for key, rec := range Schema().Records(tx) {
			if strings.Contains(key, " "+tables.At(owner).Prefix()) || w.instance != "" && strings.Contains(key, " "+store.RegionWide(owner.Region).Key(w.instance)) {
				text, _ := json.Marshal(rec)
				fmt.Fprintf(&b, "%s %s\n", key, text)
			}
		}
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	return b.String()
}
