package metadata_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-ecs/berth/node/metadata"
	aws "github.com/berth-ecs/berth/wire/shape"
)

// protecting is a node whose server answers about protection as a test says.
type protecting struct {
	node
	answer metadata.ProtectionAnswer
	err    error
	wish   *metadata.ProtectionWish
}

func (p *protecting) Protection(context.Context, metadata.Task) (metadata.ProtectionAnswer, error) {
	return p.answer, p.err
}

func (p *protecting) Protect(_ context.Context, _ metadata.Task, w metadata.ProtectionWish) (metadata.ProtectionAnswer, error) {
	p.wish = &w
	return p.answer, p.err
}

func TestTaskProtection(t *testing.T) {
	const path, a, b = "/api/a1/task-protection/v1/state", "172.28.0.2", "172.28.0.4"
	until := time.Date(2030, 1, 1, 12, 0, 0, 837e6, time.UTC)
	protected := metadata.ProtectionAnswer{Protection: &metadata.Protection{ExpirationDate: &until, ProtectionEnabled: true, TaskArn: "arn:A"}}
	free := metadata.ProtectionAnswer{Protection: &metadata.Protection{TaskArn: "arn:A"}}
	invalid := metadata.ProtectionAnswer{Failure: &metadata.ProtectionFailure{Arn: "arn:A", Reason: "TASK_NOT_VALID"}}
	for _, c := range []struct {
		name, method, from, body string
		server                   protecting
		status                   int
		want                     string
	}{
		{"protected", "GET", a, "", protecting{answer: protected}, 200, `{"protection":{"ExpirationDate":"2030-01-01T12:00:00.837Z","ProtectionEnabled":true,"TaskArn":"arn:A"}}`},
		{"not protected", "GET", a, "", protecting{answer: free}, 200, `{"protection":{"ExpirationDate":null,"ProtectionEnabled":false,"TaskArn":"arn:A"}}`},
		{"a standalone task", "PUT", a, `{"ProtectionEnabled":true}`, protecting{answer: invalid}, 200, `{"failure":{"Arn":"arn:A","Detail":null,"Reason":"TASK_NOT_VALID"}}`},
		{"protect", "PUT", a, `{"ProtectionEnabled":true,"ExpiresInMinutes":60}`, protecting{answer: protected}, 200, `"ProtectionEnabled":true`},
		{"no wish", "PUT", a, `{}`, protecting{}, 400, `{"error":{"Arn":"arn:A","Code":"InvalidParameterException","Message":"Invalid request: does not contain 'ProtectionEnabled' field"}}`},
		{"an unknown member", "PUT", a, `{"Protect":true}`, protecting{}, 400, `{"error":{"Code":"InvalidParameterException","Message":"UpdateTaskProtection: failed to decode request"}}`},
		{"no body", "PUT", a, ``, protecting{}, 400, `failed to decode request`},
		{"another task", "GET", b, "", protecting{answer: protected}, 404, `{"error":{"Code":"ResourceNotFoundException","Message":"Failed to find a task for the request"}}`},
		{"AWS's refusal", "PUT", a, `{"ProtectionEnabled":true,"ExpiresInMinutes":9999}`, protecting{err: &aws.Error{Code: "InvalidParameterException", Message: "m"}}, 400, `{"error":{"Arn":"arn:A","Code":"InvalidParameterException","Message":"m"}}`},
		{"AWS's fault", "GET", a, "", protecting{err: &aws.Error{Code: "ServerException", Message: "m"}}, 500, `"Code":"ServerException"`},
		{"nobody there", "GET", a, "", protecting{err: errors.New("dial tcp 10.9.9.9:4566: refused")}, 500, `{"error":{"Arn":"arn:A","Code":"ServerException","Message":"the server cannot be asked now"}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.server.node = source()
			status, body := ask(metadata.Handler(&c.server, nil), c.method, c.from, path, c.body)
			if status != c.status || !strings.Contains(body, c.want) {
				t.Errorf("%d %s; want %d and %s", status, body, c.status, c.want)
			}
			if asked := c.server.wish != nil; asked != (c.method == "PUT" && c.status == 200 || c.server.err != nil && c.method == "PUT") {
				t.Errorf("the server was asked: %t", asked)
			}
		})
	}
	status, body := ask(metadata.Handler(source(), nil), "GET", a, path, "")
	if status != http.StatusForbidden || !strings.Contains(body, `"AccessDeniedException"`) {
		t.Errorf("without a server: %d %s", status, body)
	}
}

func TestFaultInjectionIsRefused(t *testing.T) {
	const a = "172.28.0.2"
	h := metadata.Handler(source(), nil)
	for _, c := range []struct {
		from, path, body string
		status           int
		want             string
	}{
		{a, "/api/a1/fault/v1/network-latency/start", `{"DelayMilliseconds":1,"JitterMilliseconds":1,"Sources":["10.0.0.1"]}`, 400, `{"Error":"enableFaultInjection is not enabled for task: arn:A"}`},
		{a, "/api/a1/fault/v1/network-blackhole-port/status", `{}`, 400, `not enabled for task: arn:A`},
		{a, "/api/a1/fault/v1/network-packet-loss/stop", ``, 400, `{"Error":"required request body is missing"}`},
		{"172.28.0.4", "/api/a1/fault/v1/network-latency/start", `{}`, 404, `{"Error":"unable to lookup container: a1"}`},
		{a, "/api/a1/fault/v1/earthquake/start", `{}`, 404, ``},
	} {
		if status, body := ask(h, "POST", c.from, c.path, c.body); status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %s; want %d and %s", c.path, status, body, c.status, c.want)
		}
	}
}

func TestACallerIsLimitedByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := metadata.Handler(source(), nil)
		allowed := func(from, path string, times int) (n int) {
			for range times {
				status, body := ask(h, "GET", from, path, "")
				switch {
				case status == http.StatusOK:
					n++
				case status != http.StatusTooManyRequests || body != "You have reached maximum request limit.":
					t.Fatalf("%s: %d %s", path, status, body)
				}
			}
			return n
		}
		want := func(what string, got, want int) {
			t.Helper()
			if got != want {
				t.Errorf("%s: %d were answered, want %d", what, got, want)
			}
		}
		want("a burst", allowed("172.28.0.2", "/v4/a1", 100), 60)
		want("another question", allowed("172.28.0.2", "/v4/a1/task", 60), 60)
		want("another caller", allowed("172.28.0.4", "/v4/b1", 60), 60)
		time.Sleep(time.Second)
		want("a second later", allowed("172.28.0.2", "/v4/a1", 100), 40)
		want("host mode", allowed("172.28.0.1", "/v4/h", 100), 60)
		time.Sleep(time.Hour)
		want("an hour later", allowed("172.28.0.2", "/v4/a1", 100), 60)
	})
}
