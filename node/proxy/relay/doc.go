// Package relay is between servers and the Envoy of a node: a client of what servers say, and Envoy's own server.
//
// Guarantees:
//
//   - What was heard is kept, in memory and on disk: Envoy, the node and every server may end and begin again, in any order, and nothing changes for traffic.
//     Certificates are kept where nothing outlives the machine's power, for root alone.
//   - A listener is told to Envoy once its interface's network is there, and taken away when that is gone.
//   - What Envoy refuses is refused of one part: the others go on, and so does that one with what it had.
//   - Only healthy targets get requests, or all when none is healthy; one that drains gets none. That holds while no server is there.
//   - What is new is told before what names it, and what is gone after what named it; a listener that is gone before all, as another one may have its port.
package relay

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/berth-ecs/berth/internal/whole"
	"github.com/berth-ecs/berth/mesh/xds/seam"
)

// Key names a resource.
type Key struct{ Type, Name string }

// Resource is one as a server said it.
type Resource struct {
	Key
	Version string
	Body    *anypb.Any
}

// shelf keeps resources on disk, a file for each.
type shelf struct{ dir, secrets string }

func (s shelf) path(k Key) string {
	sum := sha256.Sum256([]byte(k.Type + "\x00" + k.Name))
	dir := s.dir
	if k.Type == seam.TypeSecret {
		dir = s.secrets
	}
	return filepath.Join(dir, hex.EncodeToString(sum[:16]))
}

func (s shelf) put(r Resource) error {
	text, err := proto.Marshal(&discovery.Resource{Name: r.Name, Version: r.Version, Resource: r.Body})
	if err != nil {
		return err
	}
	return whole.Write(s.path(r.Key), text, 0o600)
}

func (s shelf) drop(k Key) error {
	err := os.Remove(s.path(k))
	if os.IsNotExist(err) {
		return nil
	}
	return err
}

// load answers what is kept. A file that is not a resource is none: servers say it again.
func (s shelf) load() (map[Key]Resource, error) {
	out := map[Key]Resource{}
	for _, dir := range []string{s.dir, s.secrets} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
		files, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			text, err := os.ReadFile(filepath.Join(dir, f.Name()))
			if err != nil {
				return nil, err
			}
			var r discovery.Resource
			if proto.Unmarshal(text, &r) != nil || r.GetResource() == nil {
				continue
			}
			k := Key{r.GetResource().GetTypeUrl(), r.GetName()}
			if filepath.Ext(f.Name()) == "" && s.path(k) == filepath.Join(dir, f.Name()) {
				out[k] = Resource{k, r.GetVersion(), r.GetResource()}
			}
		}
	}
	return out, nil
}
