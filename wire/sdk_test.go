package wire_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	ecssdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	stssdk "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/berth-ecs/berth/wire"
)

// The first independent client: aws-sdk-go-v2.

func ecsClient(e *edge) *ecssdk.Client {
	return ecssdk.New(ecssdk.Options{
		BaseEndpoint: &e.url, Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider(accessKey, secret, ""),
		Retryer: awssdk.NopRetryer{},
	})
}

func stsClient(e *edge, key, secret string) *stssdk.Client {
	return stssdk.New(stssdk.Options{
		BaseEndpoint: &e.url, Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider(key, secret, ""), Retryer: awssdk.NopRetryer{},
	})
}

func TestSDKTypes(t *testing.T) {
	e := start(t, bindAll, nil)
	want := []ecstypes.ContainerDefinition{{
		Name: awssdk.String("wéb-日本-🚢"), Image: awssdk.String("a<b>&\"c"), Cpu: 0, Memory: awssdk.Int32(64), Essential: awssdk.Bool(false),
		Environment: []ecstypes.KeyValuePair{}, Command: []string{"", "\u2028\x01\n"}, DockerLabels: map[string]string{"ключ": "", "b": "c"},
		Ulimits: []ecstypes.Ulimit{{Name: "nofile", SoftLimit: 1, HardLimit: 2}}, RestartPolicy: &ecstypes.ContainerRestartPolicy{Enabled: awssdk.Bool(true)},
	}}
	out, err := ecsClient(e).RegisterTaskDefinition(t.Context(), &ecssdk.RegisterTaskDefinitionInput{Family: awssdk.String("web"), ContainerDefinitions: want})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, out.TaskDefinition.ContainerDefinitions, cmpopts.IgnoreUnexported(ecstypes.ContainerDefinition{}, ecstypes.Ulimit{}, ecstypes.ContainerRestartPolicy{})); diff != "" {
		t.Errorf("container definitions (-sent +answered):\n%s", diff)
	}
	if !out.TaskDefinition.RegisteredAt.Equal(created) {
		t.Errorf("registeredAt = %v, want %v", out.TaskDefinition.RegisteredAt, created)
	}
	if out.Tags != nil {
		t.Errorf("tags = %v, want none", out.Tags)
	}
}

func TestSDKRegionAndEmptyLists(t *testing.T) {
	e := start(t, bindAll, nil)
	out, err := ecsClient(e).CreateCluster(t.Context(), &ecssdk.CreateClusterInput{ClusterName: awssdk.String("c")})
	if err != nil {
		t.Fatal(err)
	}
	if got := *out.Cluster.ClusterArn; got != "arn:aws:ecs:eu-west-1:000000000000:cluster/c" {
		t.Errorf("arn = %s", got)
	}
	if out.Cluster.CapacityProviders == nil || out.Cluster.Tags != nil {
		t.Errorf("capacityProviders = %#v, tags = %#v; want empty and absent", out.Cluster.CapacityProviders, out.Cluster.Tags)
	}
}

