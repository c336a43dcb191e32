package server

import (
	"context"
	"errors"
	"net"
	"sync"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

// nodeConn is a connection that was admitted, and whose.
type nodeConn struct {
	net.Conn
	node   Node
	once   sync.Once
	closed chan struct{}
}

func (c *nodeConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// door is a listener to which connections are handed.
type door struct {
	conns chan *nodeConn
	once  sync.Once
	shut  chan struct{}
}

func newDoor() *door { return &door{conns: make(chan *nodeConn), shut: make(chan struct{})} }

func (d *door) pass(ctx context.Context, c *nodeConn) error {
	select {
	case d.conns <- c:
		return nil
	case <-d.shut:
		return net.ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (d *door) Accept() (net.Conn, error) {
	select {
	case c := <-d.conns:
		return c, nil
	case <-d.shut:
		return nil, net.ErrClosed
	}
}

func (d *door) Close() error {
	d.once.Do(func() { close(d.shut) })
	return nil
}

func (d *door) Addr() net.Addr { return &net.UnixAddr{Name: "admitted", Net: "unix"} }

// admitted makes who was admitted the one that gRPC speaks with.
type admitted struct{}

var errStranger = errors.New("the connection came by another way")

func (admitted) ServerHandshake(c net.Conn) (net.Conn, credentials.AuthInfo, error) {
	n, ok := c.(*nodeConn)
	if !ok {
		return nil, nil, errStranger
	}
	return c, identity{Node: n.node}, nil
}

func (admitted) ClientHandshake(context.Context, string, net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errStranger
}

func (admitted) Info() credentials.ProtocolInfo            { return credentials.ProtocolInfo{} }
func (a admitted) Clone() credentials.TransportCredentials { return a }
func (admitted) OverrideServerName(string) error           { return nil }

type identity struct{ Node }

func (identity) AuthType() string { return "admitted" }

func nodeOf(ctx context.Context) (Node, bool) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return Node{}, false
	}
	i, ok := p.AuthInfo.(identity)
	return i.Node, ok
}
