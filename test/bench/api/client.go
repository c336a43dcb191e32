package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/berth-ecs/berth/test/installation"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// server is one of the two, and what is asked of it.
type server struct {
	name     string
	endpoint string
	http     *http.Client
	tasks    []string // of the cluster that is read
}

func newServer(name, endpoint string) *server {
	return &server{name: name, endpoint: endpoint, http: &http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: 128, MaxConnsPerHost: 128, DisableCompression: true},
	}}
}

var credentials = sigv4.Credentials{AccessKey: installation.AccessKey, Secret: installation.SecretKey}

// post sends one signed request. The body is read to its end.
func (s *server) post(ctx context.Context, service string, header map[string]string, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint+"/", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	sigv4.Signer{Credentials: credentials, Scope: sigv4.Scope{Region: installation.Region, Service: service}}.Sign(r, body, time.Now())
	answer, err := s.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %.300s", s.name, answer.Status, b)
	}
	return b, err
}

// The targets of services, before the operation.
var targets = map[string]string{"ecs": "AmazonEC2ContainerServiceV20141113.", "servicediscovery": "Route53AutoNaming_v20170314."}

// call is one operation of ECS or Cloud Map.
func (s *server) call(ctx context.Context, service, operation string, body []byte) ([]byte, error) {
	return s.post(ctx, service, map[string]string{"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": targets[service] + operation}, body)
}

// ask calls an operation of ECS that is not measured.
func (s *server) ask(ctx context.Context, operation string, in, out any) error {
	return s.askOf(ctx, "ecs", operation, in, out)
}

func (s *server) askOf(ctx context.Context, service, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := s.call(ctx, service, operation, body)
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

// operation is one that is measured. An answer of another length than expected is an error: a fast refusal is no answer.
type operation struct {
	service, name, what string
	input               func(s *server, n int) any
	least               int // bytes of an answer
}

var operations = []operation{
	{"ecs", "DescribeTasks", "10 tasks", func(s *server, n int) any {
		from := n % (len(s.tasks) - describedAtOnce)
		return map[string]any{"cluster": crowd, "tasks": s.tasks[from : from+describedAtOnce]}
	}, 5000},
	{"ecs", "ListTasks", "100 tasks", func(*server, int) any { return map[string]any{"cluster": crowd} }, 5000},
	{"ecs", "RunTask", "1 task", func(*server, int) any {
		return map[string]any{"cluster": field, "taskDefinition": family, "launchType": "EC2"}
	}, 500},
	{"servicediscovery", "DiscoverInstances", "10 instances", func(*server, int) any {
		return map[string]any{"NamespaceName": mesh, "ServiceName": family, "HealthStatus": "HEALTHY"}
	}, 1500},
}

const describedAtOnce = 10

// turn asks with so many clients for a while and answers the time a request took of the whole.
func turn(ctx context.Context, s *server, op operation, clients int, d time.Duration) (time.Duration, error) {
	bodies := make([][]byte, 64)
	for n := range bodies {
		b, err := json.Marshal(op.input(s, n))
		if err != nil {
			return 0, err
		}
		bodies[n] = b
	}
	var wg sync.WaitGroup
	var done atomic.Int64
	failed := make(chan error, clients)
	began := time.Now()
	for c := range clients {
		wg.Go(func() {
			for n := c; time.Since(began) < d; n++ {
				answer, err := s.call(ctx, op.service, op.name, bodies[n%len(bodies)])
				if err == nil && len(answer) < op.least {
					err = fmt.Errorf("%s: an answer of %d bytes: %.200s", s.name, len(answer), answer)
				}
				if err != nil {
					failed <- err
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	took := time.Since(began)
	select {
	case err := <-failed:
		return 0, err
	default:
		return took / time.Duration(done.Load()), nil
	}
}
