package wire_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berth-ecs/berth/wire"
	"github.com/berth-ecs/berth/wire/fair"
	"github.com/berth-ecs/berth/wire/internal/toy/toyjson"
	"github.com/berth-ecs/berth/wire/wiretest"
)

func TestEachOperationAsks(t *testing.T) {
	m := wire.NewMux()
	bindAll(m)
	wiretest.Asks(t, m)
}

func TestRefusedRequests(t *testing.T) {
	e := start(t, bindAll, nil)
	deep := strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40)
	form := "application/x-www-form-urlencoded"
	for _, tt := range []struct {
		name    string
		request raw
		status  int
		code    string
		says    string
	}{
		{"unsigned", raw{target: "AmazonEC2ContainerServiceV20141113.ListClusters", body: "{}", unsigned: true}, 400, "MissingAuthenticationTokenException", "issing Authentication Token"},
		{"unsigned form", raw{contentType: form, body: "Action=GetCallerIdentity&Version=2011-06-15", unsigned: true}, 403, "MissingAuthenticationToken", "issing"},
		{"not json", ecsCall("DescribeTasks", `{"tasks":[`), 400, "SerializationException", "not valid JSON"},
		{"not an object", ecsCall("DescribeTasks", `[]`), 400, "SerializationException", "START_ARRAY can not be converted to a Structure"},
		{"null", ecsCall("DescribeTasks", `null`), 400, "SerializationException", "NULL_VALUE"},
		{"deep", ecsCall("DescribeTasks", deep), 400, "SerializationException", "nested deeper than 32 levels"},
		{"wide", ecsCall("DescribeTasks", `{"tasks":[`+strings.Repeat(`"",`, 50_000)+`""]}`), 400, "SerializationException", "more than 50000 elements"},
		{"null in a list", ecsCall("DescribeTasks", `{"tasks":["a",null]}`), 400, "SerializationException", "tasks[1]"},
		{"large", ecsCall("DescribeTasks", `{"cluster":"`+strings.Repeat("x", 1<<20)+`"}`), 413, "RequestEntityTooLarge", "1048576"},
		{"packed", raw{service: "ecs", target: "AmazonEC2ContainerServiceV20141113.ListClusters", header: map[string]string{"Content-Encoding": "gzip"}}, 400, "SerializationException", "Content-Encoding"},
		{"another service's scope", raw{service: "sts", target: "AmazonEC2ContainerServiceV20141113.ListClusters", body: "{}"}, 400, "InvalidSignatureException", "correct service: 'ecs'"},
		{"another region", raw{service: "ecs", region: "mars", target: "AmazonEC2ContainerServiceV20141113.ListClusters"}, 400, "InvalidSignatureException", "valid region, not 'mars'"},
		{"no such operation", ecsCall("LaunchRocket", "{}"), 400, "UnknownOperationException", `no operation "LaunchRocket"`},
		{"no such target", raw{service: "ecs", target: "Other.ListClusters", body: "{}"}, 400, "UnknownOperationException", "names no operation of ecs"},
		{"no such service", raw{service: "s3", method: "GET"}, 400, "UnknownOperationException", "Served: ecs, sts"},
		{"not implemented", ecsCall("CreateService", `{"launchType":"MOON"}`), 400, "UnknownOperationException", "The operation ecs:CreateService is not implemented"},
		{"unknown action", raw{service: "sts", contentType: form, body: "Action=LaunchRocket&Version=2011-06-15"}, 400, "InvalidAction", `no operation "LaunchRocket"`},
		{"bad form", raw{service: "toyquery", contentType: form, body: "Action=Echo&Version=2020-01-01&Count=many"}, 400, "MalformedInput", "an Integer at 'Count'"},
		{"bad list", raw{service: "toyquery", contentType: form, body: "Action=Echo&Version=2020-01-01&Words.member.x=a"}, 400, "MalformedInput", "numbered"},
		{"panic", raw{service: "toyjson", target: "Toy_20200101.Fail", body: `{"Code":"panic"}`}, 500, "InternalFailure", "unknown error"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := e.send(t, tt.request)
			if a.status != tt.status || a.header.Get("X-Amzn-Errortype") != tt.code || !strings.Contains(plain(a.body), tt.says) {
				t.Errorf("answer %d %s %s\nwant %d %s %q", a.status, a.header.Get("X-Amzn-Errortype"), a.body, tt.status, tt.code, tt.says)
			}
			if a.header.Get("X-Amzn-Requestid") == "" {
				t.Error("no request id")
			}
			if strings.Contains(a.body, "a secret") {
				t.Errorf("the answer tells what it must hide: %s", a.body)
			}
		})
	}
}

