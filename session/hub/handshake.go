package hub

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/coder/websocket"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/joining"
	"github.com/berth-ecs/berth/store"
)

// maxFrame bounds what an agent may send in one frame: a telemetry message is at
// most 1 MiB.
const maxFrame = 2 << 20

// refusal is the answer to a handshake that fails, in the words agents look for.
type refusal struct {
	code    string // name of the exception
	message string
	status  int
}

func refuse(w http.ResponseWriter, r refusal) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(r.status)
	_ = json.NewEncoder(w).Encode(map[string]string{r.code: r.message})
}

// instance finds the container instance that a handshake names by ARN, and the machine whose keys signed it, if it is one that joined; it
// answers a refusal when it may not connect.
func (h *Hub) instance(r *http.Request, arn string) (inst *ecs.Instance, machine string, no *refusal) {
	caller, err := h.Verify(r)
	if err != nil {
		return nil, "", &refusal{"AccessDeniedException", err.Error(), http.StatusForbidden}
	}
	select {
	case <-h.running: // a server that has just started serves in a moment
	case <-r.Context().Done():
		return nil, "", &refusal{"ServerException", "The server is not ready.", http.StatusServiceUnavailable}
	}
	a, ok := ecs.ParseARN(arn)
	if !ok || a.Kind != "container-instance" || len(a.Parts) != 2 || slices.Contains(a.Parts, "") {
		return nil, "", &refusal{"InvalidInstanceException", "containerInstanceArn is not the ARN of a container instance.", http.StatusBadRequest}
	}
	if a.Account != caller.Key.Account {
		return nil, "", &refusal{"AccessDeniedException", "The container instance belongs to another account.", http.StatusForbidden}
	}
	if a.Region != caller.Scope.Region {
		return nil, "", &refusal{"AccessDeniedException", "The container instance belongs to another region.", http.StatusForbidden}
	}
	var state *ecs.InstanceState
	err = h.Store.View(r.Context(), store.Fresh, func(tx store.Tx) error {
		key := tables.MemberKey(a.Home, a.Parts[0], a.Parts[1])
		inst, _ = tables.Instances.Peek(tx, key)
		state, _ = tables.InstanceStates.Peek(tx, key)
		return nil
	})
	switch {
	case err != nil:
		return nil, "", &refusal{"ServerException", "The store is not available.", http.StatusServiceUnavailable}
	case inst == nil || state == nil:
		return nil, "", &refusal{"InvalidInstanceException", "The container instance is not registered.", http.StatusBadRequest}
	case state.Status == ecs.InstanceInactive:
		return nil, "", &refusal{"InactiveInstanceException", "The container instance was deregistered.", http.StatusBadRequest}
	}
	machine = joining.MachineOf(caller.Key.Principal)
	if machine != "" && machine != inst.Node {
		return nil, "", &refusal{"AccessDeniedException", "The container instance is on another machine.", http.StatusForbidden}
	}
	return inst, machine, nil
}

// upgrade accepts the socket of a request that was let in.
func upgrade(w http.ResponseWriter, r *http.Request) (*websocket.Conn, error) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // agents send no Origin; the signature is what admits them
	})
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(maxFrame)
	return conn, nil
}

// ServeACS answers an agent that opens its control session.
func (h *Hub) ServeACS(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	inst, machine, no := h.instance(r, q.Get("containerInstanceArn"))
	if no != nil {
		h.Log.Info("control session refused", "instance", q.Get("containerInstanceArn"), "code", no.code, "why", no.message)
		refuse(w, *no)
		return
	}
	conn, err := upgrade(w, r)
	if err != nil {
		h.Log.Info("control session not upgraded", "error", err)
		return
	}
	s := newControl(h, conn, inst)
	s.machine = machine
	s.clusterARN = q.Get("clusterArn")
	if !strings.HasPrefix(s.clusterARN, "arn:") {
		s.clusterARN = inst.ClusterARN(inst.Cluster)
	}
	s.agent = tables.Agent{
		Version: q.Get("agentVersion"),
		Hash:    q.Get("agentHash"),
		Docker:  strings.TrimPrefix(q.Get("dockerVersion"), "DockerVersion: "),
	}
	s.serve() //nolint:contextcheck // a session outlives the request that opened it
}

// ServeTCS answers an agent that opens its telemetry session.
func (h *Hub) ServeTCS(w http.ResponseWriter, r *http.Request) {
	inst, machine, no := h.instance(r, r.URL.Query().Get("containerInstance"))
	if no != nil {
		refuse(w, *no)
		return
	}
	conn, err := upgrade(w, r)
	if err != nil {
		h.Log.Info("telemetry session not upgraded", "error", err)
		return
	}
	h.serveTelemetry(conn, inst, machine) //nolint:contextcheck // as above
}
