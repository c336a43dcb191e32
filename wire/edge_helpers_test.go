package wire_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/wire"
	"github.com/berth-ecs/berth/wire/shape/ecs"
	"github.com/berth-ecs/berth/wire/sigv4"
)

func bindAgent(m *wire.Mux) {
	wire.Handle(m, ecs.OpDiscoverPollEndpoint, func(context.Context, wire.Call, *ecs.DiscoverPollEndpointRequest) (*ecs.DiscoverPollEndpointResponse, error) {
		return nil, nil
	})
}

// count is a counter's value; labels are "name=value", sorted and separated by spaces.
func count(t *testing.T, e *edge, name, labels string) float64 {
	t.Helper()
	families, err := e.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			var pairs []string
			for _, l := range m.GetLabel() {
				pairs = append(pairs, l.GetName()+"="+l.GetValue())
			}
			if strings.Join(pairs, " ") == labels {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

func fuzzConfig() wire.Config {
	m := wire.NewMux()
	bindAll(m)
	return wire.Config{
		Mux: m, Keys: sigv4.Table{accessKey: {Secret: secret, Account: account, Principal: root}}, Authorizer: wire.RootOnly{}, Regions: []string{"us-east-1"},
	}
}

func fuzzRequest(service, target, contentType, body string) (*http.Request, *httptest.ResponseRecorder) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	if target != "" {
		r.Header.Set("X-Amz-Target", target)
	}
	signer := sigv4.Signer{Credentials: sigv4.Credentials{AccessKey: accessKey, Secret: secret}, Scope: sigv4.Scope{Region: "us-east-1", Service: service}}
	signer.Sign(r, []byte(body), time.Now())
	return r, httptest.NewRecorder()
}
