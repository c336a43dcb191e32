package agent

import (
	"net/http"
	"net/url"

	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// service is the name in the credential scope of what an agent sends, but for what it asks of ECR.
const service = "ecs"

// signer signs calls, handshakes and telemetry frames.
type signer struct {
	credentials func() sigv4.Credentials
	region      string
	service     string
}

func (s signer) now() sigv4.Signer {
	return sigv4.Signer{Credentials: s.credentials(), Scope: sigv4.Scope{Region: s.region, Service: s.service}}
}

// Sign signs a request whose whole body is body.
func (s signer) Sign(r *http.Request, body []byte) {
	s.now().Sign(r, body, clock.Now())
}

// Frame signs a telemetry frame for the web socket that is open to u.
func (s signer) Frame(u *url.URL, payload []byte) ([]byte, error) {
	return s.now().Frame(u, payload, clock.Now())
}
