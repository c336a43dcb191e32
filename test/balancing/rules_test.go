package balancing

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/berth-ecs/berth/test/installation"
)

// answer is what a client gets.
type answer struct {
	status int
	body   string
	head   http.Header
	from   string // the client's address
}

// get asks the application load balancer from outside, over a connection of its own.
func (w *world) get(ctx context.Context, name, target string, head ...string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+name+target, nil)
	if err != nil {
		return answer{}, err
	}
	for i := 0; i+1 < len(head); i += 2 {
		r.Header.Set(head[i], head[i+1])
	}
	c, from := w.web("http", name, false), ""
	tr, _ := c.Transport.(*http.Transport)
	tr.DisableKeepAlives = true
	dial := tr.DialContext
	tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err == nil {
			from, _, _ = net.SplitHostPort(conn.LocalAddr().String())
		}
		return conn, err
	}
	a, err := c.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer a.Body.Close()
	body, err := io.ReadAll(a.Body)
	return answer{a.StatusCode, string(body), a.Header, from}, err
}

// eventually waits until a request is answered so: a change is on its way for a moment.
func (w *world) eventually(t *testing.T, want, name, target string, head ...string) answer {
	t.Helper()
	var got answer
	installation.Eventually(t, name+target, func(ctx context.Context) (err error) {
		got, err = w.get(ctx, name, target, head...)
		if text := fmt.Sprint(got.status, " ", got.body, got.head.Get("Location")); err == nil && text != want {
			err = fmt.Errorf("answer %q, want %q", text, want)
		}
		return err
	})
	return got
}

// rules: each kind of rule leads where it says.
func (w *world) rules(t *testing.T) {
	api := w.group(t, "api", nil)
	w.api = api
	w.rule(t, w.plain, 1, forward(api), path("/api/*"))
	w.rule(t, w.plain, 2, forward(api), types.RuleCondition{Field: aws.String("http-header"),
		HttpHeaderConfig: &types.HttpHeaderConditionConfig{HttpHeaderName: aws.String("X-Part"), Values: []string{"api"}}})
	w.rule(t, w.plain, 3, types.Action{Type: types.ActionTypeEnumRedirect, RedirectConfig: &types.RedirectActionConfig{
		StatusCode: types.RedirectActionStatusCodeEnumHttp301, Protocol: aws.String("HTTPS"), Port: aws.String("443"), Path: aws.String("/new#{path}"),
	}}, path("/old/*"))
	w.rule(t, w.plain, 4, forward(api), path("/headers"))
	w.serve(t, "api", "api", 1, behind(api, 80))
	w.healthy(t, api, 1)
	w.eventually(t, "200 one", fleetHost, "/")
	w.eventually(t, "200 api", "other.example", "/api/x")
	w.eventually(t, "200 api", fleetHost, "/", "X-Part", "api")
	w.eventually(t, "301 https://other.example:443/new/old/x?a=b", "other.example", "/old/x?a=b")
	w.eventually(t, "404 nothing", "other.example", "/")
	w.forwarded(t)
}

// forwarded: targets hear who asked.
func (w *world) forwarded(t *testing.T) {
	t.Helper()
	var heard http.Header
	outside, err := w.get(t.Context(), fleetHost, "/headers")
	if err == nil {
		err = json.Unmarshal([]byte(outside.body), &heard)
	}
	if err != nil || heard.Get("X-Forwarded-For") != outside.from || heard.Get("X-Forwarded-Proto") != "http" || heard.Get("X-Forwarded-Port") != "80" ||
		!strings.HasPrefix(heard.Get("X-Amzn-Trace-Id"), "Root=1-") || heard.Get("Host") != fleetHost {
		t.Errorf("from %s outside: %v, %v", outside.from, heard, err)
	}
	task := targets(t, "api")[0].address
	inside, err := w.get(t.Context(), fleetHost, "/get?url="+url.QueryEscape("http://"+w.app.name+"/headers"), "X-Part", "api")
	heard = nil
	if err == nil {
		err = json.Unmarshal([]byte(inside.body), &heard)
	}
	if err != nil || heard.Get("X-Forwarded-For") != task {
		t.Errorf("from %s inside: %v, %v: %s", task, heard, err, inside.body)
	}
}

// logged: each request leaves a line in AWS's format. What was asked by the parts before is there by now, or soon.
func (w *world) logged(t *testing.T) {
	want := regexp.MustCompile(`(?m)^http \d{4}-\d\d-\d\dT\S+Z app/app/[0-9a-f]{16} [0-9.]+:\d+ 172\.31\.[0-9.]+:80 [\d.]+ [\d.]+ [\d.]+ 200 200 \d+ \d+ ` +
		`"GET http://other\.example/api/x HTTP/1\.1" ".*" - - ` + regexp.QuoteMeta(w.api) + ` "Root=1-\S+" "-" "-" 1 \S+Z "forward" "-" "-" "172\.31\.[0-9.]+:80" "200" "-" "-" TID_\S+$`)
	dir := filepath.Join(region.DataDir, "logs", "elb")
	installation.Eventually(t, "a line in the access log", func(context.Context) error {
		found := ""
		err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := os.ReadFile(p)
			found += string(text)
			return err
		})
		if err == nil && !want.MatchString(found) {
			err = fmt.Errorf("log %.800s", found)
		}
		return err
	})
}
