package region

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/berth-ecs/berth/blobs"
	"github.com/berth-ecs/berth/internal/authority"
	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/joining/tables"
	"github.com/berth-ecs/berth/store"
)

// blobsPath is where servers get content of each other, on the TLS endpoint.
const blobsPath = "/_berth/blobs/"

// sharedBlobs are this server's and, what it has not, those of the others: content is on the disk of the server that took it until another is asked
// for it and takes a copy. Which content there should be the records say, and they are the same everywhere.
type sharedBlobs struct {
	blobs.Store
	others func(ctx context.Context) ([]string, error) // host:port of the other servers' TLS endpoints
	client *http.Client
	log    *slog.Logger
}

// share makes blobs shared where there are other servers.
func share(own blobs.Store, r rooms, log *slog.Logger) blobs.Store {
	m := r.membership
	if !m.settings.SeveralServers() {
		return own
	}
	others := func(ctx context.Context) (at []string, err error) {
		err = r.store.View(ctx, store.Any, func(tx store.Tx) error {
			for _, p := range tables.Places.List(tx, store.Installation().Prefix(), "") {
				if p.Name != m.name {
					at = append(at, p.Address)
				}
			}
			return nil
		})
		return at, err
	}
	return sharedBlobs{own, others, m.client(), log}
}

// client speaks to the other servers, as one of them.
func (m *membership) client() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext: (&net.Dialer{Timeout: 2 * time.Second}).DialContext, ResponseHeaderTimeout: 10 * time.Second, IdleConnTimeout: time.Minute,
		TLSClientConfig: &tls.Config{
			RootCAs: m.authority.Pool(), ServerName: authority.ServerName, MinVersion: tls.VersionTLS12, Time: clock.Now,
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return m.peerPair().Load() },
		},
	}}
}

// Stat implements blobs.Reader.
func (s sharedBlobs) Stat(ctx context.Context, digest string) (blobs.Info, error) {
	info, err := s.Store.Stat(ctx, digest)
	if !errors.Is(err, blobs.ErrNotFound) || !s.fetched(ctx, digest) {
		return info, err
	}
	return s.Store.Stat(ctx, digest)
}

// Open implements blobs.Reader.
func (s sharedBlobs) Open(ctx context.Context, digest string) (io.ReadSeekCloser, error) {
	f, err := s.Store.Open(ctx, digest)
	if !errors.Is(err, blobs.ErrNotFound) || !s.fetched(ctx, digest) {
		return f, err
	}
	return s.Store.Open(ctx, digest)
}

// Touch implements blobs.Writer.
func (s sharedBlobs) Touch(ctx context.Context, digest string) (blobs.Info, error) {
	info, err := s.Store.Touch(ctx, digest)
	if !errors.Is(err, blobs.ErrNotFound) || !s.fetched(ctx, digest) {
		return info, err
	}
	return s.Store.Touch(ctx, digest)
}

// fetched takes a copy of what another server has; it tells whether one had it.
func (s sharedBlobs) fetched(ctx context.Context, digest string) bool {
	others, err := s.others(ctx)
	if err != nil || blobs.CheckDigest(digest) != nil {
		return false
	}
	for _, at := range others {
		err := s.fetch(ctx, at, digest)
		if err == nil {
			return true
		}
		s.log.Debug("another server's content", "server", at, "digest", digest, "error", err)
	}
	return false
}

func (s sharedBlobs) fetch(ctx context.Context, at, digest string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+at+blobsPath+digest, nil)
	if err != nil {
		return err
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %s", resp.Status)
	}
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	u, err := s.Create(ctx, "copy-"+hex.EncodeToString(id[:]))
	if err != nil {
		return err
	}
	if _, err := io.Copy(u, resp.Body); err != nil {
		return errors.Join(err, u.Cancel(context.WithoutCancel(ctx)))
	}
	_, err = u.Commit(ctx, digest) // it compares the content with its name
	return errors.Join(err, u.Close())
}

// giveBlobs answers other servers with what this one has itself.
func giveBlobs(own blobs.Reader, s store.Store) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !fromServer(r, s) {
			http.Error(w, "a certificate of one of the servers is needed", http.StatusForbidden)
			return
		}
		f, err := own.Open(r.Context(), r.PathValue("digest"))
		if err != nil {
			http.Error(w, "it is not here", http.StatusNotFound)
			return
		}
		defer func() { _ = f.Close() }() // it was only read
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(w, r, "", time.Time{}, f)
	}
}

// fromServer tells whether a request came with the certificate of a server that is one of the installation's still.
func fromServer(r *http.Request, s store.Store) bool {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return false
	}
	m, err := authority.Read(r.TLS.PeerCertificates[0])
	return err == nil && m.Role == authority.ServerRole && (m.ID == "" || !removed(r.Context(), s)(m.ID))
}
