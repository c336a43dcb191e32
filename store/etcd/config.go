package etcd

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"regexp"
	"time"

	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/store"
)

// Config says which etcd keeps the records. Exactly one of DataDir and Endpoints is set.
type Config struct {
	Schema store.Schema // required

	// DataDir embeds an etcd that keeps its data here.
	DataDir string
	// Socket is the path of a unix socket on which the embedded etcd also answers, for etcdctl; optional. Without it the
	// embedded etcd listens nowhere.
	Socket string
	// QuotaBytes bounds the embedded etcd's file; optional, 8 GiB.
	QuotaBytes int64

	// Peer makes it one member of several; optional, with DataDir only.
	Peer *Peer

	// Endpoints are those of an existing etcd, at least version 3.5.13.
	Endpoints          []string
	TLS                *tls.Config // optional, for Endpoints
	Username, Password string      // optional, for Endpoints
	Server             string      // how Leader calls this server; optional, for Endpoints

	Name  string           // names this installation's keys in an etcd shared with others, and in one without any; optional, "berth"
	Log   *slog.Logger     // optional, discarded
	Now   func() time.Time // optional, clock.Now
	NewID func() string    // optional, random
}

const defaultQuota = 8 << 30

var nameRule = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,64}$`)

func (c *Config) complete() error {
	if (c.DataDir == "") == (len(c.Endpoints) == 0) {
		return errors.New("etcd: set exactly one of DataDir and Endpoints")
	}
	if c.Name == "" {
		c.Name = "berth"
	}
	if !nameRule.MatchString(c.Name) {
		return fmt.Errorf("etcd: Name %q: 1 to 64 letters, digits, dots, underscores and hyphens", c.Name)
	}
	if c.Socket != "" && (c.DataDir == "" || !filepath.IsAbs(c.Socket)) {
		return fmt.Errorf("etcd: Socket %q: an absolute path, with DataDir only", c.Socket)
	}
	if c.Peer != nil {
		if c.DataDir == "" {
			return errors.New("etcd: Peer: with DataDir only")
		}
		if err := c.Peer.complete(); err != nil {
			return err
		}
	}
	if c.QuotaBytes == 0 {
		c.QuotaBytes = defaultQuota
	}
	if c.QuotaBytes < 0 {
		return fmt.Errorf("etcd: QuotaBytes %d: at least 1", c.QuotaBytes)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = clock.Now
	}
	return nil
}
