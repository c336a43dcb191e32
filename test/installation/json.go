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

// AskCloudMap calls an operation of Cloud Map and reads the answer into a pointer, or forgets it (nil).
func (i *Installation) AskCloudMap(ctx context.Context, operation string, in, into any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, i.Endpoint+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "Route53AutoNaming_v20170314."+operation)
	sigv4.Signer{
		Credentials: sigv4.Credentials{AccessKey: AccessKey, Secret: SecretKey},
		Scope:       sigv4.Scope{Region: Region, Service: "servicediscovery"},
	}.Sign(r, body, time.Now())
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("%s: %s", operation, strings.TrimSpace(string(answer)))
	case into == nil:
		return nil
	}
	return json.Unmarshal(answer, into)
}