// plain takes the quoting of JSON and XML off.
func plain(body string) string { return strings.ReplaceAll(html.UnescapeString(body), `\"`, `"`) }

func TestErrorEnvelopes(t *testing.T) {
	e := start(t, bindAll, func(c *wire.Config) { c.NewID = func() string { return "id-1" } })
	a := e.send(t, ecsCall("RunTask", `{"taskDefinition":"t"}`))
	if want := `{"__type":"ConflictException","message":"used before","resourceIds":["task/1"]}`; a.body != want {
		t.Errorf("JSON: %s\nwant %s", a.body, want)
	}
	a = e.send(t, raw{service: "toyquery", contentType: "application/x-www-form-urlencoded", body: "Action=Fail&Version=2020-01-01&Code=invalid"})
	want := `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<ErrorResponse xmlns="https://toy.example/doc/2020-01-01/"><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Code: must be nice.</Message></Error><RequestId>id-1</RequestId></ErrorResponse>`
	if a.body != want {
		t.Errorf("query: %s\nwant %s", a.body, want)
	}
}

// What AWS's model calls without a signature is called without one, and nothing else is.
func TestUnsignedOperation(t *testing.T) {
	e := start(t, bindAll, nil)
	if a := e.send(t, raw{target: "Toy_20200101.Open", unsigned: true}); a.status != 400 || !strings.Contains(a.body, "AccessDenied") {
		t.Errorf("without authority: %d %s", a.status, a.body)
	}
	e = start(t, bindAll, func(c *wire.Config) { c.Authorizer = everyone{} })
	for _, q := range []raw{
		{target: "Toy_20200101.Open", unsigned: true},
		{contentType: "application/x-www-form-urlencoded", body: "Action=Open&Version=2020-01-01", unsigned: true},
	} {
		if a := e.send(t, q); a.status != 200 {
			t.Errorf("answer %d %s", a.status, a.body)
		}
	}
	if a := e.send(t, raw{target: "Toy_20200101.Echo", unsigned: true}); a.status != 400 {
		t.Errorf("Echo unsigned: %d %s", a.status, a.body)
	}
}

type everyone struct{}

func (everyone) Allow(context.Context, wire.Call, string, string) error { return nil }

func TestLogHidesSecrets(t *testing.T) {
	e := start(t, bindAll, nil)
	e.send(t, ecsCall("RegisterTaskDefinition", `{"family":"f","containerDefinitions":[{"name":"web","environment":[{"name":"PASSWORD","value":"hush-1"}],"repositoryCredentials":{"credentialsParameter":"hush-2"}}]}`))
	e.send(t, raw{service: "toyjson", target: "Toy_20200101.Echo", body: `{"Secret":"hush-3","Parts":[{"Name":"a","Secret":"hush-4"}],"Open":{"x":"hush-5"},"Text":"seen"}`})
	log := e.log.String()
	if strings.Contains(log, "hush") {
		t.Errorf("a secret is in the log: %s", log)
	}
	for _, want := range []string{`"name":"web"`, `"Text":"seen"`, "Sensitive Data Redacted", `"operation":"RegisterTaskDefinition"`, `"access_key":"` + accessKey} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s: %s", want, log)
		}
	}
}

func TestMetrics(t *testing.T) {
	e := start(t, bindAll, nil)
	e.send(t, ecsCall("DescribeTasks", `{"tasks":[]}`))
	e.send(t, ecsCall("MadeUp", `{}`))
	for labels, want := range map[string]float64{
		"code= operation=DescribeTasks service=ecs status=200":                    1,
		"code=UnknownOperationException operation=unknown service=ecs status=400": 1,
		"code=UnknownOperationException operation=MadeUp service=ecs status=400":  0,
	} {
		if got := count(t, e, "berth_wire_requests_total", labels); got != want {
			t.Errorf("%s: %v, want %v", labels, got, want)
		}
	}
}

