package stock

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/cmd/berth/region"
	"github.com/berth-ecs/berth/internal/authority"
	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/internal/ready"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

const (
	accessKey = "AKIATESTTESTTESTTEST"
	secretKey = "test-secret-key-test-secret-key-test-sec"
	zone      = "us-east-1"
	account   = "000000000000"
	cluster   = "default"
)

// server is a region of this process, on a store that outlives it.
type server struct {
	*testing.T
	ctx      context.Context
	store    store.Store
	settings config.Settings
	plain    string // URL
	secure   string // URL of the TLS listener
	roots    *x509.CertPool
	ecs      *ecs.Client
	end      func()
}

func newServer(t *testing.T, flags ...string) *server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	s := &server{T: t, ctx: ctx, store: mem.Open(region.Schema(), mem.Options{})}
	t.Cleanup(func() { _ = s.store.Close() })
	plain, secure := freePort(t), freePort(t)
	var values []config.Value
	for _, f := range append([]string{
		"listen=" + plain, "agent-listen=" + secure, "agent-names=127.0.0.1,agents.example.test", "data-dir=" + t.TempDir(),
		"access-key=" + accessKey, "secret-key=" + secretKey, "region=" + zone, "account=" + account,
	}, flags...) {
		name, value, _ := strings.Cut(f, "=")
		values = append(values, config.Value{Key: name, Text: value, From: "test"})
	}
	var err error
	if s.settings, err = config.Load(config.Layers{Flags: values}); err != nil {
		t.Fatal(err)
	}
	s.plain, s.secure = "http://"+plain, "https://"+secure
	s.ecs = ecs.New(ecs.Options{Region: zone, BaseEndpoint: aws.String(s.plain),
		Credentials: credentials.NewStaticCredentialsProvider(accessKey, secretKey, "")})
	s.begin()
	t.Cleanup(func() { s.end() })
	must(s.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String(cluster)}))(t)
	return s
}

// freePort answers host:port of a loopback port that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// begin starts the server's process, as far as a test has one.
func (s *server) begin() {
	s.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.ctx))
	done := make(chan error, 1)
	state := &ready.State{}
	log := slog.New(slog.DiscardHandler)
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	}
	go func() {
		done <- region.RunOn(ctx, region.Config{Settings: s.settings, Ready: state, Log: log}, s.store)
	}()
	s.end = func() {
		cancel()
		if err := <-done; err != nil {
			s.Error(err)
		}
		s.end = func() {}
	}
	s.until("the server answers", func() bool {
		q, err := http.NewRequestWithContext(s.ctx, http.MethodGet, s.plain+"/_berth/health", nil)
		if err != nil {
			s.Fatal(err)
		}
		r, err := http.DefaultClient.Do(q)
		if err != nil {
			return false
		}
		return r.Body.Close() == nil && r.StatusCode == http.StatusOK
	})
	a, err := authority.Ensure(s.settings.DataDir, time.Now())
	if err != nil || a == nil {
		s.Fatal(err)
	}
	pem, err := os.ReadFile(authority.Path(s.settings.DataDir))
	if err != nil {
		s.Fatal(err)
	}
	s.roots = x509.NewCertPool()
	s.roots.AppendCertsFromPEM(pem)
}

// restart is a new server process on the same store.
func (s *server) restart() {
	s.Helper()
	s.end()
	s.begin()
}

func (s *server) trust() *tls.Config {
	return &tls.Config{RootCAs: s.roots, MinVersion: tls.VersionTLS12}
}

// until waits for a condition of the outside.
func (s *server) until(what string, is func() bool) {
	s.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-s.ctx.Done():
			s.Fatalf("waited too long until %s", what)
		case <-tick.C:
		}
	}
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// define registers a task definition with one container for each name; the first is essential.
func (s *server) define(family string, names ...string) {
	s.Helper()
	in := &ecs.RegisterTaskDefinitionInput{Family: aws.String(family)}
	for i, n := range names {
		in.ContainerDefinitions = append(in.ContainerDefinitions, types.ContainerDefinition{
			Name: aws.String(n), Image: aws.String("busybox:1"), Memory: aws.Int32(64), Cpu: 128, Essential: aws.Bool(i == 0),
		})
	}
	must(s.ecs.RegisterTaskDefinition(s.ctx, in))(s)
}

// run starts one task of a family and answers its ARN.
func (s *server) run(family string) string {
	s.Helper()
	out := must(s.ecs.RunTask(s.ctx, &ecs.RunTaskInput{TaskDefinition: &family, LaunchType: types.LaunchTypeExternal}))(s)
	if len(out.Failures) > 0 {
		s.Fatalf("not placed: %s %s", aws.ToString(out.Failures[0].Reason), aws.ToString(out.Failures[0].Detail))
	}
	return *out.Tasks[0].TaskArn
}

func (s *server) task(arn string) types.Task {
	s.Helper()
	out := must(s.ecs.DescribeTasks(s.ctx, &ecs.DescribeTasksInput{Tasks: []string{arn}}))(s)
	if len(out.Tasks) != 1 {
		s.Fatalf("%s: %+v", arn, out.Failures)
	}
	return out.Tasks[0]
}

func (s *server) instance(arn string) types.ContainerInstance {
	s.Helper()
	out := must(s.ecs.DescribeContainerInstances(s.ctx, &ecs.DescribeContainerInstancesInput{ContainerInstances: []string{arn}}))(s)
	return out.ContainerInstances[0]
}

func (s *server) connected(arn string, want bool) {
	s.Helper()
	s.until(fmt.Sprintf("%s is connected: %v", arn, want), func() bool { return s.instance(arn).AgentConnected == want })
}

// container finds one of a task's.
func container(t types.Task, name string) types.Container {
	for _, c := range t.Containers {
		if aws.ToString(c.Name) == name {
			return c
		}
	}
	return types.Container{}
}

func startOn(family, instance string) *ecs.StartTaskInput {
	return &ecs.StartTaskInput{TaskDefinition: &family, ContainerInstances: []string{instance}}
}
