package metadata

import (
	"net/http"
	"net/netip"
)

// AddressSource is a Source that can find the task a caller belongs to by its address. Version 2 has no ids in its paths:
// it knows the tasks that have an interface of their own (awsvpc), and no others.
type AddressSource interface {
	Source
	ByAddress(addr netip.Addr) (Task, bool)
}

// version2 answers by the caller's address.
func (h *handler) version2(ask func(question) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		from, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil {
			h.answer(w, r, http.StatusBadRequest, "Unable to get task arn from request: unable to parse request's ip address: "+err.Error())
			return
		}
		addr := from.Addr().Unmap()
		var t Task
		s, ok := h.source.(AddressSource)
		if ok {
			t, ok = s.ByAddress(addr)
		}
		if !ok {
			h.answer(w, r, http.StatusBadRequest, "Unable to get task arn from request: unable to associate '"+addr.String()+"' with task")
			return
		}
		q := question{handler: h, version: version{name: "V2"}, task: t, request: r}
		body, err := ask(q)
		if err != nil {
			h.answer(w, r, http.StatusBadRequest, err.Error())
			return
		}
		h.answer(w, r, http.StatusOK, body)
	}
}

// of finds a container of the caller's own task.
func (q question) of(id string) (Container, bool) {
	for _, c := range q.task.Containers {
		if c.ID == id {
			return c, true
		}
	}
	return Container{}, false
}

func v2Metadata(q question) (any, error) {
	id := q.request.PathValue("container")
	if id == "" {
		return askTask(q.request.Context(), q)
	}
	c, ok := q.of(id)
	if !ok {
		return nil, &refusal{http.StatusBadRequest, "Unable to generate metadata for container '" + id + "'"}
	}
	return q.version.container(c), nil
}

func v2Tags(q question) (any, error) { return askTaskWithTags(q.request.Context(), q) }

func v2Stats(q question) (any, error) {
	id := q.request.PathValue("container")
	if id == "" {
		return askTaskStats(q.request.Context(), q)
	}
	if _, ok := q.of(id); ok {
		if s, err := q.source.Stats(q.request.Context(), id); err == nil {
			return s, nil
		}
	}
	return nil, &refusal{http.StatusBadRequest, "Unable to get container stats for: " + id}
}
