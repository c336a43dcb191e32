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

// ec2Version is that of EC2's API.
const ec2Version = "2016-11-15"

// maxEC2 bounds an answer.
const maxEC2 = 4 << 20

// ec2 calls an operation of EC2. The SDK's client of EC2 has some hundred operations; the few calls that this program makes need none of it.
func (a *app) ec2(ctx context.Context, action string, q url.Values) ([]byte, error) {
	signer, err := a.rootSigner("ec2")
	if err != nil {
		return nil, err
	}
	q.Set("Action", action)
	q.Set("Version", ec2Version)
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
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxEC2))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("EC2 answers %s: %s", resp.Status, answer)
	}
	return answer, err
}
