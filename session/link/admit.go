package link

import (
	"encoding/json"
	"net/http"
	"regexp"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/joining"
	"github.com/berth-ecs/berth/store"
)

// refusal is the answer to a handshake that fails, in the words of the agent protocol.
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

var nodeName = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)

// admit judges a handshake: without a refusal it is let in, as a node of the home that is answered, with keys of the
// machine that is, if it is one that joined. An instance that was deregistered still
// counts: its node has to hear what goes away.
func (l *Link) admit(r *http.Request, node string) (home ecs.Home, machine string, no *refusal) {
	var none ecs.Home
	caller, err := l.Verify(r)
	if err != nil {
		return none, "", &refusal{"AccessDeniedException", err.Error(), http.StatusForbidden}
	}
	select {
	case <-l.running: // a server that has just started serves in a moment
	case <-r.Context().Done():
		return none, "", &refusal{"ServerException", "The server is not ready.", http.StatusServiceUnavailable}
	}
	if !nodeName.MatchString(node) { // what a stranger names does not become a key
		return none, "", &refusal{"BadRequestException", "node is not the name of a node.", http.StatusBadRequest}
	}
	if machine = joining.MachineOf(caller.Key.Principal); machine != "" && machine != node {
		return none, "", &refusal{"AccessDeniedException", "The keys are another node's.", http.StatusForbidden}
	}
	home = ecs.Home{Account: caller.Key.Account, Region: caller.Scope.Region}
	known := false
	err = l.Store.View(r.Context(), store.Fresh, func(tx store.Tx) error {
		for _, i := range tables.InstancesByNode.List(tx, tables.LedgerKey(caller.Scope.Region, node), "") {
			known = known || i.Home == home
		}
		return nil
	})
	switch {
	case err != nil:
		return none, "", &refusal{"ServerException", "The store is not available.", http.StatusServiceUnavailable}
	case !known: // the same for one that is somebody else's: its name is not to be found out
		return none, "", &refusal{"InvalidInstanceException", "No container instance of the account is on the node.", http.StatusForbidden}
	}
	return home, machine, nil
}
