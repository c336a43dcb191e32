package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/test/escape/aim"
)

// socket opens one of a family and kind.
func socket(family, kind, protocol int) func(aim.Aim) error {
	return func(aim.Aim) error {
		fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, protocol)
		if err == nil {
			_ = unix.Close(fd)
		}
		return err
	}
}

// moment is how long a connection may take.
const moment = 1500 * time.Millisecond

// answers asks at an address and wants a text in what it says.
func answers(network, address, want string) error {
	c, err := net.DialTimeout(network, address, moment)
	if err != nil {
		return err
	}
	defer c.Close()
	if want == "" {
		return nil
	}
	_ = c.SetDeadline(time.Now().Add(moment))
	got, err := io.ReadAll(c)
	if !contains(got, want) {
		return fmt.Errorf("it answers %.100q: %w", got, errors.Join(err, unix.EACCES))
	}
	return nil
}

func abstract(a aim.Aim) error { return answers("unix", "@"+a.Abstract, a.Token) }

// loopback asks another task at the address that only it should have.
func loopback(a aim.Aim) error {
	if len(a.Victims) == 0 {
		return errors.New("nobody was named")
	}
	return answers("tcp", a.Loopback, a.Victims[0])
}

// sockets are the node's: of containerd, of its shims, of what holds the output.
func sockets(a aim.Aim) error {
	last := errors.New("none was named")
	for _, s := range a.Sockets {
		for _, dir := range under {
			if last = answers("unix", dir+s, ""); last == nil {
				return nil
			}
		}
	}
	return last
}

// endpoints are the node's, by address.
func endpoints(a aim.Aim) error {
	all := errors.New("none was named")
	done := make(chan error, len(a.Endpoints))
	for _, e := range a.Endpoints {
		go func() { done <- named(e, answers("tcp", e, "")) }()
	}
	for range a.Endpoints {
		if all = <-done; all == nil {
			return nil
		}
	}
	return all
}

func named(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// tunnel makes an interface by /dev/net/tun, or a node of it.
func tunnel(aim.Aim) error {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		fd, err = node(unix.S_IFCHR, 10, 200, unix.O_RDWR)
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	r, err := unix.NewIfreq("berthescape")
	if err != nil {
		return err
	}
	r.SetUint16(unix.IFF_TUN)
	return unix.IoctlIfreq(fd, unix.TUNSETIFF, r)
}

// page fetches one and wants a text in it.
func page(url, want string) error {
	if url == "" {
		return errors.New("no page was named")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*moment)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
		return fmt.Errorf("%s %.200s: %w", resp.Status, body, errors.Join(err, unix.EACCES))
	}
	return nil
}

func metadata(a aim.Aim) error { return page(a.Metadata, "TaskARN") }

func instance(a aim.Aim) error { return page(a.Instance, "") }

// address gives an interface an address that it has: who may, is told that it is there.
func address(aim.Aim) error {
	return reached(netlink(unix.NETLINK_ROUTE, addressMessage()), unix.EEXIST)
}

// rules lists the firewall's.
func rules(aim.Aim) error {
	const getTable = 10<<8 | 1 // nftables, NFT_MSG_GETTABLE
	return netlink(unix.NETLINK_NETFILTER, message(getTable, unix.NLM_F_REQUEST|unix.NLM_F_DUMP, []byte{0, 0, 0, 0}))
}
