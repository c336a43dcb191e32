// Package joinapi answers machines that join or are part of an installation, and the operators who let them in.
//
// Guarantees:
//
//   - Only a ticket opens the door; everything else needs a certificate of the installation's authority, or root's signature.
//   - A request that fails uses no ticket up, and one whose answer is lost may be made again with the same key for some minutes.
//   - Secrets go to servers only, over TLS.
package joinapi

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/berth-ecs/berth/internal/authority"
	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/joining"
	"github.com/berth-ecs/berth/joining/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// Members is the store's own servers.
type Members interface {
	AddMember(ctx context.Context, name, address string) (map[string]string, error)
	RemoveMember(ctx context.Context, name string) error
	States(ctx context.Context) ([]joining.ServerState, error)
	Backup(ctx context.Context, w io.Writer) error
}

// Config is what an API needs.
type Config struct {
	Store     store.Store                                                // required
	Authority *authority.Authority                                       // required
	Verify    func(r *http.Request, body []byte) (sigv4.Identity, error) // required: authenticates operators by their signature
	Secrets   func() (joining.Secrets, error)                            // required: what other servers get
	Members   Members                                                    // required
	Accounts  []string                                                   // required: that are answered for
	Endpoint  string                                                     // URL of the TLS endpoint; "" when there is none, then nobody joins
	// Withdraw takes away what a machine did for others: it gives up its tasks, and answers how many registrations it took. Optional.
	Withdraw func(ctx context.Context, machine string) (int, error)
	Random   io.Reader        // optional
	Log      *slog.Logger     // required
	Now      func() time.Time // optional
}

// API answers. Its handlers are safe for concurrent use.
type API struct {
	Config
	joins *rate.Limiter
}

// How many machines may join, and how many strangers may try to: each asks the store.
const (
	joinsASecond = 50
	joinsAtOnce  = 200
)

// New makes an API.
func New(c Config) *API {
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Now == nil {
		c.Now = clock.Now
	}
	return &API{c, rate.NewLimiter(joinsASecond, joinsAtOnce)}
}

// Machines adds the pages of machines, for the TLS endpoint.
func (a *API) Machines(mux *http.ServeMux) {
	mux.HandleFunc("POST "+joining.JoinPath, page(a, a.join))
	mux.HandleFunc("POST "+joining.RenewPath, page(a, a.renew))
	mux.HandleFunc("POST "+joining.PassPath, page(a, a.pass))
	mux.HandleFunc("POST "+joining.MembersPath, page(a, a.member))
	mux.HandleFunc("GET "+joining.PlacesPath, page(a, a.places))
}

// Operators adds the pages of operators.
func (a *API) Operators(mux *http.ServeMux) {
	mux.HandleFunc("POST "+joining.TicketsPath, page(a, a.ticket))
	mux.HandleFunc("GET "+joining.FleetPath, page(a, a.fleet))
	mux.HandleFunc("DELETE "+joining.FleetPath+"/{id}", page(a, a.remove))
	mux.HandleFunc("DELETE "+joining.FleetPath+"/server/{name}", page(a, a.removeServer))
	mux.HandleFunc("GET "+joining.BackupPath, a.backup)
}

// refusal is an error that the caller may read.
type refusal struct {
	status int
	text   string
}

func (r refusal) Error() string { return r.text }

func refuse(status int, format string, args ...any) error {
	return refusal{status, fmt.Sprintf(format, args...)}
}

// biggest bounds a request: a certificate request and a few names.
const biggest = 64 << 10

// page makes a handler of a function from a request's JSON to an answer's.
func page[In, Out any](a *API, answer func(r *http.Request, in In) (Out, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in In
		if r.Method == http.MethodPost {
			data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, biggest))
			if err == nil && len(data) > 0 {
				err = json.Unmarshal(data, &in)
			}
			if err != nil {
				a.fail(w, r, refuse(http.StatusBadRequest, "the request cannot be read: %v", err))
				return
			}
			r.Body = io.NopCloser(strings.NewReader(string(data))) // for its signature
		}
		out, err := answer(r, in)
		if err != nil {
			a.fail(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(out); err != nil {
			a.Log.Debug("answer a machine", "path", r.URL.Path, "error", err)
		}
	}
}

func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	var no refusal
	switch {
	case errors.As(err, &no):
	case errors.Is(err, tables.ErrTicket), errors.Is(err, tables.ErrMachine):
		no = refusal{http.StatusForbidden, err.Error()}
	default:
		no = refusal{http.StatusServiceUnavailable, "the store does not answer; try again or ask another server"}
	}
	a.Log.Info("a machine was refused", "path", r.URL.Path, "from", r.RemoteAddr, "why", err)
	http.Error(w, no.text, no.status)
}

// holder is the machine whose certificate came with the request.
func holder(r *http.Request) (authority.Machine, error) {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return authority.Machine{}, refuse(http.StatusForbidden, "a certificate of this installation is needed: join with a ticket")
	}
	m, err := authority.Read(r.TLS.PeerCertificates[0])
	if err != nil {
		return m, refuse(http.StatusForbidden, "%v", err)
	}
	return m, nil
}

// root answers who signed the request, who must be root.
func (a *API) root(r *http.Request) (sigv4.Identity, error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, biggest)) // whatever the method
	if err != nil {
		return sigv4.Identity{}, refuse(http.StatusBadRequest, "the request cannot be read: %v", err)
	}
	id, err := a.Verify(r, body)
	if err != nil || !id.IsRoot() {
		return id, refuse(http.StatusForbidden, "only root may ask")
	}
	return id, nil
}

// request reads a certificate request and what it proves.
func request(der []byte) (*x509.CertificateRequest, error) {
	csr, err := x509.ParseCertificateRequest(der)
	if err == nil && csr.PublicKeyAlgorithm != x509.ECDSA { // what machines make; others may take long to verify
		err = errors.New("its key is not an ECDSA key")
	}
	if err == nil {
		err = csr.CheckSignature()
	}
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "Request is no certificate request: %v", err)
	}
	return csr, nil
}
