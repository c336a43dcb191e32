package ociapi

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/berth-ecs/berth/blobs/dir"
	"github.com/berth-ecs/berth/registry"
	"github.com/berth-ecs/berth/registry/shelf"
	"github.com/berth-ecs/berth/registry/tables"
	"github.com/berth-ecs/berth/registry/token"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/etcd"
	"github.com/berth-ecs/berth/wire"
)

// childDir, when set, makes this program a registry that keeps everything below it.
const childDir = "BERTH_TEST_REGISTRY"

func TestMain(m *testing.M) {
	if root := os.Getenv(childDir); root != "" {
		if err := child(root); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// child serves until it is killed. It says on its output where, and with which password.
func child(root string) error {
	ctx := context.Background()
	s, err := etcd.Open(ctx, etcd.Config{Schema: tables.Schema(), DataDir: filepath.Join(root, "etcd"), Name: "test", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	b, err := dir.Open(filepath.Join(root, "blobs"), nil)
	if err != nil {
		return err
	}
	password := ""
	err = s.Update(ctx, func(tx store.Tx) error {
		h := registry.Home{Account: account, Region: region}
		if _, ok := tables.Repositories.Get(tx, tables.RepositoryKey(h, "app")); !ok {
			tables.Repositories.Put(tx, &registry.Repository{Home: h, Name: "app", ID: tx.NewID(), CreatedAt: tx.Now(), Mutability: "MUTABLE"})
		}
		secret, err := tables.TokenSecret(tx)
		if err != nil {
			return err
		}
		password, err = token.Seal(secret, token.Claims{Account: account, Region: region, Principal: root, Expires: tx.Now().Add(time.Hour)})
		return err
	})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr().String(), password)
	h := New(Config{Shelf: &shelf.Shelf{Store: s, Blobs: b}, Authorizer: everybody{}})
	return http.Serve(l, h)
}

type everybody struct{}

func (everybody) Allow(context.Context, wire.Call, string, string) error { return nil }

// process is a child that runs.
type process struct {
	cmd  *exec.Cmd
	host string
	auth authn.Authenticator
}

func begin(t *testing.T, root string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+root)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd}
	t.Cleanup(p.kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	host, password, ok := strings.Cut(strings.TrimSpace(line), " ")
	if err != nil || !ok {
		t.Fatalf("the registry said %q, %v", line, err)
	}
	p.host, p.auth = host, &authn.Basic{Username: "AWS", Password: password}
	return p
}

// kill is kill -9.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

func (p *process) ref(t *testing.T, tag string) name.Reference {
	t.Helper()
	r, err := name.ParseReference(p.host+"/app:"+tag, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A registry that is killed while images are pushed to it: what was acknowledged can be pulled afterwards, whole; what was not
// can be pushed again; and every object on the disk is what its name says.
func TestKilledInTheMiddleOfPushes(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts etcd several times")
	}
	root := t.TempDir()
	acknowledged := map[string]string{} // tag to digest
	for round := range 3 {
		p := begin(t, root)
		maps.Copy(acknowledged, p.push(t, round))
	}
	p := begin(t, root)
	for tag, digest := range acknowledged {
		img, err := remote.Image(p.ref(t, tag), remote.WithAuth(p.auth))
		if err != nil {
			t.Errorf("%s: %v", tag, err)
			continue
		}
		if got, err := img.Digest(); err != nil || got.String() != digest {
			t.Errorf("%s is %v, %v; want %s", tag, got, err, digest)
		}
		if err := validate.Image(img); err != nil {
			t.Errorf("%s: %v", tag, err)
		}
	}
	img, err := random.Image(1000, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(p.ref(t, "after"), img, remote.WithAuth(p.auth)); err != nil {
		t.Error(err)
	}
	p.kill()
	objects(t, filepath.Join(root, "blobs", "sha256"))
	t.Logf("%d images were acknowledged", len(acknowledged))
}

// push pushes from several sides until some images are acknowledged, and kills the registry while the others go on.
func (p *process) push(t *testing.T, round int) map[string]string {
	t.Helper()
	var mu sync.Mutex
	done := map[string]string{}
	enough := make(chan struct{})
	var all sync.WaitGroup
	for side := range 4 {
		all.Go(func() {
			for n := 0; ; n++ {
				img, err := random.Image(200_000, 3)
				if err != nil {
					t.Error(err)
					return
				}
				tag := fmt.Sprintf("r%d-%d-%d", round, side, n)
				if err := remote.Write(p.ref(t, tag), img, remote.WithAuth(p.auth), remote.WithRetryPredicate(func(error) bool { return false })); err != nil {
					return // it was killed
				}
				digest, err := img.Digest()
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if done[tag] = digest.String(); len(done) == 3+round {
					close(enough)
				}
				mu.Unlock()
			}
		})
	}
	select {
	case <-enough:
	case <-time.After(time.Minute):
		t.Error("nothing is acknowledged")
	}
	p.kill()
	all.Wait()
	return done
}

// objects holds every object to its name.
func objects(t *testing.T, root string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		h := sha256.New()
		_, err = io.Copy(h, f)
		if got := hex.EncodeToString(h.Sum(nil)); got != d.Name() {
			t.Errorf("%s holds %s", path, got)
		}
		return errors.Join(err, f.Close())
	})
	if err != nil {
		t.Error(err)
	}
}
