package joinapi

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base32"
	"encoding/base64"
	"io"
	"net/http"
	"regexp"
	"time"

	"github.com/berth-ecs/berth/internal/authority"
	"github.com/berth-ecs/berth/joining"
	"github.com/berth-ecs/berth/joining/tables"
	"github.com/berth-ecs/berth/store"
)

var nameRule = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`)

// join lets a machine in.
func (a *API) join(r *http.Request, in joining.JoinRequest) (joining.JoinAnswer, error) {
	var none joining.JoinAnswer
	if r.TLS == nil {
		return none, refuse(http.StatusForbidden, "joining needs TLS")
	}
	if !a.joins.AllowN(a.Now(), 1) {
		return none, refuse(http.StatusServiceUnavailable, "too many machines join at once: try again")
	}
	ticket, err := joining.ParseTicket(in.Ticket)
	if err != nil {
		return none, refuse(http.StatusBadRequest, "Ticket: %v", err)
	}
	if !nameRule.MatchString(in.Name) {
		return none, refuse(http.StatusBadRequest, "Name %q: 1 to 63 letters, digits, dots, underscores and hyphens", in.Name)
	}
	if err := a.offered(r, ticket); err != nil { // strangers cost no more than this
		return none, err
	}
	csr, err := request(in.Request)
	if err != nil {
		return none, err
	}
	key := sha256.Sum256(csr.RawSubjectPublicKeyInfo)
	who := tables.Who{Name: in.Name, Key: key[:]}
	if who.Former, err = a.former(in.Certificate, csr); err != nil {
		return none, err
	}
	secrets, err := a.Secrets() // before the ticket is used up
	if err != nil {
		return none, err
	}
	var m *joining.Machine
	err = a.Store.Update(r.Context(), func(tx store.Tx) error {
		m, err = tables.Redeem(tx, ticket, who)
		return err
	})
	if err != nil {
		return none, err
	}
	out := joining.JoinAnswer{Machine: m.ID, Home: m.Home, Role: m.Role, Authority: a.Authority.Certificate().Raw}
	if out.Certificate, err = a.Authority.Certify(authority.Machine{Role: roleOf(m.Role), ID: m.ID}, csr.PublicKey, a.Now()); err != nil {
		return none, err
	}
	if m.Role == joining.Server {
		out.Secrets = &secrets
	}
	a.Log.Info("a machine joined", "machine", m.ID, "role", m.Role, "name", m.Name, "from", r.RemoteAddr)
	return out, nil
}

// former answers which node shows a certificate that has ended, and has its key; "" for none.
func (a *API) former(der []byte, csr *x509.CertificateRequest) (string, error) {
	if len(der) == 0 {
		return "", nil
	}
	bad := refuse(http.StatusForbidden, "Certificate is none of this installation, or its key is another's: a machine that was of another one joins with an empty data directory")
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return "", bad
	}
	err = cert.CheckSignatureFrom(a.Authority.Certificate()) // whatever the time: it was good once, and whoever asks has a ticket now
	key, ok := csr.PublicKey.(*ecdsa.PublicKey)
	if err != nil || !ok || !key.Equal(cert.PublicKey) {
		return "", bad
	}
	m, err := authority.Read(cert)
	if err != nil || m.Role != authority.NodeRole || m.ID == "" {
		return "", bad
	}
	return m.ID, nil
}

// offered refuses a ticket that is not good.
func (a *API) offered(r *http.Request, t joining.Ticket) error {
	return a.Store.View(r.Context(), store.Fresh, func(tx store.Tx) error {
		if _, ok := tables.Offered(tx, t); !ok {
			return tables.ErrTicket
		}
		return nil
	})
}

func roleOf(r joining.Role) authority.Role {
	if r == joining.Server {
		return authority.ServerRole
	}
	return authority.NodeRole
}

// known answers the machine of a certificate, which must still be part of the installation.
func (a *API) known(r *http.Request) (*joining.Machine, error) {
	h, err := holder(r)
	if err != nil {
		return nil, err
	}
	var m *joining.Machine
	err = a.Store.View(r.Context(), store.Fresh, func(tx store.Tx) error {
		var ok bool
		if m, ok = tables.Known(tx, h.ID); !ok || roleOf(m.Role) != h.Role {
			return tables.ErrMachine
		}
		return nil
	})
	return m, err
}

// renew gives a machine its next certificate.
func (a *API) renew(r *http.Request, in joining.RenewRequest) (joining.RenewAnswer, error) {
	var out joining.RenewAnswer
	m, err := a.known(r)
	if err != nil {
		return out, err
	}
	csr, err := request(in.Request)
	if err != nil {
		return out, err
	}
	out.Certificate, err = a.Authority.Certify(authority.Machine{Role: roleOf(m.Role), ID: m.ID}, csr.PublicKey, a.Now())
	return out, err
}

// pass gives a node keys that sign its requests.
func (a *API) pass(r *http.Request, _ struct{}) (*joining.Pass, error) {
	h, err := holder(r)
	if err != nil {
		return nil, err
	}
	var random [10 + 30 + 48]byte
	if _, err := io.ReadFull(a.Random, random[:]); err != nil {
		return nil, err
	}
	fresh := joining.Pass{
		AccessKey: "ASIA" + base32.StdEncoding.EncodeToString(random[:10]), Machine: h.ID,
		Secret: base64.StdEncoding.EncodeToString(random[10:40]), Token: base64.StdEncoding.EncodeToString(random[40:]),
	}
	var given *joining.Pass
	err = a.Store.Update(r.Context(), func(tx store.Tx) error {
		given, err = tables.Grant(tx, fresh)
		return err
	})
	return given, err
}

// memberPatience is how long a change of the servers may take: without a majority of them there is none.
const memberPatience = 30 * time.Second

// member lets a server in among those that keep the store.
func (a *API) member(r *http.Request, in joining.MemberRequest) (joining.MemberAnswer, error) {
	var out joining.MemberAnswer
	m, err := a.known(r)
	switch {
	case err != nil:
		return out, err
	case m.Role != joining.Server:
		return out, refuse(http.StatusForbidden, "only servers keep the store")
	case !nameRule.MatchString(in.Name):
		return out, refuse(http.StatusBadRequest, "Name %q: 1 to 63 letters, digits, dots, underscores and hyphens", in.Name)
	}
	ctx, cancel := context.WithTimeout(r.Context(), memberPatience)
	defer cancel()
	switch out.Members, err = a.Members.AddMember(ctx, in.Name, in.Address); {
	case err != nil && ctx.Err() != nil:
		return out, refuse(http.StatusServiceUnavailable, "the servers do not agree on another one yet, as when too few of them run: %v", err)
	case err != nil:
		return out, refuse(http.StatusConflict, "%v", err)
	}
	return out, nil
}

// places answers where the servers are.
func (a *API) places(r *http.Request, _ struct{}) ([]joining.Place, error) {
	if _, err := a.known(r); err != nil {
		return nil, err
	}
	return a.allPlaces(r)
}

func (a *API) allPlaces(r *http.Request) ([]joining.Place, error) {
	out := []joining.Place{}
	err := a.Store.View(r.Context(), store.Any, func(tx store.Tx) error {
		for _, p := range tables.Places.List(tx, store.Installation().Prefix(), "") {
			out = append(out, *p)
		}
		return nil
	})
	return out, err
}
