package metadata

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// version is one of the endpoint's versions; they differ in what a container's answer holds.
type version struct {
	path, name string
	full       bool
	unknown    int // status for an id nobody has
}

// route is one question about the container, or its task, whose id is in the path.
type route struct {
	path   string
	what   string // as the agent's error texts call it
	reason string // the agent's words for an unknown id
	ask    func(context.Context, question) (any, error)
}

// question is what a caller wants to know, after it was found to be entitled.
type question struct {
	*handler
	version   version
	task      Task
	container Container
	request   *http.Request
}

const (
	noContainer = "unable to get container ID from request: unable to get docker ID from v3 endpoint ID: "
	noTask      = "unable to get task arn from request: unable to get task Arn from v3 endpoint ID: "
)

var routes = []route{
	{"", "container metadata", noContainer, askContainer},
	{"/task", "task metadata", noTask, askTask},
	{"/taskWithTags", "task metadata", noTask, askTaskWithTags},
	{"/stats", "container stats", noTask, askStats},
	{"/task/stats", "task stats", noTask, askTaskStats},
	{"/associations/{type}", "container associations", noContainer, askAssociations},
	{"/associations/{type}/{name...}", "container associations", noTask, askAssociation},
}

func (h *handler) about(v version, q route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		t, c, ok := h.source.Lookup(id)
		// One answer for both: a caller must not learn which ids exist.
		if !ok || !h.entitled(r, t) {
			h.answer(w, r, v.status(q), v.name+" "+q.what+" handler: "+q.reason+id)
			return
		}
		body, err := q.ask(r.Context(), question{h, v, t, c, r})
		if e := (*refusal)(nil); errors.As(err, &e) {
			h.answer(w, r, e.status, e.text)
			return
		}
		if err != nil {
			h.log.Warn("answer a question", "what", q.what, "task", t.TaskARN, "container", c.Name, "error", err)
			h.answer(w, r, http.StatusInternalServerError, "failed to get "+q.what)
			return
		}
		h.answer(w, r, http.StatusOK, body)
	}
}

// status is that of an answer about an id nobody has: the questions about associations kept version 3's.
func (v version) status(q route) int {
	if strings.HasPrefix(q.path, "/associations") {
		return http.StatusBadRequest
	}
	return v.unknown
}

func askContainer(_ context.Context, q question) (any, error) {
	return q.version.container(q.container), nil
}

func askTask(_ context.Context, q question) (any, error) {
	q.task.TaskTags, q.task.ContainerInstanceTags = nil, nil
	return q.version.task(q.task), nil
}

func askTaskWithTags(ctx context.Context, q question) (any, error) {
	t := q.task
	if s, ok := q.source.(TagSource); ok {
		var errs []Error
		t.TaskTags, t.ContainerInstanceTags, errs = s.Tags(ctx, t)
		t.Errors = slices.Concat(t.Errors, errs)
	}
	return q.version.task(t), nil
}

func askStats(ctx context.Context, q question) (any, error) {
	return q.source.Stats(ctx, q.container.ID)
}

// askTaskStats answers by container; one that has no stats (any more) is null, as with the agent.
func askTaskStats(ctx context.Context, q question) (any, error) {
	out := make(map[string]any, len(q.task.Containers))
	for _, c := range q.task.Containers {
		if c.ID == "" {
			continue
		}
		s, err := q.source.Stats(ctx, c.ID)
		if err != nil {
			q.log.Debug("stats of a container", "container", c.ID, "error", err)
			s = nil
		}
		out[c.ID] = s
	}
	return out, nil
}

// container leaves out what version 3 does not have.
func (v version) container(c Container) Container {
	if v.full {
		return c
	}
	c.LogDriver, c.LogOptions, c.ContainerARN, c.Snapshotter, c.RestartCount = "", nil, "", "", nil
	networks := c.Networks
	c.Networks = make([]Network, len(networks))
	for i, n := range networks {
		c.Networks[i] = Network{NetworkMode: n.NetworkMode, IPv4Addresses: n.IPv4Addresses, IPv6Addresses: n.IPv6Addresses}
	}
	return c
}

func (v version) task(t Task) Task {
	containers := t.Containers
	t.Containers = make([]Container, len(containers))
	for i, c := range containers {
		t.Containers[i] = v.container(c)
	}
	if !v.full {
		t.VPCID, t.ServiceName, t.ClockDrift, t.EphemeralStorageMetrics, t.LaunchType = "", "", nil, nil, ""
	}
	return t
}
