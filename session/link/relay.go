package link

import (
	"context"
	"errors"
	"net"
	"net/http"

	"github.com/coder/websocket"

	"github.com/berth-ecs/berth/ecs"
)

// Proxies tells nodes' proxies what to do. Serve speaks with a node that was admitted, through conn, which it closes, until either side ends it or ctx does.
type Proxies interface {
	Serve(ctx context.Context, conn net.Conn, h ecs.Home, node string) error
}

// relay is a node's connection for its proxy: of the same nodes, and admitted and ended as sessions are, but what passes is not the link's to know.
type relay struct {
	peer
	machine string // that joined and whose keys opened it; "" for none
	cancel  context.CancelCauseFunc
}

// ServeProxy answers a node that asks for what its proxy does.
func (l *Link) ServeProxy(w http.ResponseWriter, r *http.Request) {
	node := r.URL.Query().Get("node")
	home, machine, no := l.admit(r, node)
	if no != nil {
		l.Log.Info("node's proxy refused", "node", node, "code", no.code, "why", no.message)
		refuse(w, *no)
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true}) // as for sessions: the signature is what admits
	if err != nil {
		l.Log.Info("node's proxy not upgraded", "node", node, "error", err)
		return
	}
	l.pass(conn, &relay{peer: peer{home, node}, machine: machine}) //nolint:contextcheck // it outlives the request that opened it
}

// pass hands a connection over, and ends it when the link does, the node connects anew, or its machine is removed.
func (l *Link) pass(conn *websocket.Conn, y *relay) {
	ctx, ok := l.joinRelay(y)
	if !ok {
		_ = conn.Close(websocket.StatusGoingAway, "the server is not ready")
		return
	}
	defer l.leaveRelay(y)
	if y.machine != "" && l.Removed(y.machine) { // since its keys were looked at
		y.cancel(errRemoved)
	}
	err := l.Proxies.Serve(ctx, websocket.NetConn(ctx, conn, websocket.MessageBinary), y.home, y.node)
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	l.Log.Info("node's proxy disconnected", "node", y.node, "why", err)
	_ = conn.CloseNow()
}

func (l *Link) joinRelay(y *relay) (context.Context, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx == nil || l.ctx.Err() != nil {
		return nil, false
	}
	if old := l.relays[y.peer]; old != nil {
		old.cancel(errReplaced)
	}
	ctx, cancel := context.WithCancelCause(l.ctx)
	y.cancel = cancel
	l.relays[y.peer] = y
	l.wg.Add(1)
	return ctx, true
}

func (l *Link) leaveRelay(y *relay) {
	defer l.wg.Done()
	y.cancel(nil)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.relays[y.peer] == y {
		delete(l.relays, y.peer)
	}
}
