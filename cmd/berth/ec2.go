package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/berth-ecs/berth/internal/clock"
)

// Versions of APIs.
const (
	ec2Version = "2016-11-15"
	elbVersion = "2015-12-01"
)

// maxAnswer bounds an answer.
const maxAnswer = 4 << 20

// ec2 calls an operation of EC2.
func (a *app) ec2(ctx context.Context, action string, q url.Values) ([]byte, error) {
	q.Set("Version", ec2Version)
	return a.query(ctx, "ec2", action, q)
}

// elb calls an operation of Elastic Load Balancing.
func (a *app) elb(ctx context.Context, action string, q url.Values) ([]byte, error) {
	q.Set("Version", elbVersion)
	return a.query(ctx, "elasticloadbalancing", action, q)
}

// query calls an operation. The SDK's clients of these services have some hundred; the few calls that this program makes need none of them.
func (a *app) query(ctx context.Context, service, action string, q url.Values) ([]byte, error) {
	signer, err := a.rootSigner(service)
	if err != nil {
		return nil, err
	}
	q.Set("Action", action)
	body := q.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.settings.Endpoint()+"/", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	signer.Sign(r, []byte(body), clock.Now())
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s: %s", service, resp.Status, answer)
	}
	return answer, err
}
