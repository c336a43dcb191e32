package agent

import (
	"net/http"
	"net/url"
	"time"

	"github.com/berth-ecs/berth/wire/sigv4"
)

// service is the name in the credential scope of everything an agent sends.
const service = "ecs"

// signer signs calls, handshakes and telemetry frames.
type signer struct {
	credentials func() sigv4.Credentials
	region      string
}

func (s signer) scope() sigv4.Scope { return sigv4.Scope{Region: s.region, Service: service} }

// Sign signs a request whose whole body is body.
func (s signer) Sign(r *http.Request, body []byte) {
	sigv4.Sign(r, body, s.credentials(), s.scope(), time.Now())
}

// Frame signs a telemetry frame for the web socket that is open to u.
func (s signer) Frame(u *url.URL, payload []byte) ([]byte, error) {
	return sigv4.SignFrame(u, payload, s.credentials(), s.scope(), time.Now())
}
