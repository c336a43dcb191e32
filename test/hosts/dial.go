package hosts

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/internal/rootkeys"
	"github.com/berth-ecs/berth/test/installation"
)

// inside runs f on a thread in the host's namespace: sockets that it makes and processes that it starts are the host's.
func (h *Host) inside(f func() error) error {
	runtime.LockOSThread()
	here, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer here.Close()
	there, err := os.Open("/run/netns/" + h.Name)
	if err != nil {
		return err
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter %s: %w", h.Name, err)
	}
	failed := f()
	if err := unix.Setns(int(here.Fd()), unix.CLONE_NEWNET); err != nil {
		return errors.Join(failed, err) // the thread ends with its goroutine: it is still locked to it
	}
	runtime.UnlockOSThread()
	return failed
}

// Dial connects as a program on the host does. Addresses are numbers: a name would be looked up on another thread.
func (h *Host) Dial(ctx context.Context, network, address string) (c net.Conn, err error) {
	err = h.inside(func() error {
		c, err = (&net.Dialer{Timeout: 2 * time.Second}).DialContext(ctx, network, address)
		return err
	})
	return c, err
}

// HTTP is a client on the host.
func (h *Host) HTTP() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: h.Dial, MaxIdleConnsPerHost: 16}}
}

// Endpoint is the URL of the host's server for clients on it.
const Endpoint = "http://" + listen

// Keys are root's, as the host's server has them.
func (h *Host) Keys() rootkeys.Keys {
	h.world.t.Helper()
	k, err := rootkeys.Read(rootkeys.Of{DataDir: h.DataDir(), Account: installation.Account})
	if err != nil {
		h.world.t.Fatal(err)
	}
	return k
}

// ECS is a client on the host, of its server.
func (h *Host) ECS(edits ...func(*ecs.Options)) *ecs.Client {
	h.world.t.Helper()
	k := h.Keys()
	return ecs.New(ecs.Options{
		Region: installation.Region, BaseEndpoint: aws.String(Endpoint), HTTPClient: h.HTTP(),
		Credentials: credentials.NewStaticCredentialsProvider(k.AccessKey, k.SecretKey, ""),
	}, edits...)
}

// AskELB calls an operation of Elastic Load Balancing of the host's server.
func (h *Host) AskELB(ctx context.Context, into any, action string, pairs ...string) error {
	k := h.Keys()
	return installation.EC2{HTTP: h.HTTP(), Endpoint: Endpoint, AccessKey: k.AccessKey, SecretKey: k.SecretKey}.AskELB(ctx, into, action, pairs...)
}

// AskEC2 calls an operation of EC2 of the host's server.
func (h *Host) AskEC2(ctx context.Context, into any, action string, pairs ...string) error {
	k := h.Keys()
	return installation.EC2{HTTP: h.HTTP(), Endpoint: Endpoint, AccessKey: k.AccessKey, SecretKey: k.SecretKey}.Ask(ctx, into, action, pairs...)
}