func TestSDKErrors(t *testing.T) {
	e := start(t, bindAll, nil)
	c := ecsClient(e)
	_, err := c.DescribeClusters(t.Context(), &ecssdk.DescribeClustersInput{})
	var missing *ecstypes.ClusterNotFoundException
	if !errors.As(err, &missing) || missing.ErrorMessage() != "Cluster not found." {
		t.Errorf("DescribeClusters: %v", err)
	}
	_, err = c.RunTask(t.Context(), &ecssdk.RunTaskInput{TaskDefinition: awssdk.String("t")})
	var conflict *ecstypes.ConflictException
	if !errors.As(err, &conflict) || len(conflict.ResourceIds) != 1 || conflict.ResourceIds[0] != "task/1" {
		t.Errorf("RunTask: %v", err)
	}
	_, err = c.ListClusters(t.Context(), &ecssdk.ListClustersInput{})
	var internal *ecstypes.ServerException
	if !errors.As(err, &internal) || strings.Contains(err.Error(), "secret") {
		t.Errorf("ListClusters: %v", err)
	}
	if !strings.Contains(e.log.String(), "a secret in an error") {
		t.Error("the text of the internal error is not in the log")
	}
	_, err = c.StopTask(t.Context(), &ecssdk.StopTaskInput{Task: awssdk.String("t")})
	if code(err) != "UnknownOperationException" || !strings.Contains(err.Error(), "ecs:StopTask") {
		t.Errorf("StopTask: %v", err)
	}
	_, err = c.CreateService(t.Context(), &ecssdk.CreateServiceInput{ServiceName: awssdk.String("s"), LaunchType: "MOON"})
	if code(err) != "UnknownOperationException" {
		t.Errorf("CreateService: %v", err)
	}
	_, err = c.DescribeTasks(t.Context(), &ecssdk.DescribeTasksInput{Tasks: []string{}, Include: []ecstypes.TaskField{"MOON"}})
	if code(err) != "InvalidParameterException" || !strings.Contains(err.Error(), "1 validation error detected: Value 'MOON' at 'include.1.member' failed to satisfy constraint: Member must satisfy enum value set: [TAGS]") {
		t.Errorf("DescribeTasks: %v", err)
	}
}

func code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

func TestSDKCallerIdentity(t *testing.T) {
	e := start(t, bindAll, nil)
	out, err := stsClient(e, accessKey, secret).GetCallerIdentity(t.Context(), &stssdk.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	if *out.Account != account || *out.Arn != root || *out.UserId != account {
		t.Errorf("identity %s %s %s", *out.Account, *out.Arn, *out.UserId)
	}
	_, err = stsClient(e, accessKey, "wrong").GetCallerIdentity(t.Context(), &stssdk.GetCallerIdentityInput{})
	if code(err) != "SignatureDoesNotMatch" {
		t.Errorf("wrong secret: %v", err)
	}
	_, err = stsClient(e, "AKIANOBODY", secret).GetCallerIdentity(t.Context(), &stssdk.GetCallerIdentityInput{})
	if code(err) != "InvalidClientTokenId" {
		t.Errorf("wrong key: %v", err)
	}
	_, err = stsClient(e, accessKey, secret).GetSessionToken(t.Context(), &stssdk.GetSessionTokenInput{})
	if code(err) != "InvalidAction" || !strings.Contains(err.Error(), "sts:GetSessionToken") {
		t.Errorf("GetSessionToken: %v", err)
	}
}

// A presigned GetCallerIdentity is how others prove who they are.
func TestSDKPresigned(t *testing.T) {
	e := start(t, bindAll, nil)
	p, err := stssdk.NewPresignClient(stsClient(e, accessKey, secret)).PresignGetCallerIdentity(t.Context(), &stssdk.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	_, query, _ := strings.Cut(p.URL, "?")
	a := e.send(t, raw{method: p.Method, query: query, unsigned: true, contentType: "text/plain"})
	if a.status != 200 || !strings.Contains(a.body, "<Arn>"+root+"</Arn>") {
		t.Errorf("answer %d %s", a.status, a.body)
	}
}

// Clients learn the server's clock from the error and try again.
func TestSDKClockSkew(t *testing.T) {
	e := start(t, bindAll, nil)
	c := ecssdk.New(ecssdk.Options{
		BaseEndpoint: &e.url, Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider(accessKey, secret, ""),
	})
	late := start(t, bindAll, func(c *wire.Config) { c.Now = func() time.Time { return time.Now().Add(20 * time.Minute) } })
	if _, err := c.DescribeTasks(t.Context(), &ecssdk.DescribeTasksInput{Tasks: []string{}}); err != nil {
		t.Errorf("in time: %v", err)
	}
	_, err := ecsClient(late).DescribeTasks(t.Context(), &ecssdk.DescribeTasksInput{Tasks: []string{}})
	if code(err) != "InvalidSignatureException" || !strings.Contains(err.Error(), "Signature expired") {
		t.Errorf("20 minutes late: %v", err)
	}
}
