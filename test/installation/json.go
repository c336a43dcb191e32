package installation

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/berth-ecs/berth/wire/sigv4"
)

// CloudMap is where operations of Cloud Map are asked for, and as whom.
type CloudMap struct {
	HTTP                           *http.Client
	Endpoint, AccessKey, SecretKey string
}

// AskCloudMap calls an operation of Cloud Map and reads the answer into a pointer, or forgets it (nil).
func (i *Installation) AskCloudMap(ctx context.Context, operation string, in, into any) error {
	return CloudMap{http.DefaultClient, i.Endpoint, AccessKey, SecretKey}.Ask(ctx, operation, in, into)
}

// AskACM calls an operation of Certificate Manager as AskCloudMap does.
func (i *Installation) AskACM(ctx context.Context, operation string, in, into any) error {
	return CloudMap{http.DefaultClient, i.Endpoint, AccessKey, SecretKey}.AskACM(ctx, operation, in, into)
}

// AskACM calls an operation of Certificate Manager as Ask does one of Cloud Map.
func (c CloudMap) AskACM(ctx context.Context, operation string, in, into any) error {
	return c.ask(ctx, [2]string{"acm", "CertificateManager." + operation}, in, into)
}

// Ask calls an operation and reads the answer into a pointer, or forgets it (nil).
func (c CloudMap) Ask(ctx context.Context, operation string, in, into any) error {
	return c.ask(ctx, [2]string{"servicediscovery", "Route53AutoNaming_v20170314." + operation}, in, into)
}

// ask calls a target of a service.
func (c CloudMap) ask(ctx context.Context, target [2]string, in, into any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Endpoint+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", target[1])
	sigv4.Signer{
		Credentials: sigv4.Credentials{AccessKey: c.AccessKey, Secret: c.SecretKey},
		Scope:       sigv4.Scope{Region: Region, Service: target[0]},
	}.Sign(r, body, time.Now())
	resp, err := c.HTTP.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("%s: %s", target[1], strings.TrimSpace(string(answer)))
	case into == nil:
		return nil
	}
	return json.Unmarshal(answer, into)
}
