package hold

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// Keep hands over a listening socket: connections wait in it while we are away,
// and the next process gets it from Listener.
func (k *Client) Keep(ctx context.Context, key string, l net.Listener) error {
	return k.KeepSocket(ctx, key, l)
}

// Listener answers the listening socket kept under key; false when there is none.
func (k *Client) Listener(ctx context.Context, key string) (net.Listener, bool, error) {
	s, err := k.Socket(ctx, key)
	if s == nil || err != nil {
		return nil, false, err
	}
	l, ok := s.(net.Listener)
	if !ok {
		return nil, false, errors.Join(fmt.Errorf("hold: listener %q: a %T does not listen", key, s), s.Close())
	}
	return l, true, nil
}

// KeepSocket hands over a socket, a listening one or one of packets: what comes
// waits in it while we are away, and the next process gets it from Socket.
func (k *Client) KeepSocket(ctx context.Context, key string, s io.Closer) error {
	filer, ok := s.(interface{ File() (*os.File, error) })
	if !ok {
		return fmt.Errorf("hold: keep %q: a %T has no descriptor", key, s)
	}
	f, err := filer.File()
	if err != nil {
		return err
	}
	if _, _, err := k.call(ctx, request{Op: opKeep, Key: key}, f); err != nil {
		return errors.Join(err, f.Close())
	}
	k.keep(key, f)
	return nil
}

// Socket answers the socket kept under key, a net.Listener or a net.PacketConn;
// nil when there is none.
func (k *Client) Socket(ctx context.Context, key string) (io.Closer, error) {
	a, f, err := k.call(ctx, request{Op: opListener, Key: key}, nil)
	if err != nil || !a.Found {
		return nil, err
	}
	if f == nil {
		return nil, fmt.Errorf("hold: socket %q: no socket came with the answer", key)
	}
	s, err := open(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	k.keep(key, f)
	return s, nil
}

func open(f *os.File) (io.Closer, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	kind := 0
	if cerr := raw.Control(func(fd uintptr) { kind, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TYPE) }); cerr != nil {
		return nil, cerr
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("hold: %w", err)
	case kind == unix.SOCK_DGRAM:
		return net.FilePacketConn(f)
	}
	return net.FileListener(f)
}

// Forget closes the socket kept under key, so far as it is kept. An open socket keeps
// its network namespace.
func (k *Client) Forget(ctx context.Context, key string) error {
	k.mu.Lock()
	if f := k.kept[key]; f != nil {
		f.Close()
		delete(k.kept, key)
	}
	k.mu.Unlock()
	_, _, err := k.call(ctx, request{Op: opForget, Key: key}, nil)
	return err
}

// Kept are the keys of the sockets that are kept.
func (k *Client) Kept(ctx context.Context) ([]string, error) {
	return allKeys(func(after string) (answer, error) {
		a, _, err := k.call(ctx, request{Op: opHello, Key: after}, nil)
		return a, err
	})
}

// allKeys asks for the keys behind one until there are no more.
func allKeys(ask func(after string) (answer, error)) (keys []string, err error) {
	for after := ""; ; after = keys[len(keys)-1] {
		a, err := ask(after)
		if err != nil {
			return nil, err
		}
		keys = append(keys, a.Keys...)
		if !a.More || len(a.Keys) == 0 {
			return keys, nil
		}
	}
}

func (k *Client) keep(key string, f *os.File) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if old := k.kept[key]; old != nil {
		old.Close()
	}
	k.kept[key] = f
}
