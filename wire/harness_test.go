package wire_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/berth-ecs/berth/iam/stsapi"
	"github.com/berth-ecs/berth/wire"
	"github.com/berth-ecs/berth/wire/internal/toy/toyjson"
	"github.com/berth-ecs/berth/wire/internal/toy/toyquery"
	aws "github.com/berth-ecs/berth/wire/shape"
	"github.com/berth-ecs/berth/wire/shape/ecs"
	"github.com/berth-ecs/berth/wire/sigv4"
)

const (
	accessKey = "AKIAIOSFODNN7EXAMPLE"
	secret    = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	account   = "000000000000"
	root      = "arn:aws:iam::000000000000:root"
)

// edge is an edge on a real socket, with what tests look at.
type edge struct {
	url     string
	mux     *wire.Mux
	log     *logBuffer
	metrics *prometheus.Registry
}

// logBuffer is a log that can be read while it is written.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start serves what bind binds; change may alter the configuration.
func start(t *testing.T, bind func(*wire.Mux), change func(*wire.Config)) *edge {
	t.Helper()
	e := &edge{mux: wire.NewMux(), log: &logBuffer{}, metrics: prometheus.NewRegistry()}
	bind(e.mux)
	c := wire.Config{
		Mux:        e.mux,
		Keys:       sigv4.Table{accessKey: {Secret: secret, Account: account, Principal: root}},
		Authorizer: wire.RootOnly{},
		Regions:    []string{"us-east-1", "eu-west-1"},
		Log:        slog.New(slog.NewJSONHandler(e.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Metrics:    e.metrics,
	}
	if change != nil {
		change(&c)
	}
	h, err := wire.NewEdge(c)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.Config = wire.NewServer(h, nil)
	s.Start()
	t.Cleanup(s.Close)
	e.url = s.URL
	return e
}

// bindAll binds the toys, a handful of ECS and all of STS that there is.
func bindAll(m *wire.Mux) {
	stsapi.Bind(m)
	bindECS(m)
	wire.Handle(m, toyjson.OpEcho, func(_ context.Context, _ wire.Call, in *toyjson.EchoInput) (*toyjson.EchoOutput, error) {
		out := toyjson.EchoOutput(*in)
		return &out, nil
	})
	wire.Handle(m, toyquery.OpEcho, func(_ context.Context, _ wire.Call, in *toyquery.EchoInput) (*toyquery.EchoOutput, error) {
		out := toyquery.EchoOutput(*in)
		return &out, nil
	})
	wire.Handle(m, toyjson.OpFail, func(_ context.Context, _ wire.Call, in *toyjson.FailInput) (*aws.Unit, error) {
		return nil, fail(in.Code)
	})
	wire.Handle(m, toyquery.OpFail, func(_ context.Context, _ wire.Call, in *toyquery.FailInput) (*aws.Unit, error) {
		return nil, fail(in.Code)
	})
	wire.Handle(m, toyjson.OpOpen, func(_ context.Context, c wire.Call, _ *aws.Unit) (*aws.Unit, error) { return nil, nil })
	wire.Handle(m, toyquery.OpOpen, func(_ context.Context, c wire.Call, _ *aws.Unit) (*aws.Unit, error) { return nil, nil })
}

// fail fails as it is told.
func fail(code *string) error {
	switch aws.Val(code) {
	case toyjson.CodeConflictException:
		return &aws.Error{Code: toyjson.CodeConflictException, Message: "zweimal: größer <als> & \"so\"", Members: map[string]any{"resourceIds": []string{"a", "b"}}}
	case "invalid":
		return &wire.Invalid{Member: "Code", Rule: "must be nice."}
	case "panic":
		panic("a secret in a panic")
	}
	return errors.New("a secret in an error")
}

// created is a time with milliseconds.
var created = time.Date(2026, 11, 21, 8, 36, 40, 123_000_000, time.UTC)

func bindECS(m *wire.Mux) {
	wire.Handle(m, ecs.OpCreateCluster, func(_ context.Context, c wire.Call, in *ecs.CreateClusterRequest) (*ecs.CreateClusterResponse, error) {
		arn := "arn:aws:ecs:" + c.Region + ":" + c.Account + ":cluster/" + aws.Val(in.ClusterName)
		return &ecs.CreateClusterResponse{Cluster: &ecs.Cluster{
			ClusterArn: &arn, ClusterName: in.ClusterName, Tags: in.Tags, Settings: in.Settings, ActiveServicesCount: aws.Ptr[int32](0),
			CapacityProviders: []string{}, Status: aws.Ptr("ACTIVE"),
		}}, nil
	})
	wire.Handle(m, ecs.OpRegisterTaskDefinition, func(_ context.Context, _ wire.Call, in *ecs.RegisterTaskDefinitionRequest) (*ecs.RegisterTaskDefinitionResponse, error) {
		return &ecs.RegisterTaskDefinitionResponse{TaskDefinition: &ecs.TaskDefinition{
			Family: in.Family, ContainerDefinitions: in.ContainerDefinitions, RegisteredAt: aws.At(created), Revision: aws.Ptr[int32](1),
		}, Tags: in.Tags}, nil
	})
	wire.Handle(m, ecs.OpDescribeTasks, func(context.Context, wire.Call, *ecs.DescribeTasksRequest) (*ecs.DescribeTasksResponse, error) {
		return &ecs.DescribeTasksResponse{Tasks: []ecs.Task{}, Failures: []ecs.Failure{{Reason: aws.Ptr("MISSING")}}}, nil
	})
	wire.Handle(m, ecs.OpRunTask, func(context.Context, wire.Call, *ecs.RunTaskRequest) (*ecs.RunTaskResponse, error) {
		return nil, &aws.Error{Code: ecs.CodeConflictException, Message: "used before", Members: map[string]any{"resourceIds": []string{"task/1"}}}
	})
	wire.Handle(m, ecs.OpDescribeClusters, func(context.Context, wire.Call, *ecs.DescribeClustersRequest) (*ecs.DescribeClustersResponse, error) {
		return nil, wire.Errorf(ecs.CodeClusterNotFoundException, "Cluster not found.")
	})
	wire.Handle(m, ecs.OpListClusters, func(context.Context, wire.Call, *ecs.ListClustersRequest) (*ecs.ListClustersResponse, error) {
		return nil, errors.New("a secret in an error")
	})
}

// raw is a hand-made request.
type raw struct {
	service, target, contentType, body string
	method, query                      string
	header                             map[string]string
	unsigned                           bool
	region                             string
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (e *edge) send(t *testing.T, q raw) answer {
	t.Helper()
	if q.method == "" {
		q.method = "POST"
	}
	r, err := http.NewRequest(q.method, e.url+"/?"+q.query, bytes.NewReader([]byte(q.body)))
	if err != nil {
		t.Fatal(err)
	}
	if q.contentType == "" {
		q.contentType = "application/x-amz-json-1.1"
	}
	r.Header.Set("Content-Type", q.contentType)
	if q.target != "" {
		r.Header.Set("X-Amz-Target", q.target)
	}
	for k, v := range q.header {
		r.Header.Set(k, v)
	}
	if !q.unsigned {
		if q.region == "" {
			q.region = "us-east-1"
		}
		signer := sigv4.Signer{Credentials: sigv4.Credentials{AccessKey: accessKey, Secret: secret}, Scope: sigv4.Scope{Region: q.region, Service: q.service}}
		signer.Sign(r, []byte(q.body), time.Now())
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

// ecsCall is a request to ECS.
func ecsCall(operation, body string) raw {
	return raw{service: "ecs", target: "AmazonEC2ContainerServiceV20141113." + operation, body: body}
}
