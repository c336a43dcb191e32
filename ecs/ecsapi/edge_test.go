package ecsapi

import (
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	ecssdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/wire"
	"github.com/berth-ecs/berth/wire/sigv4"
	"github.com/berth-ecs/berth/wire/wiretest"
)

func TestEveryOperationAsks(t *testing.T) {
	mux := wire.NewMux()
	newRegion(t).api.Bind(mux)
	wiretest.Asks(t, mux)
}

// client is AWS's own client, through the edge.
func (r *region) client() *ecssdk.Client {
	r.Helper()
	const key, secret = "AKIAIOSFODNN7EXAMPLE", "a secret for tests"
	mux := wire.NewMux()
	r.api.Bind(mux)
	edge, err := wire.NewEdge(wire.Config{Mux: mux, Authorizer: wire.RootOnly{}, Regions: []string{us.Region},
		Keys: sigv4.Table{key: {Secret: secret, Account: us.Account, Principal: "arn:aws:iam::" + us.Account + ":root"}}})
	if err != nil {
		r.Fatal(err)
	}
	server := httptest.NewServer(edge)
	r.Cleanup(server.Close)
	return ecssdk.New(ecssdk.Options{BaseEndpoint: &server.URL, Region: us.Region, Retryer: awssdk.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider(key, secret, "")})
}

func TestThroughTheSDK(t *testing.T) {
	r := newRegion(t)
	c := r.client()
	if _, err := c.CreateCluster(t.Context(), &ecssdk.CreateClusterInput{}); err != nil {
		t.Fatal(err)
	}
	r.instance()
	def, err := c.RegisterTaskDefinition(t.Context(), &ecssdk.RegisterTaskDefinitionInput{Family: awssdk.String("web"),
		ContainerDefinitions: []types.ContainerDefinition{{Name: awssdk.String("app"), Image: awssdk.String("web:1"), Memory: awssdk.Int32(64)}}})
	if err != nil {
		t.Fatal(err)
	}
	service, err := c.CreateService(t.Context(), &ecssdk.CreateServiceInput{ServiceName: awssdk.String("web"),
		TaskDefinition: def.TaskDefinition.TaskDefinitionArn, DesiredCount: awssdk.Int32(0)})
	if err != nil {
		t.Fatal(err)
	}
	if got := *service.Service.CreatedAt; got.Nanosecond() != 678*int(time.Millisecond) {
		t.Errorf("createdAt %v has no fraction", got)
	}
	stable := ecssdk.NewServicesStableWaiter(c)
	if err := stable.Wait(t.Context(), &ecssdk.DescribeServicesInput{Services: []string{"web"}}, time.Minute); err != nil {
		t.Errorf("services-stable: %v", err)
	}
	run, err := c.RunTask(t.Context(), &ecssdk.RunTaskInput{TaskDefinition: awssdk.String("web")})
	if err != nil || len(run.Tasks) != 1 {
		t.Fatalf("%+v %v", run, err)
	}
	var missing *types.ServiceNotFoundException
	if _, err := c.UpdateService(t.Context(), &ecssdk.UpdateServiceInput{Service: awssdk.String("gone")}); !errors.As(err, &missing) {
		t.Errorf("UpdateService: %v", err)
	}
	token := &ecssdk.RunTaskInput{TaskDefinition: awssdk.String("web"), ClientToken: awssdk.String("token")}
	if _, err := c.RunTask(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	token.StartedBy = awssdk.String("another")
	var conflict *types.ConflictException
	if _, err := c.RunTask(t.Context(), token); !errors.As(err, &conflict) || len(conflict.ResourceIds) != 1 {
		t.Errorf("RunTask: %v", err)
	}
	pages := ecssdk.NewListTasksPaginator(c, &ecssdk.ListTasksInput{MaxResults: awssdk.Int32(1)})
	n := 0
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n += len(page.TaskArns)
	}
	if n != 2 {
		t.Errorf("%d tasks in all pages", n)
	}
}
