package metadata

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// faults are the kinds of network fault the agent's API has.
var faults = []string{"network-blackhole-port", "network-latency", "network-packet-loss"}

// faultVerbs are what can be asked of each.
var faultVerbs = []string{"start", "stop", "status"}

// faultError is the agent's shape.
type faultError struct{ Error string }

// fault refuses as the agent does for a task that is not enabled for fault injection; no task is here.
func (h *handler) fault(w http.ResponseWriter, r *http.Request) {
	var request map[string]any
	if err := json.NewDecoder(io.LimitReader(r.Body, protectionBody)).Decode(&request); err != nil {
		text := err.Error()
		if errors.Is(err, io.EOF) {
			text = "required request body is missing"
		}
		h.answer(w, r, http.StatusBadRequest, faultError{text})
		return
	}
	t, _, ok := h.source.Lookup(r.PathValue("id"))
	if !ok || !h.entitled(r, t) {
		h.answer(w, r, http.StatusNotFound, faultError{"unable to lookup container: " + r.PathValue("id")})
		return
	}
	h.answer(w, r, http.StatusBadRequest, faultError{"enableFaultInjection is not enabled for task: " + t.TaskARN})
}