func TestThrottling(t *testing.T) {
	e := start(t, bindAll, func(c *wire.Config) {
		at := time.Now()
		c.Now = func() time.Time { return at }
		c.Limits.Read = fair.Rate{PerSecond: 1, Burst: 2}
	})
	var got []string
	for range 3 {
		got = append(got, e.send(t, ecsCall("DescribeTasks", `{"tasks":[]}`)).header.Get("X-Amzn-Errortype"))
	}
	if fmt.Sprint(got) != "[  ThrottlingException]" {
		t.Errorf("answers %q, want the third throttled", got)
	}
	if a := e.send(t, ecsCall("CreateCluster", `{"clusterName":"c"}`)); a.status != 200 {
		t.Errorf("another class: %d %s", a.status, a.body)
	}
	if n := count(t, e, "berth_wire_throttled_total", "class=read"); n != 1 {
		t.Errorf("throttled = %v", n)
	}
}

// Bodies that dawdle, large ones too, do not keep ordinary requests out.
func TestSlowClients(t *testing.T) {
	e := start(t, bindAll, func(c *wire.Config) { c.Limits.Large, c.Limits.Arrival = 1, 300*time.Millisecond })
	conns := make([]*bufio.Reader, 0, 20)
	for i := range 20 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(e.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		length := 1000
		if i%2 == 0 {
			length = 1 << 19
		}
		if _, err := fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n{", length); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, bufio.NewReader(conn))
	}
	if a := e.send(t, ecsCall("DescribeTasks", `{"tasks":[]}`)); a.status != 200 {
		t.Errorf("an ordinary request: %d %s", a.status, a.body)
	}
	statuses := map[int]int{}
	for _, r := range conns {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		statuses[resp.StatusCode]++
	}
	if statuses[408] != 11 || statuses[503] != 9 {
		t.Errorf("answers %v, want 11 timeouts and 9 turned away", statuses)
	}
}

// A handler that fills every place of its class does not keep agents' reports out.
func TestAgentsGoFirst(t *testing.T) {
	hold, entered := make(chan struct{}), make(chan struct{})
	var once sync.Once
	release := func() { once.Do(func() { close(hold) }) }
	e := start(t, func(m *wire.Mux) {
		wire.Handle(m, toyjson.OpEcho, func(context.Context, wire.Call, *toyjson.EchoInput) (*toyjson.EchoOutput, error) {
			entered <- struct{}{}
			<-hold
			return nil, nil
		})
		bindAgent(m)
	}, func(c *wire.Config) { c.Limits.Total = 4 })
	t.Cleanup(release)
	answers := make(chan int, 3)
	for range 3 {
		go func() { answers <- e.send(t, raw{service: "toyjson", target: "Toy_20200101.Echo", body: "{}"}).status }()
		<-entered
	}
	if a := e.send(t, ecsCall("DiscoverPollEndpoint", "{}")); a.status != 200 {
		t.Errorf("the agent: %d %s", a.status, a.body)
	}
	release()
	for range 3 {
		if status := <-answers; status != 200 {
			t.Errorf("a held request: %d", status)
		}
	}
}

func TestCoverage(t *testing.T) {
	m := wire.NewMux()
	bindAgent(m)
	rows := m.Coverage()
	if len(rows) != 77 {
		t.Errorf("%d operations, want all 77 of the model", len(rows))
	}
	var b bytes.Buffer
	if err := wire.WriteCoverage(&b, rows); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"## ecs: 1 of 77 operations", "| DiscoverPollEndpoint | yes |", "| RunTask | no |"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("coverage lacks %q", want)
		}
	}
}

func TestBindingTwicePanics(t *testing.T) {
	m := wire.NewMux()
	bindAgent(m)
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	bindAgent(m)
}

