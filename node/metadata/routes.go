package metadata

import (
	"context"
	"net/http"
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
	ask    func(h *handler, ctx context.Context, v version, t Task, c Container) (any, error)
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
}

func (h *handler) about(v version, q route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		t, c, ok := h.source.Lookup(id)
		// One answer for both: a caller must not learn which ids exist.
		if !ok || !h.entitled(r, t) {
			h.answer(w, r, v.unknown, v.name+" "+q.what+" handler: "+q.reason+id)
			return
		}
		body, err := q.ask(h, r.Context(), v, t, c)
		if err != nil {
			h.log.Warn("answer a question", "what", q.what, "task", t.TaskARN, "container", c.Name, "error", err)
			h.answer(w, r, http.StatusInternalServerError, "failed to get "+q.what)
			return
		}
		h.answer(w, r, http.StatusOK, body)
	}
}

func askContainer(_ *handler, _ context.Context, v version, _ Task, c Container) (any, error) {
	return v.container(c), nil
}

func askTask(_ *handler, _ context.Context, v version, t Task, _ Container) (any, error) {
	t.TaskTags, t.ContainerInstanceTags = nil, nil
	return v.task(t), nil
}

func askTaskWithTags(h *handler, ctx context.Context, v version, t Task, _ Container) (any, error) {
	if s, ok := h.source.(TagSource); ok {
		var errs []Error
		t.TaskTags, t.ContainerInstanceTags, errs = s.Tags(ctx, t)
		t.Errors = append(t.Errors, errs...)
	}
	return v.task(t), nil
}

func askStats(h *handler, ctx context.Context, _ version, _ Task, c Container) (any, error) {
	return h.source.Stats(ctx, c.ID)
}

// askTaskStats answers by container; one that has no stats (any more) is null, as with the agent.
func askTaskStats(h *handler, ctx context.Context, _ version, t Task, _ Container) (any, error) {
	out := make(map[string]any, len(t.Containers))
	for _, c := range t.Containers {
		if c.ID == "" {
			continue
		}
		s, err := h.source.Stats(ctx, c.ID)
		if err != nil {
			h.log.Debug("stats of a container", "container", c.ID, "error", err)
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
