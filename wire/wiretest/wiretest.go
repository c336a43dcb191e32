// Package wiretest checks what every wing owes the edge.
package wiretest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	"github.com/berth-ecs/berth/wire/sigv4"
)

const (
	accessKey = "AKIAIOSFODNN7EXAMPLE" //nolint:gosec // the key of AWS's documentation
	secret    = "a secret for tests"
	account   = "000000000000"
	region    = "us-east-1"
)

// denier is an Authorizer that denies everything and remembers what it was asked.
type denier struct {
	mu    sync.Mutex
	asked []string
}

// Allow implements wire.Authorizer.
func (d *denier) Allow(_ context.Context, _ wire.Call, action, _ string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, action)
	return &aws.Error{Code: "AccessDeniedException", Message: "denied"}
}

func (d *denier) take() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := strings.Join(d.asked, " ")
	d.asked = nil
	return all
}

// Asks proves that each operation bound to m asks the Authorizer for its own action and does nothing when it is denied. It sends every
// operation the smallest input its model accepts.
func Asks(t *testing.T, m *wire.Mux) {
	t.Helper()
	d := &denier{}
	edge, err := wire.NewEdge(wire.Config{
		Mux: m, Authorizer: d, Regions: []string{region},
		Keys: sigv4.Table{accessKey: {Secret: secret, Account: account, Principal: "arn:aws:iam::" + account + ":root"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	services := map[string]*aws.Service{}
	for _, s := range m.Services() {
		services[s.Package] = s
	}
	for _, row := range m.Coverage() {
		if !row.Served {
			continue
		}
		t.Run(row.Service+"."+row.Operation, func(t *testing.T) {
			s := services[row.Service]
			r, err := request(t.Context(), s, row.Operation)
			if err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			edge.ServeHTTP(w, r)
			if got, want := d.take(), s.SigningName+":"+row.Operation; got != want {
				t.Errorf("asked %q, want %q; answer: %s", got, want, w.Body)
			}
			// EC2 has a word of its own, and it stands in the body only.
			if code := w.Header().Get("X-Amzn-Errortype"); !strings.HasPrefix(code, "AccessDenied") && !strings.Contains(w.Body.String(), "<Code>UnauthorizedOperation<") {
				t.Errorf("answer %q %s, want a denial", code, w.Body)
			}
		})
	}
}

// request is a signed request for an operation with its smallest input.
func request(ctx context.Context, s *aws.Service, operation string) (*http.Request, error) {
	info, ok := s.Operation(operation)
	if !ok {
		return nil, fmt.Errorf("%s has no operation %s", s.Package, operation)
	}
	input, err := Minimal(s, info.Input)
	if err != nil {
		return nil, err
	}
	keys := sigv4.Credentials{AccessKey: accessKey, Secret: secret}
	return Request(ctx, s, info, Sent{Input: input, Keys: keys, Region: region})
}

// Sent is what a request says and who signs it.
type Sent struct {
	Input  any // as JSON would decode it
	Keys   sigv4.Credentials
	Region string
}

// Request is a signed request for an operation.
func Request(ctx context.Context, s *aws.Service, info *aws.OperationInfo, sent Sent) (*http.Request, error) {
	if slices.Contains(s.Protocols, "rest-xml") {
		r := httptest.NewRequestWithContext(ctx, info.Method, restTarget(s, info, sent.Input), nil)
		sigv4.Signer{Credentials: sent.Keys, Scope: sigv4.Scope{Region: sent.Region, Service: s.SigningName}}.Sign(r, nil, time.Now())
		return r, nil
	}
	body, contentType, err := encode(s, info, sent.Input)
	if err != nil {
		return nil, err
	}
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	if s.TargetPrefix != "" {
		r.Header.Set("X-Amz-Target", s.TargetPrefix+"."+info.Name)
	}
	sigv4.Signer{Credentials: sent.Keys, Scope: sigv4.Scope{Region: sent.Region, Service: s.SigningName}}.Sign(r, []byte(body), time.Now())
	return r, nil
}

var errNoForm = errors.New("wiretest: this protocol is not spoken here")