// Resources name what the Authorizer is asked for.
func TestResources(t *testing.T) {
	var asked []string
	e := start(t, func(m *wire.Mux) {
		wire.Handle(m, toyjson.OpEcho, func(context.Context, wire.Call, *toyjson.EchoInput) (*toyjson.EchoOutput, error) { return nil, nil },
			func(c wire.Call, in *toyjson.EchoInput) []string { return append(in.Words, c.Account) })
	}, func(c *wire.Config) {
		c.Authorizer = asker(func(action, resource string) { asked = append(asked, action+" "+resource) })
	})
	e.send(t, raw{service: "toyjson", target: "Toy_20200101.Echo", body: `{"Words":["a"]}`})
	if got := strings.Join(asked, ","); got != "toyjson:Echo a,toyjson:Echo "+account {
		t.Errorf("asked %s", got)
	}
}

type asker func(action, resource string)

func (a asker) Allow(_ context.Context, _ wire.Call, action, resource string) error {
	a(action, resource)
	return nil
}

// Global services are signed for us-east-1 wherever the region is; others are not let through by that.
func TestGlobalService(t *testing.T) {
	e := start(t, bindAll, func(c *wire.Config) { c.Regions = []string{"eu-central-1"} })
	form := "application/x-www-form-urlencoded"
	if a := e.send(t, raw{service: "sts", contentType: form, body: "Action=GetCallerIdentity&Version=2011-06-15"}); a.status != 200 {
		t.Errorf("STS: %d %s", a.status, a.body)
	}
	if a := e.send(t, ecsCall("DescribeTasks", `{"tasks":[]}`)); a.status != 400 {
		t.Errorf("ECS: %d %s", a.status, a.body)
	}
}

// A GET with everything in the URL is as good as a form.
func TestGetForm(t *testing.T) {
	e := start(t, bindAll, nil)
	q := url.Values{"Action": {"Echo"}, "Version": {"2020-01-01"}, "Text": {"ü &"}, "Words.member.2": {"b"}, "Words.member.1": {"a"}}
	a := e.send(t, raw{service: "toyquery", method: "GET", query: q.Encode(), contentType: "text/plain"})
	if !strings.Contains(a.body, "<Text>ü &amp;</Text><Words><member>a</member><member>b</member></Words>") {
		t.Errorf("answer %d %s", a.status, a.body)
	}
}

func TestJSONVersions(t *testing.T) {
	e := start(t, bindAll, nil)
	for sent, want := range map[string]string{"application/x-amz-json-1.0": "application/x-amz-json-1.0", "application/json": "application/x-amz-json-1.1"} {
		q := ecsCall("DescribeTasks", `{"tasks":[],"later":{"a":[1,"]}",null]}}`)
		q.contentType = sent
		a := e.send(t, q)
		if got := a.header.Get("Content-Type"); a.status != 200 || got != want {
			t.Errorf("sent %s: %d %s, want %s", sent, a.status, got, want)
		}
		if !json.Valid([]byte(a.body)) || a.body != `{"failures":[{"reason":"MISSING"}],"tasks":[]}` {
			t.Errorf("body %s", a.body)
		}
	}
}

func FuzzEdge(f *testing.F) {
	f.Add("AmazonEC2ContainerServiceV20141113.DescribeTasks", "application/x-amz-json-1.1", `{"tasks":[]}`)
	f.Add("", "application/x-www-form-urlencoded", "Action=Echo&Version=2020-01-01&Words.member.1=a")
	f.Fuzz(func(t *testing.T, target, contentType, body string) {
		if strings.ContainsFunc(target+contentType, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Skip("not a header")
		}
		h, err := wire.NewEdge(fuzzConfig())
		if err != nil {
			t.Fatal(err)
		}
		for _, service := range []string{"ecs", "toyquery", "toyjson"} {
			r, w := fuzzRequest(service, target, contentType, body)
			h.ServeHTTP(w, r)
			if w.Code == 500 && !strings.Contains(body, "anic") && !strings.Contains(w.Body.String(), "Service Unavailable") && !strings.Contains(target+body, "Fail") {
				t.Errorf("%s: internal error: %s", service, w.Body)
			}
		}
	})
}
